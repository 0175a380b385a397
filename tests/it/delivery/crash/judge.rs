//! What people were told, compared with what happened.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use roundsman::model::{EventKind, Incident, IncidentId, Timestamp};

use super::LOUD;
use super::chat::Done;
use super::hook::Accepted;
use super::world::Answer;

/// From the end of a target's answer to the commit of what came of it, on a machine that is busy.
const COMMITTING: Duration = Duration::from_secs(1);

/// From the end of a channel's answer to the commit that it has the message.
const TAKING_NOTE: Duration = Duration::from_millis(500);

/// The store knows the newest fifty events of an incident.
const MOST_EVENTS: usize = 50;

/// Everything that is known from outside.
#[derive(Debug)]
pub(super) struct Case {
    /// Those that the store knows.
    pub(super) incidents: Vec<Incident>,
    pub(super) posts: Vec<Accepted>,
    pub(super) calls: Vec<Done>,
    pub(super) answers: Vec<Answer>,
    /// When each life ended.
    pub(super) ends: Vec<Option<Instant>>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) faults: Vec<String>,
    pub(super) figures: String,
}

/// One thing that happened to an incident, as far as a message tells it, and the messages that did, in order.
type Event = (IncidentId, i64, EventKind, String);
type Told<'a> = HashMap<Event, Vec<&'a Accepted>>;

/// Why nobody but the receiver could know that it had accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// The daemon was dead before it could keep it.
    Kill,
    /// The connection was cut before the answer.
    Cut,
}

/// How many messages came again, and why.
#[derive(Debug, Default)]
struct Again {
    after_a_kill: usize,
    after_a_cut: usize,
    /// The longest from an answer to the kill that made the message come again.
    longest: Duration,
}

impl Case {
    pub(super) fn judge(&self) -> Verdict {
        let mut faults = Vec::new();
        let told = self.told();
        self.everything_was_told(&told, &mut faults);
        self.the_last_word_is_true(&mut faults);
        let again = self.messages_that_came_again(&mut faults);
        let renamed = Self::told_under_two_names(&told, &mut faults);
        let stretches = self.every_long_stretch_is_an_incident(&told, &mut faults);
        let anew = self.the_chat_was_told(&mut faults);
        let names: BTreeSet<&str> = self.posts.iter().map(|post| &*post.posted.id).collect();
        let figures = format!(
            "{} looks; {} incidents with {} events; {stretches} stretches of RED that had to be told\n\
             webhook: {} messages accepted, {} different; {} again after a kill (at most {:?} after the answer), {} again after a cut; \
             {renamed} events told again in a larger message\n\
             chat: {} calls done; {} incidents told anew instead of edited",
            self.answers.len(),
            self.incidents.len(),
            told.len(),
            self.posts.len(),
            names.len(),
            again.after_a_kill,
            again.longest,
            again.after_a_cut,
            self.calls.len(),
            anew,
        );
        Verdict { faults, figures }
    }

    /// Whether the daemon could not know that a message was accepted.
    fn doubt(&self, life: usize, accepted: Instant, answered: Option<Instant>) -> Option<Doubt> {
        let end = self.ends.get(life).copied().flatten();
        let known = answered.unwrap_or(accepted);
        let was_killed = end.is_some_and(|end| end.saturating_duration_since(known) < TAKING_NOTE);
        match answered {
            _ if was_killed => Some(Doubt::Kill),
            None => Some(Doubt::Cut),
            Some(_) => None,
        }
    }

    fn doubt_of(&self, post: &Accepted) -> Option<Doubt> {
        self.doubt(post.life, post.at, post.answered)
    }

    /// What the webhook's messages told, and by which of them, in order.
    fn told(&self) -> Told<'_> {
        let mut told = Told::new();
        for post in &self.posts {
            for report in post.posted.incidents() {
                for event in &report.events {
                    let target = event.target.clone().unwrap_or_default();
                    let key = (report.id, event.at.timestamp(), event.event, target);
                    told.entry(key).or_default().push(post);
                }
            }
        }
        told
    }

    fn everything_was_told(&self, told: &Told<'_>, faults: &mut Vec<String>) {
        for incident in &self.incidents {
            if incident.is_open() {
                faults.push(format!("#{} is not over", incident.id));
            }
            match (incident.told_at, incident.merged_into) {
                // Nobody heard of it before it became part of another, which tells of its targets.
                (None, Some(into)) => {
                    for member in &incident.members {
                        if !self.lists(into, &member.name) {
                            faults.push(format!(
                                "#{} became part of #{into}, which never told of {}",
                                incident.id, member.name
                            ));
                        }
                    }
                    continue;
                }
                (None, None) => faults.push(format!("#{} was never told", incident.id)),
                (Some(_), _) => {}
            }
            for event in &incident.events {
                let key = (
                    incident.id,
                    event.at.timestamp(),
                    event.kind,
                    event.name.clone(),
                );
                if !told.contains_key(&key) {
                    faults.push(format!("lost: {key:?}"));
                }
            }
        }
        for event in told.keys() {
            let (id, at, kind, name) = event;
            let known = self.incidents.iter().find(|incident| incident.id == *id);
            let is_kept = known.is_some_and(|incident| {
                let mut events = incident.events.iter();
                incident.events.len() >= MOST_EVENTS
                    || events
                        .any(|one| (one.at.timestamp(), one.kind, &one.name) == (*at, *kind, name))
            });
            if !is_kept {
                faults.push(format!(
                    "{event:?} was told, and the store does not know it"
                ));
            }
        }
    }

    /// Whether a message about an incident names a target.
    fn lists(&self, incident: IncidentId, name: &str) -> bool {
        let mut reports = (self.posts.iter()).flat_map(|post| post.posted.incidents());
        reports.any(|report| {
            report.id == incident && report.targets.iter().any(|target| target.name == name)
        })
    }

    /// Whatever was told of an incident last is that it is over.
    fn the_last_word_is_true(&self, faults: &mut Vec<String>) {
        let mut last = BTreeMap::new();
        for post in &self.posts {
            for report in post.posted.incidents() {
                last.insert(report.id, (post, report));
            }
        }
        for (id, (post, report)) in last {
            if report.state.is_open() {
                faults.push(format!(
                    "the last that was told of #{id}, by {}, is that it is {:?}",
                    post.posted.id, report.state
                ));
            }
        }
    }

    fn messages_that_came_again(&self, faults: &mut Vec<String>) -> Again {
        let mut again = Again::default();
        let mut by_name: BTreeMap<&str, Vec<&Accepted>> = BTreeMap::new();
        for post in &self.posts {
            by_name.entry(&post.posted.id).or_default().push(post);
        }
        for (name, mut posts) in by_name {
            // A slow receiver may accept what a dead daemon sent after what the next one sent.
            posts.sort_by_key(|post| post.life);
            for pair in posts.windows(2) {
                let (before, post) = (pair[0], pair[1]);
                match self.doubt_of(before) {
                    Some(Doubt::Kill) => {
                        again.after_a_kill += 1;
                        let end = self.ends.get(before.life).copied().flatten();
                        let known = end.zip(before.answered);
                        let late = known.map(|(end, at)| end.saturating_duration_since(at));
                        again.longest = again.longest.max(late.unwrap_or_default());
                    }
                    Some(Doubt::Cut) => again.after_a_cut += 1,
                    None => faults.push(format!("{name} was sent twice")),
                }
                let events = |post: &Accepted| -> Vec<_> {
                    let reports = post.posted.incidents();
                    reports
                        .map(|report| (report.id, report.events.clone()))
                        .collect()
                };
                if events(before) != events(post) || before.posted.report != post.posted.report {
                    faults.push(format!("{name} says two different things"));
                }
            }
        }
        again
    }

    /// An event is told by one message, which may come twice; by another only where the first was not answered, and was taken
    /// for failed. A kill is no excuse: what was under way keeps its name.
    fn told_under_two_names(told: &Told<'_>, faults: &mut Vec<String>) -> usize {
        let mut renamed = 0;
        for (event, posts) in told {
            let mut posts = posts.clone();
            posts.sort_by_key(|post| post.life);
            for pair in posts.windows(2) {
                if pair[0].posted.id == pair[1].posted.id {
                    continue;
                }
                renamed += 1;
                let ids = (&pair[0].posted.id, &pair[1].posted.id);
                let mut same = (posts.iter()).filter(|post| post.posted.id == pair[0].posted.id);
                if same.all(|post| post.answered.is_some()) {
                    faults.push(format!("{event:?} was told by {ids:?}"));
                }
            }
        }
        renamed
    }

    /// Two RED answers in a row that a daemon had the time to keep are an incident.
    fn every_long_stretch_is_an_incident(
        &self,
        told: &Told<'_>,
        faults: &mut Vec<String>,
    ) -> usize {
        let mut by_target: BTreeMap<&str, Vec<&Answer>> = BTreeMap::new();
        for answer in &self.answers {
            by_target.entry(&answer.target).or_default().push(answer);
        }
        let mut judged = 0;
        for (target, answers) in by_target {
            let open = self.when_open(target, told);
            for stretch in answers.chunk_by(|one, other| one.red == other.red) {
                let mut kept =
                    (stretch.iter()).filter(|answer| answer.red && self.was_kept(answer));
                let (Some(first), Some(second)) = (kept.next(), kept.next()) else {
                    continue;
                };
                judged += 1;
                let second_more = TimeDelta::seconds(1);
                let (from, until) = (first.at - second_more, second.at + second_more * 2);
                if !open
                    .iter()
                    .any(|(begin, end)| *begin <= until && *end >= from)
                {
                    faults.push(format!(
                        "{target} was RED at {} and {}, and that is no incident",
                        first.at, second.at
                    ));
                }
            }
        }
        judged
    }

    fn was_kept(&self, answer: &Answer) -> bool {
        let end = self.ends.get(answer.life).copied().flatten();
        end.is_none_or(|end| end.saturating_duration_since(answer.instant) > COMMITTING)
    }

    /// From when to when a target's problem was open.
    fn when_open(&self, target: &str, told: &Told<'_>) -> Vec<(Timestamp, Timestamp)> {
        let kept = self.incidents.iter().flat_map(|one| &one.events);
        let kept = kept.map(|event| (event.at.timestamp(), event.kind, &event.name));
        let told = told.keys().map(|(_, at, kind, name)| (*at, *kind, name));
        let all: Vec<_> = kept
            .chain(told)
            .filter(|(.., name)| *name == target)
            .collect();
        let times = |wanted: EventKind| {
            let times = all.iter().filter(move |(_, kind, _)| *kind == wanted);
            times.map(|(at, ..)| *at)
        };
        let time = |at: i64| Timestamp::from_timestamp(at, 0).expect("a time");
        times(EventKind::Opened)
            .map(|begin| {
                let end = times(EventKind::Resolved).filter(|end| *end >= begin).min();
                (time(begin), end.map_or(Timestamp::MAX_UTC, time))
            })
            .collect()
    }

    /// Every incident that concerns the chat was told there to its end. Gives how often one began anew.
    fn the_chat_was_told(&self, faults: &mut Vec<String>) -> usize {
        let mut anew = 0;
        for incident in &self.incidents {
            let is_loud = incident
                .members
                .iter()
                .any(|one| one.name.starts_with(LOUD));
            if !is_loud || incident.told_at.is_none() {
                continue;
            }
            let mark = format!("#{}, ", incident.id);
            let about = |done: &&Done| done.text.contains(&mark);
            let own: Vec<&Done> = self.calls.iter().filter(about).collect();
            let many = |done: &Done| {
                done.text.contains("incidents are") || done.text.contains("incident is")
            };
            let Some(last) = self
                .calls
                .iter()
                .rposition(|done| about(&done) || many(done))
            else {
                faults.push(format!("the chat never heard of #{}", incident.id));
                continue;
            };
            let word = self.calls[last].text.as_str();
            let is_over = ["[RESOLVED]", "[MERGED]"]
                .iter()
                .any(|end| word.contains(end));
            if about(&&self.calls[last]) && !is_over {
                faults.push(format!(
                    "the last that the chat heard of #{}: {word}",
                    incident.id
                ));
            }
            for (index, done) in own.iter().enumerate().skip(1) {
                if done.method != "sendmessage" {
                    continue;
                }
                anew += 1;
                let unsure = (own[..index].iter())
                    .any(|done| self.doubt(done.life, done.at, done.answered).is_some());
                if !unsure {
                    faults.push(format!(
                        "#{} was sent to the chat anew, although its first message is known",
                        incident.id
                    ));
                }
            }
        }
        anew
    }
}
