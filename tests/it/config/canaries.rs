//! A secret in the wrong place, wherever that is: no message shows a character of it.

use std::collections::BTreeSet;

use roundsman::collectors;
use roundsman::config::json_schema;
use roundsman::document::{LIMITS, Node, NodeValue, parse};
use roundsman::reporters;
use serde_json::{Map, Value, json};

use crate::support::program::Workplace;

/// Letters and digits as in a token; nothing that a list of known shapes could find.
const CANARY: &str = "qX7vK2mZ9tRw4";

/// A way into a document: keys, and `[]` for the first item of a list.
type Way = Vec<String>;

const ITEM: &str = "[]";

/// Keys of targets with many below them, which are the same for every kind.
const COMMON: [&str; 3] = ["thresholds", "rules", "labels"];

/// The forms in which secrets are written where they do not belong.
fn forms() -> Vec<Value> {
    vec![
        json!(CANARY),
        json!(format!("user:{CANARY}@host")),
        json!(format!("u:{CANARY}@gw.example.com/v1")),
        json!(format!("https://user:{CANARY}@host.example.com/x")),
        json!(format!("postgres://u:{CANARY}@h/db")),
        json!(format!("https://hooks.slack.com/services/T0/B0/{CANARY}")),
        json!(format!("https://h.example.com/?code={CANARY}#f")),
        json!(format!("Bearer {CANARY}")),
        json!(format!("Authorization: Bearer {CANARY}")),
        json!(format!("123456789:AA{CANARY}")),
        json!(format!("-----BEGIN KEY-----\n{CANARY}\n-----END KEY-----")),
        json!(format!("{CANARY}[")),
        json!(format!("> {CANARY}")),
        json!([CANARY]),
        json!([format!("u:{CANARY}@h[")]),
        json!([[CANARY]]),
        json!({CANARY: 1}),
        json!({CANARY: {CANARY: CANARY}}),
        json!({"name": CANARY, "user": format!("u:{CANARY}@h")}),
    ]
}

/// Every way that a schema knows, with those of its definitions.
fn ways(schema: &Value, root: &Value, way: &Way, depth: usize, found: &mut BTreeSet<Way>) {
    found.insert(way.clone());
    if depth == 0 {
        return;
    }
    let below = |step: &str| [&way[..], &[step.to_owned()]].concat();
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#'));
        ways(target.expect(name), root, way, depth - 1, found);
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        for one in schema[choice].as_array().into_iter().flatten() {
            ways(one, root, way, depth, found);
        }
    }
    for (key, one) in schema["properties"].as_object().into_iter().flatten() {
        ways(one, root, &below(key), depth - 1, found);
    }
    if schema["items"].is_object() {
        ways(&schema["items"], root, &below(ITEM), depth - 1, found);
    }
    if schema["additionalProperties"].is_object() {
        ways(
            &schema["additionalProperties"],
            root,
            &below("any"),
            depth - 1,
            found,
        );
    }
}

/// Puts a value where a way leads, in place of what stands there.
fn put(document: &mut Value, way: &[String], value: &Value) {
    let Some((step, rest)) = way.split_first() else {
        *document = value.clone();
        return;
    };
    if step == ITEM {
        if !document.is_array() {
            *document = json!([null]);
        }
        put(
            &mut document.as_array_mut().expect("a list")[0],
            rest,
            value,
        );
    } else {
        if !document.is_object() {
            *document = json!({});
        }
        let map = document.as_object_mut().expect("a map");
        put(map.entry(step.clone()).or_insert(Value::Null), rest, value);
    }
}

/// A sample as a value.
fn sample(yaml: &str) -> Value {
    fn value(node: &Node) -> Value {
        match &node.value {
            NodeValue::Null => Value::Null,
            NodeValue::Scalar { text, plain } => (serde_json::from_str(text).ok())
                .filter(|_| *plain)
                .unwrap_or_else(|| json!(text)),
            NodeValue::Sequence(items) => items.iter().map(value).collect(),
            NodeValue::Mapping(entries) => {
                let entries = entries
                    .iter()
                    .map(|one| (one.key.clone(), value(&one.value)));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }
    let node = parse(&"sample".into(), yaml, LIMITS, &mut Vec::new()).expect(yaml);
    match value(&node) {
        Value::Array(mut entries) if !entries.is_empty() => entries.remove(0),
        _ => json!({}),
    }
}

/// What the configuration says without the canary: whatever it is put into is complete but for that.
fn documents() -> Vec<(Value, BTreeSet<Way>)> {
    let schema = json_schema();
    let mut documents = Vec::new();
    let base = || json!({"targets": {"local_hosts": [{"name": "here"}]}});
    for (section, one) in schema["properties"].as_object().expect("sections") {
        let mut found = BTreeSet::new();
        let way = vec![section.clone()];
        if section == "targets" {
            found.insert(way);
            for (kind, list) in one["properties"].as_object().expect("kinds") {
                let mut document = base();
                let spec = &collectors::kind(kind).expect("a kind").spec;
                document["targets"] = json!({kind: [sample(spec.sample)]});
                let mut found = BTreeSet::new();
                let way = vec![section.clone(), kind.clone()];
                ways(list, &schema, &way, 7, &mut found);
                // What every target takes is tried with one kind.
                found.retain(|way| {
                    let key = way.get(3).map_or("", String::as_str);
                    kind == "local_hosts" || !COMMON.contains(&key)
                });
                documents.push((document, found));
            }
        } else {
            ways(one, &schema, &way, 8, &mut found);
        }
        documents.push((base(), found));
    }
    for kind in reporters::KINDS {
        let own = serde_json::to_value((kind.settings_schema)()).expect("a schema");
        let mut document = base();
        let mut entry = sample(kind.spec.sample);
        entry["kind"] = json!(kind.spec.key);
        document["reporters"] = json!([entry]);
        let mut found = BTreeSet::new();
        let way = vec!["reporters".to_owned(), ITEM.to_owned()];
        ways(&own, &own, &way, 6, &mut found);
        documents.push((document, found));
    }
    documents
}

/// Whether six characters of the canary in a row are in a text.
fn shows(text: &str) -> bool {
    (0..=CANARY.len() - 6).any(|start| text.contains(&CANARY[start..start + 6]))
}

/// What is said of a document with each form where a way leads. Entries of lists are read by themselves, so that all forms
/// fit into one document.
fn said(document: &Value, way: &Way) -> Vec<String> {
    let load = |document: &Value| Workplace::with_configuration(&document.to_string()).problems();
    // As a key that nobody knows, beside those that are known.
    let unknown = [&way[..], &[CANARY.to_owned()]].concat();
    let puts: Vec<_> = (forms().into_iter().map(|form| (way, form)))
        .chain([(&unknown, json!(CANARY))])
        .collect();
    let list = way.iter().position(|step| step == ITEM);
    let Some(list) = list.filter(|list| list + 1 < way.len()) else {
        let each = puts.iter().map(|(way, form)| {
            let mut document = document.clone();
            put(&mut document, way, form);
            load(&document)
        });
        return each.collect();
    };
    let pointer = format!("/{}", way[..list].join("/"));
    let entry = document.pointer(&format!("{pointer}/0")).cloned();
    let entries = puts.iter().enumerate().map(|(index, (way, form))| {
        let mut entry = entry.clone().unwrap_or_else(|| json!({}));
        entry["name"] = json!(format!("n-{index}"));
        put(&mut entry, &way[list + 1..], form);
        entry
    });
    let entries = Value::Array(entries.collect());
    let mut document = document.clone();
    put(&mut document, &way[..list], &entries);
    vec![load(&document)]
}

#[test]
fn a_secret_in_any_key_of_any_section_is_never_shown() {
    let all: Vec<(Value, Way)> = documents()
        .into_iter()
        .flat_map(|(document, ways)| ways.into_iter().map(move |way| (document.clone(), way)))
        .collect();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let each = all.chunks(all.len().div_ceil(threads));
    let mut shown = Vec::new();
    let mut problems = 0;
    std::thread::scope(|scope| {
        let handles: Vec<_> = each
            .map(|part| {
                scope.spawn(move || {
                    (part.iter())
                        .flat_map(|(document, way)| {
                            said(document, way)
                                .into_iter()
                                .map(|said| (way.join("."), said))
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        for (way, said) in handles
            .into_iter()
            .flat_map(|one| one.join().expect("a thread"))
        {
            problems += said.lines().filter(|line| !line.starts_with(' ')).count();
            if shows(&said) {
                shown.push(format!("{way}\n{said}"));
            }
        }
    });
    assert!(
        shown.is_empty(),
        "{} of {}:\n{}",
        shown.len(),
        all.len(),
        shown.join("\n")
    );
    assert!(
        all.len() > 300 && problems > 10 * all.len(),
        "{problems} problems of {} keys",
        all.len()
    );
}
