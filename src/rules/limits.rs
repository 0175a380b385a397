//! Which limits hold for a measurement, and where each came from.

use std::sync::Arc;

use crate::model::{Limit, Origin, Rule, Threshold};

/// The rules of one target, weakest first: the kind's defaults, the global thresholds, the target's thresholds,
/// the target's own rules, and among these the ones for a certain subject last.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// The kind's defaults and the global thresholds, shared by the targets of a kind.
    shared: Arc<[Rule]>,
    own: Vec<Rule>,
}

/// A limit that holds, and where it came from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Side<'a> {
    /// The limit.
    pub limit: &'a Limit,
    /// Where it came from.
    pub origin: &'a Origin,
}

/// What holds for one metric and subject: each side from the strongest rule that says anything about it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Effective<'a> {
    /// When it turns YELLOW.
    pub yellow: Option<Side<'a>>,
    /// When it turns RED.
    pub red: Option<Side<'a>>,
    /// What must be true before a finding goes away.
    pub clear: Option<Side<'a>>,
}

impl Rules {
    /// Rules from weak to strong. `own` may come in any order: a rule for a certain subject is stronger than one
    /// for all.
    #[must_use]
    pub fn new(shared: Arc<[Rule]>, mut own: Vec<Rule>) -> Self {
        own.sort_by_key(|rule| rule.subject.is_some());
        Self { shared, own }
    }

    /// What holds for a measurement of `metric`.
    #[must_use]
    pub fn effective(&self, metric: &str, subject: Option<&str>) -> Effective<'_> {
        let mut effective = Effective::default();
        for rule in self.shared.iter().chain(&self.own) {
            let meant = rule.metric == metric
                && rule
                    .subject
                    .as_ref()
                    .is_none_or(|pattern| subject.is_some_and(|subject| pattern.matches(subject)));
            if !meant {
                continue;
            }
            if let Some(threshold) = &rule.yellow {
                effective.yellow = side(threshold, rule);
            }
            if let Some(threshold) = &rule.red {
                effective.red = side(threshold, rule);
            }
            if let Some(limit) = &rule.clear {
                let origin = &rule.origin;
                effective.clear = Some(Side { limit, origin });
            }
        }
        effective
    }

    /// All rules, weakest first.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.shared.iter().chain(&self.own)
    }
}

fn side<'a>(threshold: &'a Threshold, rule: &'a Rule) -> Option<Side<'a>> {
    match threshold {
        Threshold::At(limit) => Some(Side {
            limit,
            origin: &rule.origin,
        }),
        Threshold::Never => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SubjectPattern;

    fn rule(subject: Option<&str>, yellow: Option<&str>, red: Option<&str>) -> Rule {
        let threshold = |text: &str| match text {
            "never" => Threshold::Never,
            text => Threshold::At(text.parse().expect("a limit")),
        };
        Rule {
            metric: "disk_free_percent".into(),
            subject: subject.map(|glob| SubjectPattern::new(glob).expect("a glob")),
            yellow: yellow.map(threshold),
            red: red.map(threshold),
            clear: None,
            origin: Origin::Default,
        }
    }

    fn sides(rules: &Rules, subject: &str) -> (Option<String>, Option<String>) {
        let effective = rules.effective("disk_free_percent", Some(subject));
        let text = |side: Option<Side<'_>>| side.map(|side| side.limit.to_string());
        (text(effective.yellow), text(effective.red))
    }

    #[test]
    fn a_stronger_rule_replaces_only_the_sides_it_names() {
        let shared = Arc::from([rule(None, Some("< 20"), Some("< 10"))]);
        let rules = Rules::new(
            shared,
            vec![
                rule(Some("/backup*"), Some("never"), Some("< 1")),
                rule(None, None, Some("< 5")),
            ],
        );
        assert_eq!(
            sides(&rules, "/"),
            (Some("< 20".to_owned()), Some("< 5".to_owned()))
        );
        assert_eq!(
            sides(&rules, "/backup/daily"),
            (None, Some("< 1".to_owned()))
        );
        assert_eq!(rules.effective("cpu_percent", None), Effective::default());
    }
}
