use std::collections::HashMap;

use serde_json::json;

use super::arguments::{History as Asked, HistoryFormat};
use super::exit::Exit;
use super::orders::{Place, none_where_gone};
use super::{Session, backup};
use crate::analysis::baseline::{self, Usual};
use crate::clock::{Clock, SystemClock};
use crate::collectors::{self, KINDS};
use crate::model::{Status, TargetId, Timestamp};
use crate::problem::nearest;
use crate::render::history::{PARTS, table};
use crate::store::{self, History, Span};

/// Shows what was seen of a target.
pub(super) fn run(session: &Session, asked: &Asked) -> Exit {
    let place = match Place::find(session) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let folder = place.folder();
    let known = match none_where_gone(store::targets(folder)) {
        Ok(Some(known)) => known,
        Ok(None) => return place.not_without_store(session),
        Err(trouble) => return backup::refused(session, &trouble),
    };
    let id = match find(&asked.target, &known) {
        Ok(id) => id,
        Err(message) => {
            session.terminal.complain(&message);
            return Exit::Usage;
        }
    };
    if let Some(metric) = &asked.metric
        && collectors::kind(id.kind).is_some_and(|kind| kind.spec.metric(metric).is_none())
    {
        let names = collectors::kind(id.kind)
            .into_iter()
            .flat_map(|kind| kind.spec.metrics);
        let near = nearest(metric, names.map(|metric| metric.name));
        let hint = near.map_or_else(
            || "`roundsman kinds` lists them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let said = format!("{} have no metric `{metric}`\n  hint: {hint}", id.kind);
        session.terminal.complain(&said);
        return Exit::Usage;
    }
    let to = SystemClock.now();
    let since = chrono::TimeDelta::from_std(asked.since).unwrap_or(chrono::TimeDelta::MAX);
    let span = Span {
        from: to.checked_sub_signed(since).unwrap_or_default(),
        to,
        buckets: PARTS,
    };
    let found = match store::history(folder, &id, asked.metric.as_deref(), span) {
        Ok(found) => found.unwrap_or_default(),
        Err(trouble) => return backup::refused(session, &trouble),
    };
    let text = match asked.format {
        HistoryFormat::Table => table(&told(&id, &found, span), super::run_once::style(session)),
        HistoryFormat::Json => as_json(&id, &found, span),
    };
    session.terminal.print(&text, Exit::Well)
}

/// The target of that name among those that the store knows.
fn find(wanted: &str, known: &[(String, String)]) -> Result<TargetId, String> {
    let full = |(kind, name): &(String, String)| format!("{kind}/{name}");
    let matching: Vec<_> = (known.iter())
        .filter(|one| one.1 == wanted || full(one) == wanted)
        .collect();
    match matching[..] {
        [(kind, name)] => {
            let kind = KINDS.iter().find(|known| known.spec.key == kind);
            let kind =
                kind.ok_or_else(|| format!("this build does not know the kind of `{wanted}`"))?;
            Ok(TargetId {
                kind: kind.spec.key,
                name: name.as_str().into(),
            })
        }
        [] => {
            let names: Vec<String> = (known.iter())
                .flat_map(|one| [one.1.clone(), full(one)])
                .collect();
            let near = nearest(wanted, names.iter().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "nothing was kept yet: the daemon does that".to_owned(),
                None => "`roundsman graph` shows the names".to_owned(),
            };
            Err(format!(
                "nothing is known of a target `{wanted}`\n  hint: {hint}"
            ))
        }
        _ => {
            let all: Vec<String> = matching.iter().map(|one| full(one)).collect();
            Err(format!(
                "`{wanted}` is the name of several targets\n  hint: write one of {}",
                all.join(", ")
            ))
        }
    }
}

/// What is usual at a time for each metric and subject of which enough was seen.
fn usual_of(found: &History, at: Timestamp) -> HashMap<(&str, Option<&str>), Usual> {
    let kept = baseline::read(found.baselines.as_deref().unwrap_or_default());
    let usual = kept.filter_map(|(metric, subject, baseline)| {
        let usual = baseline.usual(at)?;
        Some(((metric, subject), usual))
    });
    usual.collect()
}

/// The history as the renderer takes it, which knows no store.
fn told(id: &TargetId, found: &History, span: Span) -> crate::render::history::Told {
    use crate::render::history::{ToldChange, ToldSeries};
    let unit = |metric: &str| {
        let spec = collectors::kind(id.kind)?.spec.metric(metric)?;
        Some(spec.unit)
    };
    let usual = usual_of(found, span.to);
    crate::render::history::Told {
        name: id.to_string(),
        state: found.state.clone(),
        from: span.from,
        to: span.to,
        looks: found.looks,
        changes: (found.changes.iter())
            .map(|change| ToldChange {
                at: change.at,
                from: change.from,
                to: change.to,
                summary: change.summary.clone(),
            })
            .collect(),
        series: (found.series.iter())
            .map(|series| ToldSeries {
                metric: series.metric.clone(),
                subject: series.subject.clone(),
                unit: unit(&series.metric),
                least: series.least,
                mean: series.mean,
                most: series.most,
                parts: (series.buckets.iter())
                    .map(|bucket| bucket.map(|bucket| bucket.mean))
                    .collect(),
                usual: (usual.get(&(&*series.metric, series.subject.as_deref())))
                    .map(|usual| (usual.centre, usual.spread)),
            })
            .collect(),
    }
}

fn as_json(id: &TargetId, found: &History, span: Span) -> String {
    let second = |at: Timestamp| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let [green, unknown, yellow, red] = found.looks;
    let word = |status: Option<Status>| status.map(Status::word);
    let changes: Vec<_> = (found.changes.iter())
        .map(|change| {
            json!({"at": second(change.at), "from": word(change.from), "to": word(change.to), "summary": change.summary})
        })
        .collect();
    let usual = usual_of(found, span.to);
    let series: Vec<_> = (found.series.iter())
        .map(|series| {
            let usual = usual.get(&(&*series.metric, series.subject.as_deref()));
            let usual = usual.map(|usual| {
                json!({"centre": usual.centre, "spread": usual.spread, "looks": usual.count})
            });
            let buckets: Vec<_> = (series.buckets.iter())
                .map(|bucket| bucket.map(|bucket| json!({"min": bucket.least, "mean": bucket.mean, "max": bucket.most})))
                .collect();
            json!({"metric": series.metric, "subject": series.subject, "count": series.count, "min": series.least,
                "mean": series.mean, "max": series.most, "usual": usual, "buckets": buckets})
        })
        .collect();
    let whole = json!({
        "schema": 1, "kind": id.kind, "name": &*id.name, "from": second(span.from), "to": second(span.to),
        "state": found.state, "looks": {"green": green, "yellow": yellow, "red": red, "unknown": unknown},
        "changes": changes, "series": series,
    });
    format!("{whole:#}\n")
}
