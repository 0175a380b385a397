//! What the monitor says of itself as soon as it is so, once, and again when it is over.

use std::path::PathBuf;

use chrono::TimeDelta;

use super::alerts::{alerts, network_alert};
use crate::delivery::SelfNote;
use crate::model::{Outage, SelfAlert, Status, Timestamp};
use crate::store::Health;

/// A store that is busy for a moment is not worth a message.
const SPOKEN_OF_AFTER: TimeDelta = TimeDelta::minutes(1);

/// What was said already.
#[derive(Debug, Default)]
pub(super) struct SelfWatch {
    trouble_since: Option<Timestamp>,
    is_trouble_told: bool,
    moved_aside: Option<PathBuf>,
    outage: Option<Outage>,
}

impl SelfWatch {
    /// What is new since the last time.
    pub(super) fn notes(
        &mut self,
        health: &Health,
        outage: Option<&Outage>,
        now: Timestamp,
    ) -> Vec<SelfNote> {
        let mut notes = Vec::new();
        notes.extend(self.store(health, now));
        notes.extend(self.network(outage));
        let moved = health.moved_aside.as_ref().map(|(_, file)| file);
        if moved != self.moved_aside.as_ref() {
            self.moved_aside = moved.cloned();
            let whole = Health {
                trouble: None,
                waiting: 0,
                lost: 0,
                moved_aside: health.moved_aside.clone(),
            };
            let told = alerts(&whole, now).into_iter();
            notes.extend(told.map(|alert| note("store damaged", Status::Red, alert)));
        }
        notes
    }

    fn store(&mut self, health: &Health, now: Timestamp) -> Option<SelfNote> {
        const ABOUT: &str = "store";
        if health.trouble.is_none() {
            self.trouble_since = None;
            return std::mem::take(&mut self.is_trouble_told).then(|| SelfNote {
                about: ABOUT.to_owned(),
                title: "the memory is back".to_owned(),
                tone: Status::Green,
                lines: vec!["what was seen meanwhile has been written".to_owned()],
                rings: true,
            });
        }
        let since = *self.trouble_since.get_or_insert(now);
        if self.is_trouble_told || now - since < SPOKEN_OF_AFTER {
            return None;
        }
        self.is_trouble_told = true;
        let alert = alerts(health, now).into_iter().next()?;
        Some(note(ABOUT, Status::Red, alert))
    }

    fn network(&mut self, outage: Option<&Outage>) -> Option<SelfNote> {
        let known = self.outage.as_ref();
        let is_new = known.map(|known| known.since) != outage.map(|outage| outage.since)
            || known.and_then(|known| known.until) != outage.and_then(|outage| outage.until);
        if !is_new {
            return None;
        }
        self.outage = outage.cloned();
        let outage = outage?;
        let tone = match outage.until {
            None => Status::Unknown,
            Some(_) => Status::Green,
        };
        Some(note("network", tone, network_alert(outage, outage.since)?))
    }
}

fn note(about: &str, tone: Status, alert: SelfAlert) -> SelfNote {
    SelfNote {
        about: about.to_owned(),
        title: alert.message,
        tone,
        lines: (alert.hint.into_iter())
            .map(|hint| format!("what to do: {hint}"))
            .collect(),
        rings: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Trouble, TroubleKind};

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minute)
    }

    fn titles(notes: &[SelfNote]) -> Vec<(String, Status)> {
        let told = notes.iter().map(|note| (note.title.clone(), note.tone));
        told.collect()
    }

    #[test]
    fn a_store_in_trouble_is_told_of_after_a_minute_and_when_it_is_over() {
        let mut watch = SelfWatch::default();
        let trouble = Some(Trouble::new(TroubleKind::Full, "the disk is full"));
        let ill = Health {
            trouble,
            ..Health::default()
        };
        assert_eq!(watch.notes(&ill, None, at(0)), []);
        let told = watch.notes(&ill, None, at(1));
        assert!(told[0].title.contains("the disk is full"), "{told:?}");
        assert_eq!(told[0].tone, Status::Red);
        assert_eq!(watch.notes(&ill, None, at(2)), []);
        let over = watch.notes(&Health::default(), None, at(3));
        assert_eq!(
            titles(&over),
            [("the memory is back".to_owned(), Status::Green)]
        );
        // One that is over before anybody was told is not spoken of.
        assert_eq!(watch.notes(&ill, None, at(4)), []);
        assert_eq!(watch.notes(&Health::default(), None, at(5)), []);
    }

    #[test]
    fn an_outage_is_told_at_its_beginning_and_at_its_end_once() {
        let mut watch = SelfWatch::default();
        let well = Health::default();
        let mut outage = Outage {
            since: at(0),
            until: None,
            proofs: vec!["the gateway is gone".to_owned()],
        };
        let began = watch.notes(&well, Some(&outage), at(0));
        assert_eq!(began.len(), 1);
        assert_eq!(began[0].tone, Status::Unknown);
        assert_eq!(watch.notes(&well, Some(&outage), at(1)), []);
        outage.until = Some(at(9));
        let over = watch.notes(&well, Some(&outage), at(9));
        assert_eq!(over.len(), 1);
        assert_eq!(
            (over[0].about.clone(), over[0].tone),
            (began[0].about.clone(), Status::Green)
        );
        assert_eq!(watch.notes(&well, Some(&outage), at(10)), []);
    }
}
