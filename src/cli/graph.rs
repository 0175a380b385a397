use super::Session;
use super::exit::Exit;
use crate::config::Plan;
use crate::render::mermaid::{Graph, GraphKind, GraphReporter, GraphTarget, mermaid};
use crate::schedule::Timetable;

/// Prints the pipeline as a Mermaid diagram.
pub(super) fn run(session: &Session) -> Exit {
    match session.plan() {
        Ok(plan) => session.terminal.print(&mermaid(&drawn(&plan)), Exit::Well),
        Err(exit) => exit,
    }
}

fn drawn(plan: &Plan) -> Graph {
    let mut kinds: Vec<(&str, GraphKind)> = Vec::new();
    for watched in &plan.watched {
        let spec = &watched.kind.spec;
        let target = GraphTarget {
            name: watched.target.id.name.to_string(),
            critical: watched.target.common.critical,
        };
        if let Some((_, kind)) = kinds.iter_mut().find(|(key, _)| *key == spec.key) {
            kind.targets.push(target);
        } else {
            let title = spec.title.to_owned();
            let targets = vec![target];
            kinds.push((spec.key, GraphKind { title, targets }));
        }
    }
    let configured = plan.reporters.iter().map(|planned| GraphReporter {
        name: planned.name.clone(),
        kind: planned.kind.spec.key.to_owned(),
    });
    let terminal = GraphReporter {
        name: "terminal".to_owned(),
        kind: "terminal".to_owned(),
    };
    Graph {
        schedule: in_words(&plan.monitoring.timetable),
        kinds: kinds.into_iter().map(|(_, kind)| kind).collect(),
        reporters: std::iter::once(terminal).chain(configured).collect(),
    }
}

/// When rounds begin, in words.
pub(super) fn in_words(timetable: &Timetable) -> String {
    match timetable {
        Timetable::Every(every) => format!("every {}", humantime::format_duration(*every)),
        Timetable::Cron(cron, zone) => format!("{} ({cron}, {zone})", cron.in_words()),
    }
}
