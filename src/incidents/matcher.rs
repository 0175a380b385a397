//! Which targets something is for.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use globset::GlobMatcher;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::document::{OneOrMany, shown_name};
use crate::model::TargetId;

/// A name or a glob: `web-1`, `web-*`, `{web,api}-[0-9]`. Capital letters count, and `*` stands for any text, `/`
/// and none included.
#[derive(Clone)]
pub struct Pattern(GlobMatcher);

impl Pattern {
    /// As it was written.
    #[must_use]
    pub fn glob(&self) -> &str {
        self.0.glob().glob()
    }

    /// Whether the text is meant.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(glob: &str) -> Result<Self, String> {
        match globset::Glob::new(glob) {
            Ok(glob) => Ok(Self(glob.compile_matcher())),
            Err(error) => Err(format!(
                "expected a name, or a pattern such as `web-*`, found {}: {}",
                shown_name(glob),
                error.kind()
            )),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.glob() == other.glob()
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.glob(), f)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.glob())
    }
}

/// Which targets something is for: all parts that are given must match, and of each part one pattern. A part that is
/// an empty list is not given. As JSON it is what people write, with lists throughout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Matcher {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<Pattern>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kinds: Vec<Pattern>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, Vec<Pattern>>,
}

/// Why patterns are no matcher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    /// No part is given.
    #[error(
        "expected at least one of `names`, `kinds` and `labels`: without any, everything would match; \
         `names: [\"*\"]` says that on purpose"
    )]
    Empty,
    /// An empty text where no target has one.
    #[error("expected a name, or a pattern such as `web-*`, found an empty text in `{0}`")]
    EmptyText(&'static str),
    /// A label that no value would do for.
    #[error("expected a value or a pattern for the label `{0}`: `*` is any value, `\"\"` is none")]
    LabelWithoutValue(String),
}

/// Which targets are meant. All parts that are given must match, and of each part one pattern.
#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Parts {
    /// Their names: `web-*`, or with the kind: `vps_servers/web-*`.
    names: OneOrMany<Pattern>,
    /// Their kinds: `databases`, `*_servers`.
    kinds: OneOrMany<Pattern>,
    /// Their labels: for each key one pattern or several. `*` is any value, an empty text means that the label is
    /// missing.
    labels: BTreeMap<String, OneOrMany<Pattern>>,
}

impl TryFrom<Parts> for Matcher {
    type Error = MatcherError;

    fn try_from(parts: Parts) -> Result<Self, MatcherError> {
        let labels = parts.labels.into_iter();
        let labels = labels.map(|(key, patterns)| (key, patterns.0)).collect();
        Self::new(parts.names.0, parts.kinds.0, labels)
    }
}

impl JsonSchema for Matcher {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Matcher".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Parts::json_schema(generator)
    }
}

impl Matcher {
    /// A matcher of these parts.
    ///
    /// # Errors
    /// No part is given, or one that nothing could match.
    pub fn new(
        names: Vec<Pattern>,
        kinds: Vec<Pattern>,
        labels: BTreeMap<String, Vec<Pattern>>,
    ) -> Result<Self, MatcherError> {
        for (part, patterns) in [("names", &names), ("kinds", &kinds)] {
            if patterns.iter().any(|pattern| pattern.glob().is_empty()) {
                return Err(MatcherError::EmptyText(part));
            }
        }
        if let Some((key, _)) = labels.iter().find(|(_, patterns)| patterns.is_empty()) {
            return Err(MatcherError::LabelWithoutValue(key.clone()));
        }
        if names.is_empty() && kinds.is_empty() && labels.is_empty() {
            return Err(MatcherError::Empty);
        }
        Ok(Self {
            names,
            kinds,
            labels,
        })
    }

    /// Whether the target is meant.
    #[must_use]
    pub fn matches(&self, id: &TargetId, labels: &BTreeMap<String, String>) -> bool {
        self.matches_named(id.kind, &id.name, labels)
    }

    /// The same for a target that is only known by its kind and name, such as one that is no longer configured.
    #[must_use]
    pub fn matches_named(&self, kind: &str, name: &str, labels: &BTreeMap<String, String>) -> bool {
        self.matches_kind(kind) && self.matches_name(kind, name) && self.matches_labels(labels)
    }

    /// Whether a target of this name would be meant if it had the right labels, and its kind is one that is meant.
    #[must_use]
    pub fn matches_name(&self, kind: &str, name: &str) -> bool {
        let matches = |pattern: &Pattern| {
            // Only a pattern that names the kind is held against it: `d*` is not all databases.
            pattern.matches(name)
                || pattern.glob().contains('/') && pattern.matches(&format!("{kind}/{name}"))
        };
        self.names.is_empty() || self.names.iter().any(matches)
    }

    /// Whether a target of this kind would be meant if it had the right name and labels.
    #[must_use]
    pub fn matches_kind(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|pattern| pattern.matches(kind))
    }

    /// Whether a target with these labels would be meant if it had the right name. `*` needs the label; an empty
    /// pattern means that it is missing, or empty.
    #[must_use]
    pub fn matches_labels(&self, labels: &BTreeMap<String, String>) -> bool {
        self.labels.iter().all(|(key, patterns)| {
            let value = labels.get(key);
            patterns.iter().any(|pattern| match value {
                Some(value) => pattern.matches(value),
                None => pattern.glob().is_empty(),
            })
        })
    }

    /// The patterns for kinds, as they were written.
    #[must_use]
    pub fn kinds(&self) -> &[Pattern] {
        &self.kinds
    }
}

impl fmt::Display for Matcher {
    /// For people: `names web-*, api-*; kinds vps_servers; team=ops`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |patterns: &[Pattern], between: &str| {
            let globs: Vec<&str> = patterns.iter().map(Pattern::glob).collect();
            globs.join(between)
        };
        let mut parts = Vec::new();
        for (word, patterns) in [("names", &self.names), ("kinds", &self.kinds)] {
            if !patterns.is_empty() {
                parts.push(format!("{word} {}", list(patterns, ", ")));
            }
        }
        for (key, patterns) in &self.labels {
            parts.push(format!("{key}={}", list(patterns, "|")));
        }
        f.write_str(&parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(json: &str) -> Matcher {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    fn id(kind: &'static str, name: &str) -> TargetId {
        let name = name.into();
        TargetId { kind, name }
    }

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn all_parts_and_one_pattern_of_each_must_match() {
        let web = id("vps_servers", "web-1");
        let ops = labels(&[("team", "ops"), ("rack", "1.10"), ("note", "")]);
        for (json, expected) in [
            (r#"{"names": ["web-*"]}"#, true),
            (r#"{"names": "web-1"}"#, true),
            (r#"{"names": ["db", "web-?"]}"#, true),
            (r#"{"names": ["WEB-1"]}"#, false),
            (r#"{"names": ["web"]}"#, false),
            (r#"{"names": ["vps_servers/web-1"]}"#, true),
            (r#"{"names": ["*/web-1"]}"#, true),
            (r#"{"names": ["databases/*"]}"#, false),
            (r#"{"names": ["vps*"]}"#, false),
            (r#"{"kinds": ["vps_servers"]}"#, true),
            (r#"{"kinds": ["*_servers"]}"#, true),
            (r#"{"kinds": ["vps"]}"#, false),
            (r#"{"names": ["web-*"], "kinds": ["databases"]}"#, false),
            (r#"{"names": [], "kinds": ["vps_servers"]}"#, true),
            (r#"{"labels": {"team": "ops"}}"#, true),
            (r#"{"labels": {"team": ["dev", "o*"]}}"#, true),
            (r#"{"labels": {"team": "ops", "rack": "1.1"}}"#, false),
            (r#"{"labels": {"team": "ops", "rack": "1.1*"}}"#, true),
            (r#"{"labels": {"team": "dev"}, "names": ["web-1"]}"#, false),
            (r#"{"names": ["*"]}"#, true),
        ] {
            assert_eq!(matcher(json).matches(&web, &ops), expected, "{json}");
        }
    }

    #[test]
    fn an_empty_pattern_is_a_label_that_is_missing() {
        let web = id("vps_servers", "web-1");
        let some = labels(&[("team", "ops"), ("note", "")]);
        for (json, expected) in [
            (r#"{"labels": {"rack": ""}}"#, true),
            (r#"{"labels": {"note": ""}}"#, true),
            (r#"{"labels": {"team": ""}}"#, false),
            (r#"{"labels": {"team": ["", "ops"]}}"#, true),
            (r#"{"labels": {"rack": ["", "r1"]}}"#, true),
            (r#"{"labels": {"rack": "*"}}"#, false),
            (r#"{"labels": {"team": "*"}}"#, true),
            (r#"{"labels": {"note": "*"}}"#, true),
            (r#"{"labels": {"note": "?*"}}"#, false),
        ] {
            assert_eq!(matcher(json).matches(&web, &some), expected, "{json}");
        }
    }

    #[test]
    fn what_would_match_everything_or_nothing_is_refused() {
        for (json, said) in [
            ("{}", "`names: [\"*\"]` says that on purpose"),
            (r#"{"names": [], "labels": {}}"#, "everything would match"),
            (r#"{"names": ["a", ""]}"#, "found an empty text in `names`"),
            (r#"{"kinds": ""}"#, "found an empty text in `kinds`"),
            (r#"{"labels": {"a": []}}"#, "for the label `a`"),
            (r#"{"names": ["web-["]}"#, "found `web-[`: "),
            (r#"{"name": ["web"]}"#, "unknown field `name`"),
        ] {
            let error = serde_json::from_str::<Matcher>(json).expect_err(json);
            assert!(error.to_string().contains(said), "{json}: {error}");
        }
    }

    #[test]
    fn it_is_stored_as_it_was_written() {
        let written = r#"{"names":["web-*"],"kinds":["vps_servers"],"labels":{"team":["ops",""]}}"#;
        let read = matcher(written);
        assert_eq!(serde_json::to_string(&read).unwrap(), written);
        assert_eq!(
            read.to_string(),
            "names web-*; kinds vps_servers; team=ops|"
        );
        let short = matcher(r#"{"labels":{"team":"ops"}}"#);
        let stored = serde_json::to_string(&short).unwrap();
        assert_eq!(stored, r#"{"labels":{"team":["ops"]}}"#);
        assert_eq!(matcher(&stored), short);
        assert_ne!(short, read);
    }
}
