//! JSON as the SDK of AWS keeps it. Its own way there and back needs a flag that is set for the whole build
//! (`aws_sdk_unstable`).

use std::collections::HashMap;

use aws_smithy_types::{Document, Number};
use serde_json::Value;

pub(super) fn document_of(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(value) => Document::Bool(*value),
        Value::Number(number) => Document::Number(match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Number::PosInt(number),
            (None, Some(number)) => Number::NegInt(number),
            (None, None) => Number::Float(number.as_f64().unwrap_or_default()),
        }),
        Value::String(text) => Document::String(text.clone()),
        Value::Array(values) => Document::Array(values.iter().map(document_of).collect()),
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| (name.clone(), document_of(value)));
            Document::Object(members.collect::<HashMap<_, _>>())
        }
    }
}

pub(super) fn json_of(document: &Document) -> Value {
    match document {
        Document::Null => Value::Null,
        Document::Bool(value) => Value::Bool(*value),
        Document::Number(Number::PosInt(number)) => Value::from(*number),
        Document::Number(Number::NegInt(number)) => Value::from(*number),
        Document::Number(Number::Float(number)) => Value::from(*number),
        Document::String(text) => Value::String(text.clone()),
        Document::Array(values) => Value::Array(values.iter().map(json_of).collect()),
        Document::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| (name.clone(), json_of(value)));
            Value::Object(members.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_comes_back_as_it_went() {
        let value = json!({
            "text": "Füllstand ⟦31 %⟧", "list": [1, -2, 2.5, u64::MAX, i64::MIN, null, true],
            "nothing": {}, "empty": [], "deep": {"a": {"b": ["c"]}},
        });
        assert_eq!(json_of(&document_of(&value)), value);
    }
}
