use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Which target: its kind and a name that is unique within the kind. Written `kind/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetId {
    /// The YAML key of the kind.
    pub kind: &'static str,
    /// The name.
    pub name: Arc<str>,
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// How soon a problem is spoken of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Urgency {
    /// After enough looks agree.
    #[default]
    Normal,
    /// At the first look.
    Instant,
}

/// What every target has, whatever its kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Common {
    /// Whether it makes the whole unhealthy when it is RED.
    pub critical: bool,
    /// How soon a problem is spoken of.
    pub urgency: Urgency,
    /// How long a look may take.
    pub timeout: Duration,
    /// Free words to route and to silence by.
    pub labels: BTreeMap<String, String>,
    /// The targets without which this one cannot be well, as written.
    pub depends_on: Vec<String>,
    /// A link that every message about it shows.
    pub runbook: Option<String>,
}

/// One thing that is watched. Not generic over its kind, so that everything but a collector can hold it.
#[derive(Clone)]
pub struct Target {
    /// Which.
    pub id: TargetId,
    /// What every target has.
    pub common: Common,
    /// The settings of its kind; only its collector knows their type.
    pub settings: Arc<dyn Any + Send + Sync>,
    /// The target that found it, of the same kind; `None`: it is configured.
    pub found_by: Option<Arc<str>>,
}

impl Target {
    /// A target that this one found: like it in everything but the name.
    #[must_use]
    pub fn found(&self, name: &str) -> Self {
        Self {
            id: TargetId {
                kind: self.id.kind,
                name: name.into(),
            },
            found_by: Some(Arc::clone(&self.id.name)),
            ..self.clone()
        }
    }
}

impl fmt::Debug for Target {
    /// Without the settings: they may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("id", &self.id)
            .field("common", &self.common)
            .finish_non_exhaustive()
    }
}
