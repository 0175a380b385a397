//! What a look gave, without secrets. All that is collected comes through here before anybody else has it: the rules, the
//! memory, reports, the log, and whoever explains the cause.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::model::{Failure, Found, Reading, Value};
use crate::redaction::Redactor;

/// Without the secrets of the configuration, which stand in addresses that collectors speak of, and without those that
/// somebody wrote into what was collected.
pub(super) fn redacted(
    outcome: Result<Reading, Failure>,
    redactor: &Redactor,
) -> Result<Reading, Failure> {
    match outcome {
        Ok(reading) => Ok(clean(reading, redactor)),
        Err(mut failure) => {
            *failure.seen = clean(*failure.seen, redactor);
            redactor.redact_in_place(&mut failure.message);
            redact_hint(&mut failure.hint, redactor);
            Err(failure)
        }
    }
}

fn redact_hint(hint: &mut Option<String>, redactor: &Redactor) {
    if let Some(hint) = hint {
        redactor.redact_in_place(hint);
    }
}

fn clean(mut reading: Reading, redactor: &Redactor) -> Reading {
    rename_subjects(&mut reading, redactor);
    for measurement in &mut reading.measurements {
        if let Value::State(Cow::Owned(state)) = &mut measurement.value {
            redactor.redact_in_place(state);
        }
    }
    for fact in &mut reading.facts {
        redactor.redact_in_place(&mut fact.value);
    }
    for note in &mut reading.notes {
        redactor.redact_in_place(&mut note.text);
    }
    for gap in &mut reading.gaps {
        redactor.redact_in_place(&mut gap.message);
        redact_hint(&mut gap.hint, redactor);
    }
    if let Some(found) = reading.found.take() {
        let names = unlike(found.iter().map(|one| one.name.as_str()), redactor);
        let cleaned = found.into_iter().map(|one| Found {
            name: names.get(&one.name).cloned().unwrap_or(one.name),
            outcome: redacted(one.outcome, redactor),
        });
        reading.found = Some(cleaned.collect());
    }
    reading
}

/// Subjects are names that others gave: containers, tables, mount points.
fn rename_subjects(reading: &mut Reading, redactor: &Redactor) {
    let measured = reading.measurements.iter().map(|one| &one.subject);
    let noted = reading.notes.iter().map(|one| &one.subject);
    let missing = reading.gaps.iter().map(|one| &one.subject);
    let all = measured.chain(noted).chain(missing);
    let names = unlike(all.flatten().map(String::as_str), redactor);
    if names.is_empty() {
        return;
    }
    let measured = reading.measurements.iter_mut().map(|one| &mut one.subject);
    let noted = reading.notes.iter_mut().map(|one| &mut one.subject);
    let missing = reading.gaps.iter_mut().map(|one| &mut one.subject);
    for subject in measured.chain(noted).chain(missing).flatten() {
        if let Some(name) = names.get(subject.as_str()) {
            subject.clone_from(name);
        }
    }
}

/// The names that hold a secret, each with what it is called instead. Two that differ in nothing else are numbered in
/// their order, because a history hangs on each.
fn unlike<'names>(
    names: impl Iterator<Item = &'names str>,
    redactor: &Redactor,
) -> HashMap<String, String> {
    let mut changed: Vec<(&str, String)> = Vec::new();
    let mut last = "";
    for name in names {
        // The metrics of one subject follow each other.
        if name == last {
            continue;
        }
        last = name;
        if let Cow::Owned(redacted) = redactor.redact_name(name) {
            changed.push((name, redacted));
        }
    }
    changed.sort();
    changed.dedup();
    let mut used: HashMap<String, usize> = HashMap::new();
    let renamed = changed.into_iter().map(|(name, redacted)| {
        let count = used.entry(redacted.clone()).or_default();
        *count += 1;
        let called = match *count {
            1 => redacted,
            count => format!("{redacted} {count}"),
        };
        (name.to_owned(), called)
    });
    renamed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FailureKind, Unit};

    const CANARY: &str = "hunter2-canary";

    /// A reading with a secret in each of its texts.
    fn talkative() -> Reading {
        let says = |what: &str| format!("{what} password={CANARY}");
        let mut reading = Reading::default();
        let subject = says("container");
        reading.number("restarts", Some(&subject), 1.0, Unit::Count);
        reading.state("state", Some(&subject), says("state"));
        reading.note("state", Some(&subject), says("note"));
        reading.fact("lock_waits", says("fact"));
        reading.gap("restarts", Some(&says("other")), Unit::Count, says("gap"));
        reading.gaps[0].hint = Some(says("hint"));
        reading
    }

    #[test]
    fn no_text_of_a_look_keeps_a_secret() {
        let mut reading = talkative();
        let failure = Failure::new(FailureKind::Denied, format!("token: {CANARY}"))
            .hint(format!("--password {CANARY}"))
            .seen(talkative());
        reading.found = Some(vec![Found {
            name: format!("password={CANARY}"),
            outcome: Err(failure.clone()),
        }]);
        let redactor = Redactor::default();
        for outcome in [Ok(reading), Err(failure)] {
            let told = format!("{:?}", redacted(outcome.clone(), &redactor));
            assert!(!told.contains(CANARY), "{told}");
            assert!(format!("{outcome:?}").contains(CANARY));
        }
        let cleaned = clean(talkative(), &redactor);
        let subject = cleaned.measurements[0].subject.as_deref();
        assert_eq!(subject, Some("container password=[redacted: password]"));
        assert!(cleaned.note_on("state", subject).is_some());
    }

    #[test]
    fn the_id_behind_a_name_stays() {
        let redactor = Redactor::default();
        let mut reading = Reading::default();
        let named = "auth-token:i-0123456789abcdef0";
        for name in [named, "db:password:3f4e5d6c7b8a", "password:hunter2"] {
            reading.number("restarts", Some(name), 1.0, Unit::Count);
        }
        let cleaned = clean(reading, &redactor);
        let mut subjects = cleaned.measurements.iter();
        let mut next = || subjects.next().and_then(|one| one.subject.as_deref());
        assert_eq!(next(), Some(named));
        assert_eq!(next(), Some("db:password:3f4e5d6c7b8a"));
        assert_eq!(next(), Some("password:[redacted: password]"));
    }

    #[test]
    fn what_differs_only_in_its_secret_stays_apart() {
        let redactor = Redactor::default();
        let mut reading = Reading::default();
        for name in ["pass=b1", "web", "pass=a1", "pass=b1"] {
            reading.number("restarts", Some(name), 1.0, Unit::Count);
        }
        let cleaned = clean(reading, &redactor);
        let subjects: Vec<_> = cleaned
            .measurements
            .iter()
            .map(|one| one.subject.as_deref().expect("a subject"))
            .collect();
        let second = "pass=[redacted: password] 2";
        assert_eq!(
            subjects,
            [second, "web", "pass=[redacted: password]", second]
        );
    }
}
