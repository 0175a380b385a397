use std::collections::BTreeMap;

use super::Matcher;
use crate::model::{Severity, TargetId};

/// Which messages a reporter gets. The default is all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Incidents of these severities; `None`: of all.
    pub severities: Option<Vec<Severity>>,
    /// Incidents of these targets; `None`: of all.
    pub matcher: Option<Matcher>,
    /// Whether it gets round reports, which are about all targets.
    pub digest: bool,
    /// Whether it gets incidents.
    pub incidents: bool,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            severities: None,
            matcher: None,
            digest: true,
            incidents: true,
        }
    }
}

impl Route {
    /// Whether round reports go this way.
    #[must_use]
    pub fn wants_digest(&self) -> bool {
        self.digest
    }

    /// Whether an incident of this severity on this target goes this way.
    #[must_use]
    pub fn wants(
        &self,
        severity: Severity,
        id: &TargetId,
        labels: &BTreeMap<String, String>,
    ) -> bool {
        self.wants_named(severity, id.kind, &id.name, labels)
    }

    /// The same for a target that is only known by its kind and name, such as one that is no longer configured.
    #[must_use]
    pub fn wants_named(
        &self,
        severity: Severity,
        kind: &str,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) -> bool {
        let (severities, matcher) = (self.severities.as_ref(), self.matcher.as_ref());
        self.incidents
            && severities.is_none_or(|severities| severities.contains(&severity))
            && matcher.is_none_or(|matcher| matcher.matches_named(kind, name, labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_and_target_must_both_be_wanted() {
        let matcher = |json| Some(serde_json::from_str(json).expect("a matcher"));
        let id = TargetId {
            kind: "databases",
            name: "orders".into(),
        };
        let labels = BTreeMap::from([("team".to_owned(), "ops".to_owned())]);
        let all = Route::default();
        let severe = Route {
            severities: Some(vec![Severity::Critical, Severity::High]),
            ..Route::default()
        };
        let ours = Route {
            matcher: matcher(r#"{"kinds": "databases", "labels": {"team": "ops"}}"#),
            ..severe.clone()
        };
        let others = Route {
            matcher: matcher(r#"{"labels": {"team": "dev"}}"#),
            ..Route::default()
        };
        let no_incidents = Route {
            incidents: false,
            ..Route::default()
        };
        for (route, expected) in [
            (&all, [true, true, true]),
            (&severe, [false, true, true]),
            (&ours, [false, true, true]),
            (&others, [false; 3]),
            (&no_incidents, [false; 3]),
        ] {
            let found = Severity::ALL.map(|severity| route.wants(severity, &id, &labels));
            assert_eq!(found, expected, "{route:?}");
            assert!(route.wants_digest());
        }
    }
}
