use serde::{Deserialize, Serialize};

use super::Matcher;
use crate::model::Timestamp;

/// Somebody's word that some targets are not to be spoken of for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Unique, and the same as long as it stands.
    pub id: String,
    /// For which targets.
    pub matcher: Matcher,
    /// From when on; `None`: it has always been.
    pub from: Option<Timestamp>,
    /// Until when, that instant excluded; `None`: until it is taken back.
    pub until: Option<Timestamp>,
    /// Who said so.
    pub author: Option<String>,
    /// Why.
    pub comment: Option<String>,
}

impl Silence {
    /// Whether it holds.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && !self.has_ended(now)
    }

    /// Whether it will never hold again.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(from: Option<&str>, until: Option<&str>) -> Silence {
        let time = |text: &str| text.parse().expect("a time");
        Silence {
            id: "one".to_owned(),
            matcher: serde_json::from_str(r#"{"names": "*"}"#).expect("a matcher"),
            from: from.map(time),
            until: until.map(time),
            author: Some("anna".to_owned()),
            comment: None,
        }
    }

    #[test]
    fn it_holds_from_its_first_instant_to_before_its_last() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let (from, until) = ("2026-12-01T00:00:00Z", "2026-12-02T06:00:00Z");
        let bounded = silence(Some(from), Some(until));
        for (now, active, ended) in [
            ("2026-11-30T23:59:59.999Z", false, false),
            (from, true, false),
            ("2026-12-02T05:59:59.999Z", true, false),
            (until, false, true),
        ] {
            assert_eq!(bounded.is_active(at(now)), active, "{now}");
            assert_eq!(bounded.has_ended(at(now)), ended, "{now}");
        }
        for now in [Timestamp::MIN_UTC, at(from), Timestamp::MAX_UTC] {
            assert!(silence(None, None).is_active(now));
        }
        assert!(silence(None, Some(until)).is_active(Timestamp::MIN_UTC));
        assert!(silence(Some(from), None).is_active(Timestamp::MAX_UTC));
    }

    #[test]
    fn it_can_be_stored() {
        let one = silence(None, Some("2026-12-02T06:00:00Z"));
        let stored = serde_json::to_string(&one).expect("JSON");
        assert_eq!(
            stored,
            "{\"id\":\"one\",\"matcher\":{\"names\":[\"*\"]},\"from\":null,\
             \"until\":\"2026-12-02T06:00:00Z\",\"author\":\"anna\",\"comment\":null}"
        );
        assert_eq!(serde_json::from_str::<Silence>(&stored).expect("one"), one);
    }
}
