//! What may have caused an incident: whoever knows gives it, and people who have heard of the incident hear of that.

use chrono::TimeDelta;

use super::engine::Engine;
use crate::model::{
    Analysis, Event, EventKind, Explanation, Incident, IncidentId, Soon, Timestamp,
};

/// Causes that change more often than this are not told each time: the next message has the newest.
const TOLD_EVERY: TimeDelta = TimeDelta::minutes(10);

impl Engine {
    /// The open incidents that the next step tells of. What is known of their cause is to be given before.
    #[must_use]
    pub fn about_to_tell(&self, now: Timestamp) -> Vec<&Incident> {
        if self.next_due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        let is_due = |incident: &&Incident| {
            let notice = incident.notice.as_ref();
            incident.is_open() && notice.is_some_and(|notice| notice.due_at <= now)
        };
        self.live.values().filter(is_due).collect()
    }

    /// What may have caused an incident. Where people have heard of it without that, what they have is brought up to date
    /// without a ring.
    pub fn explain(&mut self, id: IncidentId, analysis: Analysis, now: Timestamp) {
        let Some(incident) = self.live.get_mut(&id) else {
            return;
        };
        let known = incident.analysis.replace(analysis);
        // What a model said stays until it says something else.
        if let (Some(known), Some(new)) = (&known, &mut incident.analysis)
            && new.explanation.is_none()
        {
            new.explanation.clone_from(&known.explanation);
            new.unexplained.clone_from(&known.unexplained);
        }
        let Some(analysis) = &incident.analysis else {
            return;
        };
        if known
            .as_ref()
            .is_some_and(|known| known.has_same_causes(analysis))
        {
            return;
        }
        let news = cause(analysis).filter(|new| known.as_ref().and_then(cause) != Some(*new));
        let text = news.map(|(_, _, text)| text.to_owned());
        let told_lately = incident
            .events
            .iter()
            .any(|event| event.kind == EventKind::Explained && (now - event.at).abs() < TOLD_EVERY);
        self.touch(id);
        if text.is_some() && !told_lately {
            self.bring_up_to_date(id, EventKind::Explained, text, Soon::WithOthers, now);
        }
    }

    /// What a language model said of it, or why it said nothing. People who have heard of the incident hear of that without a
    /// ring.
    pub fn put_into_words(
        &mut self,
        id: IncidentId,
        words: Result<Explanation, String>,
        now: Timestamp,
    ) {
        let Some(incident) = self.live.get_mut(&id) else {
            return;
        };
        let Some(analysis) = &mut incident.analysis else {
            return;
        };
        let said = words.is_ok();
        match words {
            Ok(explanation) => {
                analysis.explanation = Some(explanation);
                analysis.unexplained = None;
            }
            Err(why) => analysis.unexplained = Some(why),
        }
        self.touch(id);
        if said {
            // Not its words, and no likely cause: what a model says would pass for what we found, and keep the next cause
            // that we find from being told.
            self.bring_up_to_date(id, EventKind::Worded, None, Soon::Now, now);
        }
    }

    /// What a language model said is of another picture: whoever is shown it is told so.
    pub fn outdate_words(&mut self, id: IncidentId) {
        let incident = self.live.get_mut(&id);
        let analysis = incident.and_then(|incident| incident.analysis.as_mut());
        let words = analysis.and_then(|analysis| analysis.explanation.as_mut());
        if let Some(words) = words.filter(|words| !words.outdated) {
            words.outdated = true;
            self.touch(id);
        }
    }

    /// People who have heard of an incident hear of that, without a ring. What waits to be told takes it along.
    fn bring_up_to_date(
        &mut self,
        id: IncidentId,
        kind: EventKind,
        text: Option<String>,
        soon: Soon,
        now: Timestamp,
    ) {
        let is_needed = |incident: &Incident| {
            incident.told_at.is_some() && incident.is_open() && incident.notice.is_none()
        };
        if self.live.get(&id).is_some_and(is_needed) {
            let event = Event {
                at: now,
                kind,
                name: String::new(),
                status: None,
                text,
                rings: false,
            };
            self.tell(id, None, event, soon, now);
        }
    }
}

/// Whose the cause is, which metric, and its text.
fn cause(analysis: &Analysis) -> Option<(&str, Option<&str>, &str)> {
    let (_, cause) = analysis.with_cause().next()?;
    Some((&cause.target, cause.metric.as_deref(), &cause.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::{Announcement, Facts, Family, Policy};
    use crate::model::{AnalysisCandidate, AnalysisGroup, Claim, Condition, Confidence, Status};

    fn at(clock: &str) -> Timestamp {
        format!("2026-11-21T{clock}Z").parse().expect("a time")
    }

    fn analysis(cause: &str, text: &str) -> Analysis {
        let candidate = AnalysisCandidate {
            target: cause.to_owned(),
            text: text.to_owned(),
            stands_for: None,
            metric: None,
            subject: None,
            class: "gone".to_owned(),
            seen_at: at("10:00:00"),
            score_percent: 80,
            share_percent: 90,
            strength_percent: 100,
            explained_by: None,
            explains_count: 1,
            explains: Vec::new(),
        };
        Analysis {
            at: at("10:00:00"),
            groups: vec![AnalysisGroup {
                targets: vec![cause.to_owned(), "shop".to_owned()],
                targets_left_out: 0,
                has_common_cause: true,
                candidates: vec![candidate],
                evidence: Vec::new(),
            }],
            groups_left_out: 0,
            targets_apart: 0,
            explanation: None,
            unexplained: None,
        }
    }

    /// An engine with one incident of which people have heard.
    fn told() -> Engine {
        let family = Family::new([Facts {
            target: "api_endpoints/shop".to_owned(),
            name: "shop".to_owned(),
            instant: true,
            ..Facts::default()
        }]);
        let mut engine = Engine::new(Policy::default(), family, Vec::new());
        let condition = Condition {
            status: Status::Red,
            at: at("10:00:00"),
            summary: "no answer".to_owned(),
            problems: Vec::new(),
            more_problems: 0,
            advice: Vec::new(),
            cause: None,
        };
        engine.see("api_endpoints/shop", condition, at("10:00:00"));
        engine.explain(1, analysis("db", "at first"), at("10:00:01"));
        assert_eq!(engine.about_to_tell(at("10:00:01")).len(), 1);
        let step = engine.take_step(at("10:00:01"));
        let [
            Announcement::Incident {
                incident, events, ..
            },
        ] = &step.announcements[..]
        else {
            panic!("{step:#?}");
        };
        assert!(incident.analysis.is_some(), "the first message has it");
        assert_eq!(events.len(), 1, "{events:#?}");
        engine
    }

    #[test]
    fn words_of_a_model_are_told_as_such_and_hold_back_no_cause_of_ours() {
        let mut engine = told();
        let said = Claim {
            text: "All is well.".to_owned(),
            evidence: vec!["E01".to_owned()],
        };
        let explanation = Explanation {
            at: at("10:02:00"),
            outdated: false,
            reused: false,
            provider: "p".to_owned(),
            model: "m".to_owned(),
            note: None,
            summary: Some(said),
            cause: None,
            confidence: Confidence::Low,
            impact: None,
            steps: Vec::new(),
            plain: None,
            facts: Vec::new(),
            claims_dropped: 0,
            score_percent: 10,
            cost: "$0.0001".to_owned(),
            budget: None,
            took_ms: 1,
        };
        engine.put_into_words(1, Ok(explanation), at("10:02:00"));
        for (clock, kind, text) in [
            ("10:02:30", EventKind::Worded, None),
            ("10:04:00", EventKind::Explained, Some("the host")),
        ] {
            let step = engine.take_step(at(clock));
            let [Announcement::Incident { events, .. }] = &step.announcements[..] else {
                panic!("{step:#?}");
            };
            assert_eq!(
                (events[0].kind, events[0].text.as_deref(), events[0].rings),
                (kind, text, false)
            );
            engine.explain(1, analysis("host", "the host"), at("10:03:00"));
        }
    }

    #[test]
    fn another_cause_is_told_once_and_quietly() {
        let mut engine = told();
        engine.explain(1, analysis("db", "with other values"), at("10:01:00"));
        assert!(engine.take_step(at("10:02:00")).announcements.is_empty());
        engine.explain(1, analysis("host", "the host"), at("10:03:00"));
        let step = engine.take_step(at("10:04:00"));
        let [Announcement::Incident { events, .. }] = &step.announcements[..] else {
            panic!("{step:#?}");
        };
        assert_eq!(
            (events[0].kind, events[0].text.as_deref(), events[0].rings),
            (EventKind::Explained, Some("the host"), false)
        );
        // To and fro within minutes.
        engine.explain(1, analysis("db", "at first"), at("10:05:00"));
        let step = engine.take_step(at("10:06:00"));
        assert!(
            step.announcements.is_empty() && !step.records.is_empty(),
            "kept, and not told"
        );
    }
}
