//! A kind that somebody adds is complete: in the list, with words for people, and with a sample that is true.

use std::collections::HashMap;
use std::sync::Arc;

use roundsman::collectors::{KINDS, Kind};
use roundsman::document::{LIMITS, Node, NodeValue, parse};
use roundsman::model::{KindSpec, MetricSpec, Unit};
use roundsman::problem::Severity;

use super::{assert_none, names_in};

/// What lies beside the collectors and is none.
const HELPERS: &[&str] = &["mod", "host", "not_built", "reference"];

/// Keys that every target takes (product specification §1); the configuration takes them before the kind reads.
const COMMON_KEYS: &[&str] = &[
    "name",
    "critical",
    "urgency",
    "every",
    "schedule",
    "timeout_ms",
    "thresholds",
    "rules",
    "labels",
    "depends_on",
    "runbook",
    "enabled",
];

/// How the name of a metric with that unit ends; nothing for units that are not part of a name.
fn endings(unit: Unit) -> &'static [&'static str] {
    match unit {
        Unit::Percent => &["_percent"],
        Unit::Milliseconds => &["_ms"],
        Unit::Seconds => &["_seconds"],
        Unit::Days => &["_days", "_days_left"],
        Unit::Bytes => &["_bytes"],
        Unit::UsDollars => &["_usd"],
        Unit::Count | Unit::Number | Unit::Flag | Unit::State => &[],
    }
}

const UNITS: &[Unit] = &[
    Unit::Percent,
    Unit::Milliseconds,
    Unit::Seconds,
    Unit::Days,
    Unit::Bytes,
    Unit::UsDollars,
];

/// What is wrong with the name of a metric.
fn wrong_name(metric: &MetricSpec) -> Option<String> {
    let ends_like = |unit: Unit| {
        endings(unit)
            .iter()
            .any(|ending| metric.name.ends_with(ending))
    };
    if !endings(metric.unit).is_empty() && !ends_like(metric.unit) {
        return Some(format!(
            "does not end in {}",
            endings(metric.unit).join(" or ")
        ));
    }
    let other = UNITS
        .iter()
        .find(|unit| **unit != metric.unit && ends_like(**unit))?;
    Some(format!(
        "is in {} and ends like one in {}",
        metric.unit.word(),
        other.word()
    ))
}

/// What is wrong with the words of a kind.
fn wrong_words(spec: &KindSpec) -> Vec<String> {
    let key = spec.key;
    let mut wrong = Vec::new();
    for (what, text) in [
        ("title", spec.title),
        ("how", spec.how),
        ("sample", spec.sample),
    ] {
        let needed = spec.built || what != "sample";
        if needed && text.trim().is_empty() {
            wrong.push(format!("{key}: its `{what}` is empty"));
        }
    }
    if spec.built && spec.metrics.is_empty() {
        wrong.push(format!("{key} declares no metric"));
    }
    if spec.default_timeout.is_zero() {
        wrong.push(format!("{key}: its time-out is zero"));
    }
    for (index, metric) in spec.metrics.iter().enumerate() {
        let name = metric.name;
        if metric.meaning.trim().is_empty() {
            wrong.push(format!("{key}.{name} says nothing of its meaning"));
        }
        if spec.metrics[..index]
            .iter()
            .any(|earlier| earlier.name == name)
        {
            wrong.push(format!("{key}.{name} is declared twice"));
        }
        wrong.extend(wrong_name(metric).map(|what| format!("{key}.{name} {what}")));
    }
    wrong
}

/// Metrics that mean different things in different kinds: one word per idea.
fn wrong_units<'a>(specs: impl Iterator<Item = &'a KindSpec>) -> Vec<String> {
    let mut first: HashMap<&str, (&str, Unit)> = HashMap::new();
    let mut wrong = Vec::new();
    for spec in specs {
        for metric in spec.metrics {
            let (key, unit) = *first.entry(metric.name).or_insert((spec.key, metric.unit));
            if unit != metric.unit {
                wrong.push(format!(
                    "{}.{} is in {}, but in {} in {key}",
                    spec.key,
                    metric.name,
                    metric.unit.word(),
                    unit.word()
                ));
            }
        }
    }
    wrong
}

/// Kinds without a file, files without a kind, and kinds that are listed twice.
fn wrong_list(names: &[String], specs: &[&KindSpec]) -> Vec<String> {
    let modules: Vec<&str> = (names.iter())
        .map(|name| name.trim_end_matches(".rs"))
        .filter(|name| !HELPERS.contains(name))
        .collect();
    let mut wrong = Vec::new();
    for module in &modules {
        if !specs.iter().any(|spec| spec.built && spec.key == *module) {
            wrong.push(format!(
                "src/collectors/{module} is not in KINDS under that key"
            ));
        }
    }
    for (index, spec) in specs.iter().enumerate() {
        if spec.built && !modules.contains(&spec.key) {
            wrong.push(format!(
                "{} has no file of its name in src/collectors",
                spec.key
            ));
        }
        if specs[..index].iter().any(|earlier| earlier.key == spec.key) {
            wrong.push(format!("{} is in KINDS twice", spec.key));
        }
    }
    wrong
}

/// The target without what every target takes.
fn own_keys(mut target: Node) -> Node {
    if let NodeValue::Mapping(entries) = &mut target.value {
        entries.retain(|entry| !COMMON_KEYS.contains(&entry.key.as_str()));
    }
    target
}

/// What is wrong with a kind's sample.
fn wrong_sample(kind: &Kind) -> Vec<String> {
    let key = kind.spec.key;
    let file: Arc<str> = format!("the sample of {key}").into();
    let mut problems = Vec::new();
    let tree = parse(&file, kind.spec.sample, LIMITS, &mut problems);
    if !problems.is_empty() {
        return problems.iter().map(ToString::to_string).collect();
    }
    let targets = tree.as_ref().map_or(&[][..], Node::items);
    if targets.is_empty() {
        return vec![format!("{file} is no list of targets")];
    }
    let mut wrong = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        match (kind.read)(&own_keys(target.clone()), &|_| None) {
            Err(error) => wrong.push(format!("{file}[{index}]: {error}")),
            Ok(settings) => {
                if (kind.default_name)(&settings).trim().is_empty() {
                    wrong.push(format!("{file}[{index}]: its default name is empty"));
                }
                // A warning is about what lies around: the files that a sample names are on nobody's disk.
                let problems = (kind.check)(&settings, &|_| None).into_iter();
                for problem in problems.filter(|one| one.severity == Severity::Error) {
                    wrong.push(format!(
                        "{file}[{index}].{}: {}",
                        problem.key, problem.message
                    ));
                }
                for rule in (kind.rules)(&settings) {
                    if kind.spec.metric(&rule.metric).is_none() {
                        wrong.push(format!(
                            "{key} ships a rule on `{}`, which it does not declare",
                            rule.metric
                        ));
                    }
                }
            }
        }
    }
    wrong
}

#[test]
fn every_file_is_a_kind_and_every_kind_has_a_file() {
    let specs: Vec<&KindSpec> = KINDS.iter().map(|kind| &kind.spec).collect();
    assert_none(
        "src/collectors and KINDS",
        &wrong_list(&names_in("src/collectors"), &specs),
    );
}

#[test]
fn every_kind_has_its_words() {
    let mut wrong: Vec<String> = KINDS
        .iter()
        .flat_map(|kind| wrong_words(&kind.spec))
        .collect();
    wrong.extend(wrong_units(KINDS.iter().map(|kind| &kind.spec)));
    assert_none("kinds that lack words", &wrong);
}

#[test]
fn every_sample_is_true() {
    let built = KINDS.iter().filter(|kind| kind.spec.built);
    let wrong: Vec<String> = built.flat_map(wrong_sample).collect();
    assert_none("samples", &wrong);
}

// ---- Reporters: the same three tests over `roundsman::reporters::KINDS`, once it is there. ----

#[cfg(test)]
mod the_checks {
    use std::time::Duration;

    use super::*;

    const GOOD: MetricSpec = MetricSpec {
        name: "response_time_ms",
        unit: Unit::Milliseconds,
        subject: None,
        meaning: "how long it took",
        headline: None,
        advice: None,
    };

    fn spec(key: &'static str, metrics: &'static [MetricSpec]) -> KindSpec {
        KindSpec {
            key,
            title: "Somethings",
            how: "by looking",
            sample: "- {}",
            metrics,
            default_timeout: Duration::from_secs(5),
            built: true,
        }
    }

    #[test]
    fn a_good_kind_passes() {
        let good = spec("somethings", &[GOOD]);
        assert!(wrong_words(&good).is_empty());
        let names = ["mod.rs", "host", "somethings.rs"].map(str::to_owned);
        assert!(wrong_list(&names, &[&good]).is_empty());
    }

    #[test]
    fn a_file_that_is_not_listed_is_found() {
        let names = ["mod.rs", "forgotten.rs", "somethings"].map(str::to_owned);
        let (one, gone) = (spec("somethings", &[GOOD]), spec("gone", &[GOOD]));
        assert_eq!(wrong_list(&names, &[&one]).len(), 1);
        assert_eq!(wrong_list(&names[2..], &[&one, &gone]).len(), 1);
        assert_eq!(wrong_list(&names[2..], &[&one, &one]).len(), 1);
        let later = KindSpec {
            built: false,
            ..gone
        };
        assert!(wrong_list(&names[2..], &[&one, &later]).is_empty());
    }

    #[test]
    fn missing_words_are_found() {
        static TWICE: &[MetricSpec] = &[
            GOOD,
            MetricSpec {
                meaning: "",
                ..GOOD
            },
        ];
        assert_eq!(wrong_words(&spec("somethings", &[])).len(), 1);
        assert_eq!(wrong_words(&spec("somethings", TWICE)).len(), 2);
        let silent = KindSpec {
            title: "",
            how: " ",
            sample: "",
            ..spec("somethings", &[GOOD])
        };
        assert_eq!(wrong_words(&silent).len(), 3);
    }

    #[test]
    fn a_name_tells_its_unit() {
        for (name, unit, fine) in [
            ("cpu_percent", Unit::Percent, true),
            ("certificate_days_left", Unit::Days, true),
            ("load_1m", Unit::Number, true),
            ("failed_units", Unit::Count, true),
            ("http_status", Unit::Number, true),
            ("cpu", Unit::Percent, false),
            ("uptime_ms", Unit::Seconds, false),
            ("queue_bytes", Unit::Count, false),
        ] {
            let metric = MetricSpec { name, unit, ..GOOD };
            assert_eq!(wrong_name(&metric).is_none(), fine, "{name}");
        }
    }

    #[test]
    fn one_name_has_one_unit() {
        static OTHER: &[MetricSpec] = &[MetricSpec {
            unit: Unit::Seconds,
            ..GOOD
        }];
        let (one, other) = (spec("one", &[GOOD]), spec("other", OTHER));
        assert_eq!(wrong_units([&one, &other].into_iter()).len(), 1);
        assert!(wrong_units([&one, &one].into_iter()).is_empty());
    }

    #[test]
    fn a_sample_that_is_not_true_is_found() {
        let kind = |sample| {
            let mut kind = Kind {
                costs_money: |_| false,
                batch_key: |_| None,
                monthly_price: |_, _| None,
                spec: KindSpec {
                    sample,
                    ..spec("somethings", &[GOOD])
                },
                settings_schema: KINDS[0].settings_schema,
                read: |node, _| {
                    Ok(Arc::new(roundsman::document::from_node::<
                        HashMap<String, u16>,
                    >(node)?))
                },
                default_name: |_| "some".to_owned(),
                rules: |_| Vec::new(),
                ssh: |_| None,
                host: |_| None,
                home: |_| None,
                region: |_| None,
                check: |_, _| Vec::new(),
                new: KINDS[0].new,
            };
            kind.spec.built = true;
            kind
        };
        assert!(wrong_sample(&kind("- {port: 1, name: a, labels: {b: c}}")).is_empty());
        for sample in ["", "port: 1", "- port: [", "- {port: many}"] {
            assert_eq!(wrong_sample(&kind(sample)).len(), 1, "{sample}");
        }
        let nameless = Kind {
            default_name: |_| String::new(),
            ..kind("- {port: 1}")
        };
        assert_eq!(wrong_sample(&nameless).len(), 1);
    }
}
