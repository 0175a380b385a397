//! The JSON Schema that editors use.

use regex::Regex;
use roundsman::collectors::KINDS;
use roundsman::document::{LIMITS, Node, NodeValue, parse};
use serde_json::Value;

use crate::config::predecessor;
use crate::support::program::Workplace;

async fn schema() -> Value {
    let place = Workplace::without_configuration();
    let ended = place.run(&["schema"]).await;
    assert_eq!(ended.stderr, "");
    ended.assert_code(0).json()
}

#[tokio::test]
async fn every_kind_and_its_keys_are_in_it() {
    let schema = schema().await;
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    let targets = schema["properties"]["targets"]["properties"]
        .as_object()
        .expect("kinds");
    let keys: Vec<&str> = targets.keys().map(String::as_str).collect();
    let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.spec.key).collect();
    assert_eq!(keys, kinds);
    for (kind, list) in targets {
        let properties = &list["items"]["properties"];
        for common in ["name", "critical", "timeout_ms", "rules", "depends_on"] {
            assert!(properties[common].is_object(), "{kind} takes no `{common}`");
        }
        let is_open = &list["items"]["additionalProperties"];
        // What is not built takes the keys that it may once have.
        let spec = &roundsman::collectors::kind(kind).expect("a kind").spec;
        assert!(!spec.built || *is_open == false, "{kind} takes any key");
    }
    assert!(targets["api_endpoints"]["items"]["properties"]["url"].is_object());
    let references = schema.to_string();
    for reference in references.split("\"$ref\":\"").skip(1) {
        let path = reference
            .split('"')
            .next()
            .and_then(|path| path.strip_prefix('#'));
        let path = path.expect("a reference into the schema itself");
        assert!(schema.pointer(path).is_some(), "`{path}` leads nowhere");
    }
}

/// What a schema does not allow in a document, as far as types, keys and choices go. A scalar without quotes may be a
/// number or a yes as well as a text.
fn refused(whole: &Value, schema: &Value, node: &Node, path: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let place = reference.trim_start_matches('#');
        return refused(
            whole,
            whole.pointer(place).expect("it is there"),
            node,
            path,
        );
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[word].as_array() {
            let all: Vec<_> = choices
                .iter()
                .map(|one| refused(whole, one, node, path))
                .collect();
            let best = all.into_iter().min_by_key(Vec::len);
            return best.unwrap_or_default();
        }
    }
    if !has_type(&schema["type"], &node.value) {
        return vec![format!(
            "{path}: {} is no {}",
            node.describe(),
            schema["type"]
        )];
    }
    if let (Some(word), NodeValue::Scalar { text, .. }) = (schema["const"].as_str(), &node.value)
        && word != text
    {
        return vec![format!("{path}: `{text}` is not `{word}`")];
    }
    match &node.value {
        NodeValue::Mapping(entries) => {
            let keys = entries.iter().flat_map(|entry| {
                let path = format!("{path}.{}", entry.key);
                let free = entry.key.starts_with("x-") && schema["patternProperties"].is_object();
                match (
                    &schema["properties"][&entry.key],
                    &schema["additionalProperties"],
                ) {
                    (Value::Null, Value::Bool(false)) if !free => vec![format!("{path}: unknown")],
                    (Value::Null, more @ Value::Object(_)) => {
                        refused(whole, more, &entry.value, &path)
                    }
                    (Value::Null, _) => Vec::new(),
                    (known, _) => refused(whole, known, &entry.value, &path),
                }
            });
            let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
            let missing = (required.iter().filter_map(Value::as_str))
                .filter(|key| node.get(key).is_none())
                .map(|key| format!("{path}.{key}: missing"));
            keys.chain(missing).collect()
        }
        NodeValue::Sequence(items) => (items.iter().enumerate())
            .flat_map(|(index, item)| {
                refused(whole, &schema["items"], item, &format!("{path}[{index}]"))
            })
            .collect(),
        NodeValue::Scalar { text, .. } => match schema["enum"].as_array() {
            Some(words) if !words.iter().any(|word| word == text) => {
                vec![format!("{path}: `{text}` is none of {words:?}")]
            }
            _ => match schema["pattern"].as_str() {
                Some(pattern) if !Regex::new(pattern).expect("a pattern").is_match(text) => {
                    vec![format!("{path}: `{text}` is not as `{pattern}`")]
                }
                _ => Vec::new(),
            },
        },
        NodeValue::Null => Vec::new(),
    }
}

fn has_type(expected: &Value, value: &NodeValue) -> bool {
    let is = |word: &str| match (value, word) {
        (NodeValue::Null, "null")
        | (NodeValue::Mapping(_), "object")
        | (NodeValue::Sequence(_), "array")
        | (NodeValue::Scalar { .. }, "string") => true,
        (NodeValue::Scalar { text, plain: true }, "integer") => text.parse::<i64>().is_ok(),
        (NodeValue::Scalar { text, plain: true }, "number") => text.parse::<f64>().is_ok(),
        (NodeValue::Scalar { text, plain: true }, "boolean") => text.parse::<bool>().is_ok(),
        _ => false,
    };
    match expected {
        Value::String(word) => is(word),
        Value::Array(words) => words.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

fn refused_in(schema: &Value, yaml: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let node = parse(&"test.yaml".into(), yaml, LIMITS, &mut problems).expect("a document");
    assert!(problems.is_empty(), "{problems:?}");
    refused(schema, schema, &node, "")
}

#[tokio::test]
async fn it_allows_what_we_ship_and_what_the_predecessor_wrote() {
    let schema = schema().await;
    let sample = include_str!("../../../config/config.example.yaml");
    assert_eq!(refused_in(&schema, sample), [""; 0]);
    assert_eq!(refused_in(&schema, predecessor::FILE), [""; 0]);
    for kind in KINDS {
        let lines = kind.spec.sample.lines();
        let entries: Vec<String> = lines.map(|line| format!("    {line}\n")).collect();
        let yaml = format!("targets:\n  {}:\n{}", kind.spec.key, entries.concat());
        assert_eq!(refused_in(&schema, &yaml), [""; 0], "{yaml}");
    }
}

#[tokio::test]
async fn it_marks_what_the_program_refuses() {
    let schema = schema().await;
    let place = Workplace::without_configuration();
    for (yaml, said) in [
        ("target: {}", ".target: unknown"),
        (
            "targets: {local_host: [{}]}",
            ".targets.local_host: unknown",
        ),
        (
            "targets: {local_hosts: [{crticial: true}]}",
            "[0].crticial: unknown",
        ),
        ("targets: {api_endpoints: [{name: a}]}", "[0].url: missing"),
        (
            "targets: {local_hosts: [{critical: perhaps}]}",
            "[0].critical: ",
        ),
        (
            "targets: {local_hosts: {name: a}}",
            ".targets.local_hosts: ",
        ),
        ("thresholds: {cpu_red: much}", ".thresholds.cpu_red: "),
        ("llm: {when: sometimes}", ".llm.when: "),
        ("monitoring: {missed: maybe}", ".monitoring.missed: "),
    ] {
        let all = refused_in(&schema, yaml);
        assert!(all.len() == 1 && all[0].contains(said), "{yaml}: {all:?}");
        std::fs::write(place.path().join("wrong.yaml"), yaml).expect("a file");
        let ended = place.run(&["--config", "wrong.yaml", "check-config"]).await;
        ended.assert_code(78);
    }
}
