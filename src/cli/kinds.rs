use serde_json::json;

use super::Session;
use super::arguments::KindsFormat;
use super::exit::Exit;
use crate::collectors::{KINDS, reference};

/// Lists what can be watched, with metrics and units.
pub(super) fn run(session: &Session, format: KindsFormat) -> Exit {
    let text = match format {
        KindsFormat::Text => text(),
        KindsFormat::Markdown => reference::kinds_markdown(),
        KindsFormat::Json => json(),
    };
    session.terminal.print(&text, Exit::Well)
}

fn text() -> String {
    let mut text = String::new();
    for kind in KINDS {
        let spec = &kind.spec;
        text.push_str(&format!("{}: {}; {}\n", spec.key, spec.title, spec.how));
        for metric in spec.metrics {
            let unit = match metric.subject {
                Some(subject) => format!("{} per {subject}", metric.unit.word()),
                None => metric.unit.word().to_owned(),
            };
            let line = format!("  {:<26} {unit:<20} {}\n", metric.name, metric.meaning);
            text.push_str(&line);
        }
    }
    text
}

fn json() -> String {
    let kinds: Vec<_> = KINDS
        .iter()
        .map(|kind| {
            let metrics: Vec<_> = (kind.spec.metrics.iter())
                .map(|metric| {
                    json!({
                        "name": metric.name,
                        "unit": metric.unit.word(),
                        "subject": metric.subject,
                        "meaning": metric.meaning,
                    })
                })
                .collect();
            json!({
                "kind": kind.spec.key,
                "title": kind.spec.title,
                "how": kind.spec.how,
                "built": kind.spec.built,
                "metrics": metrics,
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Array(kinds))
}
