//! The JSON Schema of a configuration file, for editors.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::incidents::{self, DeliveryKeys, IncidentKeys};
use super::sections::{CommonKeys, Llm, Monitoring, ReportSection, ReporterKeys, Store};
use crate::collectors::KINDS;
use crate::reporters::telegram;
use crate::rules::Thresholds;

/// The JSON Schema (draft 2020-12) of a whole configuration file.
#[must_use]
pub fn json_schema() -> Value {
    let mut generator = SchemaGenerator::default();
    let common = object(CommonKeys::json_schema(&mut generator));
    let mut kinds = Map::new();
    for kind in KINDS {
        let own = object((kind.settings_schema)(&mut generator));
        let mut properties = properties(&common);
        properties.extend(self::properties(&own));
        let mut entry = json!({"type": "object", "properties": properties});
        for key in ["required", "additionalProperties"] {
            if let Some(value) = own.get(key) {
                entry[key] = value.clone();
            }
        }
        let description = format!("{}: {}", kind.spec.title, kind.spec.how);
        kinds.insert(
            kind.spec.key.to_owned(),
            json!({"description": description, "type": ["array", "null"], "items": entry}),
        );
    }
    let mut reporter = object(ReporterKeys::json_schema(&mut generator));
    reporter.insert("additionalProperties".to_owned(), json!(true));
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Roundsman configuration",
        "type": "object",
        "properties": {
            "monitoring": nullable(Monitoring::json_schema(&mut generator)),
            "targets": {
                "description": "What is watched: for each kind a list.",
                "type": "object",
                "properties": kinds,
                "additionalProperties": false
            },
            "thresholds": nullable(Thresholds::json_schema(&mut generator)),
            "telegram": nullable(telegram::Settings::json_schema(&mut generator)),
            "llm": nullable(Llm::json_schema(&mut generator)),
            "reporters": {"description": "Further channels.", "type": ["array", "null"], "items": reporter},
            "store": nullable(Store::json_schema(&mut generator)),
            "report": nullable(ReportSection::json_schema(&mut generator)),
            "incidents": nullable(IncidentKeys::json_schema(&mut generator)),
            "delivery": nullable(DeliveryKeys::json_schema(&mut generator))
        },
        "patternProperties": {"^x-": {"description": "Free for anchors."}},
        "additionalProperties": false
    });
    for (section, list) in incidents::lists(&mut generator) {
        schema["properties"][section] = list.to_value();
    }
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        schema["$defs"] = Value::Object(definitions);
    }
    allow_variables(&mut schema);
    schema
}

fn object(schema: Schema) -> Map<String, Value> {
    match schema.to_value() {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn properties(schema: &Map<String, Value>) -> Map<String, Value> {
    (schema.get("properties").and_then(Value::as_object)).map_or_else(Map::new, Clone::clone)
}

/// A section may stand there empty.
fn nullable(schema: Schema) -> Value {
    let mut schema = object(schema);
    if schema.get("type") == Some(&json!("object")) {
        schema.insert("type".to_owned(), json!(["object", "null"]));
    }
    Value::Object(schema)
}

/// Wherever a number or a yes is expected, `${NAME}` may stand instead: editors must not mark it.
fn allow_variables(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(allow_variables),
        Value::Object(object) => {
            object.values_mut().for_each(allow_variables);
            let takes_number = match object.get("type") {
                Some(Value::String(word)) => is_number(word),
                Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).any(is_number),
                _ => false,
            };
            if takes_number {
                let description = object.shift_remove("description");
                let plain = Value::Object(std::mem::take(object));
                if let Some(description) = description {
                    object.insert("description".to_owned(), description);
                }
                let variable = json!({"type": "string", "pattern": "\\$\\{.+\\}"});
                object.insert("anyOf".to_owned(), json!([plain, variable]));
            }
        }
        _ => {}
    }
}

fn is_number(word: &str) -> bool {
    matches!(word, "integer" | "number" | "boolean")
}
