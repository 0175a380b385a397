use super::Session;
use super::exit::Exit;
use super::run_once::runtime;
use crate::app::App;
use crate::config::{Plan, Watched};
use crate::model::{Measurement, Observation, Verdict};
use crate::problem::nearest;
use crate::render::escape::plain;
use crate::rules::{Rules, Side, judge};

/// Looks at one target and shows everything: what was seen, which limits hold and where each came from, and why it
/// got its status.
pub(super) fn run(session: &Session, wanted: &str) -> Exit {
    let plan = match session.plan() {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    let watched = match find(&plan, wanted) {
        Ok(watched) => watched,
        Err(message) => {
            session.terminal.complain(&message);
            return Exit::Usage;
        }
    };
    let observation = match runtime() {
        Ok(runtime) => {
            let app = App::new(std::slice::from_ref(watched), &plan);
            let observation = runtime.block_on(app.look(watched));
            runtime.shutdown_background();
            observation
        }
        Err(error) => {
            session
                .terminal
                .complain(&format!("the look cannot start: {error}"));
            return Exit::Software;
        }
    };
    let verdict = judge(&watched.rules, None, &observation);
    let said = tell(watched, &observation, &verdict);
    session.terminal.print(&said, Exit::Worst(verdict.status))
}

fn find<'a>(plan: &'a Plan, wanted: &str) -> Result<&'a Watched, String> {
    let is_meant = |one: &&Watched| {
        let id = &one.target.id;
        *id.name == *wanted || id.to_string() == wanted
    };
    let found: Vec<&Watched> = plan.watched.iter().filter(is_meant).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let names = plan.watched.iter().map(|one| &*one.target.id.name);
            let hint = nearest(wanted, names).map_or_else(
                || "`roundsman graph` shows all names".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            Err(format!("there is no target `{wanted}`\n  hint: {hint}"))
        }
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|one| format!("`{}`", one.target.id))
                .collect();
            Err(format!(
                "`{wanted}` could be {}\n  hint: write the kind too",
                ids.join(" or ")
            ))
        }
    }
}

fn tell(watched: &Watched, observation: &Observation, verdict: &Verdict) -> String {
    let target = &watched.target;
    let mut text = format!("{}: {}\n", plain(&target.id.to_string()), verdict.status);
    let mut line = |indent: usize, words: &str| {
        text.push_str(&format!("{:indent$}{}\n", "", plain(words)));
    };
    let place = watched
        .location
        .as_ref()
        .map_or_else(String::new, ToString::to_string);
    let from = watched.timeout_from.to_string();
    line(2, &format!("configured at {place}"));
    line(
        2,
        &format!("time-out {} ms ({from})", target.common.timeout.as_millis()),
    );
    let critical = if target.common.critical {
        "critical"
    } else {
        "not critical"
    };
    line(
        2,
        &format!(
            "{critical}; the look took {} ms",
            observation.took.as_millis()
        ),
    );

    line(0, "");
    line(0, "why:");
    if let Err(failure) = &observation.outcome {
        let status = failure.status();
        line(
            2,
            &format!("{status}: {} ({})", failure.message, failure.kind),
        );
        if let Some(hint) = &failure.hint {
            line(4, &format!("hint: {hint}"));
        }
    }
    for finding in &verdict.findings {
        let subject = of(finding.subject.as_deref());
        let why = match (&finding.value, &finding.limit, &finding.message) {
            (Some(value), Some(limit), None) => format!("is {value}, the limit is {limit}"),
            (Some(value), Some(limit), Some(message)) if limit.is_crossed_by(value) => {
                format!("is {value}, the limit is {limit} ({message})")
            }
            (Some(value), Some(_), Some(message)) => format!("is {value} and {message}"),
            (_, _, Some(message)) => format!("could not be measured: {message}"),
            _ => "could not be measured".to_owned(),
        };
        line(
            2,
            &format!("{}: {}{subject} {why}", finding.status, finding.metric),
        );
        let mut gaps = observation.reading().gaps.iter();
        let gap = gaps.find(|gap| gap.metric == finding.metric && gap.subject == finding.subject);
        if let (None, Some(hint)) = (&finding.value, gap.and_then(|gap| gap.hint.as_ref())) {
            line(4, &format!("hint: {hint}"));
        }
    }
    if observation.outcome.is_ok() && verdict.findings.is_empty() {
        line(2, "GREEN: nothing measured lies beyond its limits");
    }

    let reading = observation.reading();
    line(0, "");
    line(0, "measured, with the limits that hold:");
    for measurement in &reading.measurements {
        line(2, &measured(measurement, &watched.rules));
    }
    let unseen = watched.kind.spec.metrics.iter().filter(|metric| {
        !reading
            .measurements
            .iter()
            .any(|seen| seen.metric == metric.name)
    });
    for metric in unseen {
        line(
            2,
            &format!(
                "{}: not measured{}",
                metric.name,
                limits(&watched.rules, metric.name, None)
            ),
        );
    }
    if !reading.facts.is_empty() {
        line(0, "");
        line(0, "also seen:");
    }
    for fact in &reading.facts {
        line(2, &format!("{}: {}", fact.name, fact.value));
    }
    text
}

fn of(subject: Option<&str>) -> String {
    subject.map_or_else(String::new, |subject| format!(" of {subject}"))
}

fn measured(seen: &Measurement, rules: &Rules) -> String {
    let subject = of(seen.subject.as_deref());
    let unit = seen.unit.suffix();
    let limits = limits(rules, seen.metric, seen.subject.as_deref());
    format!("{}{subject}: {}{unit}{limits}", seen.metric, seen.value)
}

/// The limits that hold, each with where it came from.
fn limits(rules: &Rules, metric: &str, subject: Option<&str>) -> String {
    let effective = rules.effective(metric, subject);
    let side = |word: &str, side: Option<Side<'_>>| {
        side.map(|side| format!("{word} {} ({})", side.limit, side.origin))
    };
    let sides = [
        side("YELLOW", effective.yellow),
        side("RED", effective.red),
        side("clear", effective.clear),
    ];
    let sides: Vec<String> = sides.into_iter().flatten().collect();
    if sides.is_empty() {
        String::new()
    } else {
        format!("; {}", sides.join(", "))
    }
}
