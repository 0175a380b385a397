use chrono::TimeDelta;

use super::Route;
use crate::model::Severity;

/// Who is told when nobody has answered for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// How long after the incident opened, while it is neither acknowledged nor over.
    pub after: TimeDelta,
    /// The names of the reporters that are told, whatever their routes say.
    pub reporters: Vec<String>,
    /// Of incidents of which severities; `None`: of all.
    pub severities: Option<Vec<Severity>>,
}

impl Level {
    /// Whether it is for incidents of this severity.
    #[must_use]
    pub fn is_for(&self, severity: Severity) -> bool {
        let severities = self.severities.as_ref();
        severities.is_none_or(|severities| severities.contains(&severity))
    }

    /// Whether it tells this reporter.
    #[must_use]
    pub fn tells(&self, reporter: &str) -> bool {
        self.reporters.iter().any(|name| name == reporter)
    }
}

/// Whether a reporter hears of no incident before a level names it: one that stands in a level and has no route. With a
/// route it hears of what the route wants at once, and of what its level is for later.
#[must_use]
pub fn waits_for_a_level(levels: &[Level], reporter: &str, route: Option<&Route>) -> bool {
    route.is_none() && levels.iter().any(|level| level.tells(reporter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stands_in_a_level_waits_unless_it_has_a_route() {
        let level = Level {
            after: TimeDelta::minutes(15),
            reporters: vec!["phone".to_owned()],
            severities: Some(vec![Severity::Critical]),
        };
        let everything = Level {
            severities: None,
            ..level.clone()
        };
        assert_eq!(
            Severity::ALL.map(|severity| level.is_for(severity)),
            [false, false, true]
        );
        assert!(Severity::ALL.iter().all(|one| everything.is_for(*one)));
        let levels = [level];
        assert!(waits_for_a_level(&levels, "phone", None));
        assert!(!waits_for_a_level(
            &levels,
            "phone",
            Some(&Route::default())
        ));
        assert!(!waits_for_a_level(&levels, "slack", None));
        assert!(!waits_for_a_level(&[], "phone", None));
    }
}
