//! When a language model is asked, about what, and what becomes of its answer. Nothing waits for it: what it says is told when
//! it comes, without a ring. One question is under way at a time; those behind it are made when their turn comes, of what is
//! known then.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::Pipeline;
use crate::analysis::analyst::{About, Ask, NotExplained, Settings, Told, When};
use crate::analysis::prompt::{Ill, Prompt, Subject, prompt};
use crate::delivery::SelfNote;
use crate::model::{
    Analysis, Explanation, Incident, IncidentId, Report, SelfAlert, Status, Timestamp,
};

/// In one step no more questions are asked: of thousands of problems the most severe are one story.
const MOST_AT_ONCE: usize = 2;

/// So many answers are remembered: the same picture needs no other.
const REMEMBERED: usize = 32;

/// The note of the store that holds what must outlast a restart.
pub(super) const ASKED: &str = "analysis.asked";

/// Asks, and remembers what was said.
pub(super) struct Explaining {
    settings: Option<Settings>,
    asks: mpsc::Sender<Ask>,
    kept: Kept,
    /// The picture of an incident about which it was asked last.
    last: HashMap<IncidentId, String>,
    answers: VecDeque<(String, Explanation)>,
    waiting: VecDeque<Waiting>,
    is_asking: bool,
    /// The round of the newest report: words of another would pass for words of this one.
    last_report: Option<String>,
}

/// Who waits for words.
#[derive(Debug)]
enum Waiting {
    Incident(IncidentId),
    Report { round: String, prompt: Prompt },
}

/// What must outlast a restart: a limit that begins anew with each start is none.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// How often it was asked about an incident.
    calls: HashMap<IncidentId, u32>,
    /// The picture that the words of an incident are of.
    worded: HashMap<IncidentId, String>,
    /// The day of the budget on which it was said that it is spent.
    said_spent_on: Option<String>,
}

impl Explaining {
    pub(super) fn new(settings: Option<Settings>, asks: mpsc::Sender<Ask>) -> Self {
        Self {
            settings,
            asks,
            kept: Kept::default(),
            last: HashMap::new(),
            answers: VecDeque::new(),
            waiting: VecDeque::new(),
            is_asking: false,
            last_report: None,
        }
    }

    pub(super) fn replan(&mut self, settings: Option<Settings>) {
        // Whoever sets another model wants to hear that one.
        if models(settings.as_ref()) != models(self.settings.as_ref()) {
            self.answers.clear();
            self.last.clear();
        }
        self.settings = settings;
    }

    /// What a store kept. What cannot be read was not kept.
    pub(super) fn restore(&mut self, json: &str) {
        self.kept = serde_json::from_str(json).unwrap_or_default();
    }

    /// What every report says of models that were retired.
    pub(super) fn said_of_retired(&self, now: Timestamp) -> Vec<SelfAlert> {
        let settings = self.settings.as_ref();
        settings.map_or_else(Vec::new, |settings| {
            settings.said_of_retired(now.date_naive())
        })
    }

    /// What was said of that picture.
    fn known(&self, picture: &str) -> Option<Explanation> {
        let mut answers = self.answers.iter();
        let (_, known) = answers.find(|(known, _)| known == picture)?;
        Some(Explanation {
            reused: true,
            ..known.clone()
        })
    }

    fn remember(&mut self, picture: String, answer: Explanation) {
        self.answers.retain(|(known, _)| *known != picture);
        self.answers.push_front((picture, answer));
        self.answers.truncate(REMEMBERED);
    }

    /// Whether it was not asked about that picture of an incident last.
    fn is_new(&self, id: IncidentId, picture: &str) -> bool {
        self.last.get(&id).is_none_or(|last| last != picture)
    }

    /// Whether it was asked about an incident as often as it may.
    fn is_used_up(&self, id: IncidentId) -> bool {
        let settings = self.settings.as_ref();
        let most = settings.map_or(0, |settings| settings.calls_per_incident);
        self.kept.calls.get(&id).is_some_and(|calls| *calls >= most)
    }

    /// Lets an incident wait for its turn; `false`: it does already.
    fn line_up(&mut self, id: IncidentId) -> bool {
        let is_it = |one: &Waiting| matches!(one, Waiting::Incident(waiting) if *waiting == id);
        let is_new = !self.waiting.iter().any(is_it);
        if is_new {
            self.waiting.push_back(Waiting::Incident(id));
        }
        is_new
    }

    fn ask(&mut self, about: About, prompt: Prompt) {
        let Some(settings) = self.settings.clone() else {
            return;
        };
        let incident = match about {
            About::Incident(id) => Some((id, prompt.picture.clone())),
            About::Round(_) => None,
        };
        let ask = Ask {
            about,
            prompt,
            settings,
        };
        self.is_asking = self.asks.try_send(ask).is_ok();
        if !self.is_asking {
            tracing::debug!("nobody takes a question to the language model");
            return;
        }
        if let Some((id, picture)) = incident {
            *self.kept.calls.entry(id).or_default() += 1;
            self.last.insert(id, picture);
        }
    }
}

fn models(settings: Option<&Settings>) -> Vec<(&str, &str)> {
    let endpoints = settings.into_iter().flat_map(|one| &one.endpoints);
    endpoints
        .map(|one| (one.provider.as_str(), one.model.as_str()))
        .collect()
}

/// A question that is worth its money: what names no fact is thrown away, and a limit that was always crossed is none.
fn worth_asking(prompt: Prompt) -> Option<Prompt> {
    (!prompt.facts.is_empty()).then_some(prompt)
}

/// The question about an incident; `None`: nothing of it is open, or there is no fact to say anything of.
#[must_use]
pub fn about_incident(incident: &Incident) -> Option<Prompt> {
    let analysis = incident.analysis.as_ref()?;
    let open = incident.members.iter().filter(|member| member.is_open());
    let mut ill: Vec<Ill> = (open.clone())
        .map(|member| Ill {
            name: member.name.clone(),
            kind: member.kind.clone(),
            status: member.status,
            summary: member.condition.summary.clone(),
        })
        .collect();
    ill.sort_by_key(|one| std::cmp::Reverse(one.status));
    let since = open.map(|member| member.since).min()?;
    worth_asking(prompt(&Subject {
        ill: &ill,
        since,
        analysis,
    }))
}

/// The question about a report; `None`: there is no fact to say anything of.
#[must_use]
pub fn about_report(report: &Report) -> Option<Prompt> {
    let not_well = report
        .targets
        .iter()
        .filter(|target| target.status != Status::Green);
    let ill: Vec<Ill> = (not_well.clone())
        .map(|target| Ill {
            name: target.name.clone(),
            kind: target.kind.clone(),
            status: target.status,
            summary: target.summary.clone(),
        })
        .collect();
    let since = not_well
        .map(|target| target.since)
        .min()
        .unwrap_or(report.round.started_at);
    let nothing = Analysis::nothing(report.round.started_at);
    worth_asking(prompt(&Subject {
        ill: &ill,
        since,
        analysis: report.analysis.as_ref().unwrap_or(&nothing),
    }))
}

/// Whether a report is to be explained.
#[must_use]
pub fn is_wanted(when: When, report: &Report) -> bool {
    match when {
        When::Never => false,
        When::Always => true,
        When::Problems => report.status != Status::Green,
        When::Changes => !report.changes.is_empty(),
    }
}

impl Pipeline {
    /// Those incidents are told now: a model is asked about the most severe.
    pub(super) fn ask_about(&mut self, incidents: &[IncidentId], now: Timestamp) {
        self.mark_outdated(incidents);
        if self.explaining.settings.is_none() {
            return;
        }
        let is_open = |id: &IncidentId| self.incidents.incident(*id).is_some();
        self.explaining.kept.calls.retain(|id, _| is_open(id));
        self.explaining.kept.worded.retain(|id, _| is_open(id));
        self.explaining.last.retain(|id, _| is_open(id));
        let mut wanted = 0;
        for &id in incidents {
            if wanted == MOST_AT_ONCE {
                break;
            }
            wanted += usize::from(self.explaining.line_up(id));
        }
        self.ask_next(now);
    }

    /// The words of those incidents say so where they are of another picture: in a new message, and at a prompt, they would
    /// pass for what is known now.
    pub(super) fn mark_outdated(&mut self, incidents: &[IncidentId]) {
        for &id in incidents {
            let Some(of) = self.explaining.kept.worded.get(&id) else {
                continue;
            };
            let incident = self.incidents.incident(id);
            let now = incident.and_then(about_incident);
            if now.is_none_or(|now| now.picture == *of) {
                continue;
            }
            // Whatever is about to be told of is asked about then; what turned into something else without that, now.
            let is_told_soon = incident.is_some_and(|incident| incident.notice.is_some());
            self.incidents.outdate_words(id);
            if !is_told_soon && self.explaining.settings.is_some() {
                self.explaining.line_up(id);
            }
        }
    }

    /// Open incidents that were being put into words when the daemon ended.
    pub(super) fn ask_again(&mut self) {
        if self.explaining.settings.is_none() {
            return;
        }
        let open = self.incidents.open(MOST_AT_ONCE).into_iter();
        for (id, _) in open {
            let incident = self.incidents.incident(id);
            let analysis = incident.and_then(|incident| incident.analysis.as_ref());
            let was_asked = self.explaining.kept.calls.contains_key(&id);
            let has_none =
                analysis.is_some_and(|it| it.explanation.is_none() && it.unexplained.is_none());
            if was_asked && has_none {
                self.explaining.line_up(id);
            }
        }
    }

    /// Asks the next question, if none is under way: those that nobody needs any more are left out.
    pub(super) fn ask_next(&mut self, now: Timestamp) {
        while !self.explaining.is_asking {
            match self.explaining.waiting.pop_front() {
                Some(Waiting::Incident(id)) => self.ask_about_incident(id, now),
                Some(Waiting::Report { round, prompt }) => self.ask_about_round(round, prompt),
                None => return,
            }
        }
    }

    fn ask_about_incident(&mut self, id: IncidentId, now: Timestamp) {
        let Some(incident) = self.incidents.incident(id) else {
            return;
        };
        let Some(prompt) = about_incident(incident) else {
            return;
        };
        if let Some(known) = self.explaining.known(&prompt.picture) {
            let words = incident.analysis.as_ref();
            let words = words.and_then(|analysis| analysis.explanation.as_ref());
            let has_them = words.is_some_and(|words| words.at == known.at && !words.outdated);
            if !has_them {
                self.put_into_words(id, prompt.picture, known, now);
            }
            return;
        }
        if self.explaining.is_new(id, &prompt.picture) && !self.explaining.is_used_up(id) {
            self.explaining.ask(About::Incident(id), prompt);
            self.keep_what_was_asked();
        }
    }

    fn ask_about_round(&mut self, round: String, prompt: Prompt) {
        let is_newest = self.explaining.last_report.as_ref() == Some(&round);
        let when = self.explaining.settings.as_ref().map(|it| it.when);
        let is_over = self.overview.not_green == 0 && when == Some(When::Problems);
        if !is_newest || is_over {
            return;
        }
        if let Some(known) = self.explaining.known(&prompt.picture) {
            self.incidents.mailroom().follow(&known);
            return;
        }
        self.explaining.ask(About::Round(round), prompt);
    }

    fn put_into_words(
        &mut self,
        id: IncidentId,
        picture: String,
        words: Explanation,
        now: Timestamp,
    ) {
        self.explaining.kept.worded.insert(id, picture);
        self.incidents.put_into_words(id, Ok(words), now);
        self.keep_what_was_asked();
    }

    fn keep_what_was_asked(&self) {
        if let Ok(json) = serde_json::to_string(&self.explaining.kept) {
            // A refusal is counted by the store itself.
            let _kept: bool = self.store.note(ASKED, json);
        }
    }

    /// A report was made: what is known of its picture stands in it, else a model is asked.
    pub(super) fn explain_report(&mut self, report: &mut Report, now: Timestamp) {
        self.explaining.last_report = Some(report.round.id.clone());
        let Some(settings) = &self.explaining.settings else {
            return;
        };
        if !is_wanted(settings.when, report) {
            return;
        }
        let Some(prompt) = about_report(report) else {
            return;
        };
        if let Some(known) = self.explaining.known(&prompt.picture) {
            if let Some(analysis) = &mut report.analysis {
                analysis.explanation = Some(known);
            }
            return;
        }
        let round = report.round.id.clone();
        self.explaining
            .waiting
            .push_back(Waiting::Report { round, prompt });
        self.ask_next(now);
    }

    /// What a model said.
    pub(super) fn take_words(&mut self, told: Told) {
        let now = self.clock.now();
        self.explaining.is_asking = false;
        if let Ok(explanation) = &told.outcome {
            (self.explaining).remember(told.picture.clone(), explanation.clone());
        }
        if let Err(NotExplained::NotPaid { why, day }) = &told.outcome {
            self.say_spent(why.clone(), day);
        }
        match (told.about, told.outcome) {
            (About::Incident(id), Ok(mut explanation)) => {
                let asked_now = self.incidents.incident(id).and_then(about_incident);
                explanation.outdated = asked_now.is_some_and(|now| now.picture != told.picture);
                self.put_into_words(id, told.picture, explanation, now);
            }
            (About::Incident(id), Err(why)) => {
                self.incidents.put_into_words(id, Err(why.to_string()), now);
            }
            (About::Round(round), Ok(explanation)) => {
                if self.explaining.last_report == Some(round) {
                    self.incidents.mailroom().follow(&explanation);
                }
            }
            // The log has it, and the next report asks again.
            (About::Round(_), Err(_)) => {}
        }
        self.ask_next(now);
    }

    /// Once in a day of the budget: more would be noise about noise.
    fn say_spent(&mut self, why: String, day: &str) {
        let said = &mut self.explaining.kept.said_spent_on;
        if said.as_deref() == Some(day) {
            return;
        }
        *said = Some(day.to_owned());
        self.keep_what_was_asked();
        self.incidents.mailroom().note(&SelfNote {
            about: "analysis.spent".to_owned(),
            title: "incidents are not put into words today".to_owned(),
            tone: Status::Unknown,
            lines: vec![
                why,
                "likely causes are found as ever; `roundsman budget` shows what was spent"
                    .to_owned(),
            ],
            rings: true,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn nobody_is_paid_for_a_question_without_facts() {
        let about = |facts: &[(&str, &str)]| Prompt {
            system: "",
            text: String::new(),
            facts: (facts.iter())
                .map(|(id, text)| ((*id).to_owned(), (*text).to_owned()))
                .collect::<BTreeMap<_, _>>(),
            names: Vec::new(),
            picture: String::new(),
        };
        assert_eq!(worth_asking(about(&[])), None);
        assert!(worth_asking(about(&[("E01", "shop fails since 09:54: 500")])).is_some());
    }

    #[test]
    fn what_must_outlast_a_restart_does() {
        let explaining = || Explaining::new(None, mpsc::channel(1).0);
        let mut before = explaining();
        before.kept.calls.insert(7, 3);
        before.kept.worded.insert(7, "a picture".to_owned());
        before.kept.said_spent_on = Some("2026-11-29".to_owned());
        let json = serde_json::to_string(&before.kept).expect("JSON");
        let mut after = explaining();
        after.restore(&json);
        assert_eq!(after.kept, before.kept);
        after.restore("{");
        assert_eq!(after.kept, Kept::default());
    }
}
