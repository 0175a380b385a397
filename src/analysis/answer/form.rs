//! The answer in what a model wrote. Where its provider can hold it to a form there is nothing else; others put words, a fence
//! or their own thoughts around it, or wrap it in one more object.

use serde::Deserialize;
use serde_json::{Deserializer, Map, Value};

use crate::model::Confidence;

/// So many objects are looked at: what has more is no answer.
const MOST_OBJECTS: usize = 64;

/// An answer as it was written.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) summary: RawClaim,
    pub(super) cause: Option<RawClaim>,
    pub(super) confidence: Confidence,
    pub(super) impact: Option<RawClaim>,
    pub(super) steps: Vec<RawClaim>,
    pub(super) plain: Option<String>,
    /// How many of its parts are no claims: what is in a wrong place is no reason to throw the rest away.
    pub(super) unreadable: usize,
}

/// A claim as it was written.
#[derive(Debug, Deserialize)]
pub(super) struct RawClaim {
    pub(super) text: String,
    #[serde(default)]
    pub(super) evidence: Vec<String>,
}

/// The answer in a text: the last, because a model that thinks aloud ends with what it means.
pub(super) fn answer_in(text: &str) -> Option<Raw> {
    let mut found = None;
    let mut at = 0;
    for _ in 0..MOST_OBJECTS {
        let Some(start) = text.get(at..).and_then(|rest| rest.find('{')) else {
            break;
        };
        at += start;
        let mut values = Deserializer::from_str(text.get(at..)?).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                found = answer_of(value).or(found);
                at += values.byte_offset();
            }
            _ => at += 1,
        }
    }
    found
}

fn answer_of(value: Value) -> Option<Raw> {
    let Value::Object(mut members) = value else {
        return None;
    };
    if members.contains_key("summary") {
        return raw(members);
    }
    // As the input of a tool, or by the name of the form.
    let inner = ["explanation", "arguments", "input", "answer", "response"];
    let inner = inner.iter().find_map(|name| members.remove(*name))?;
    match inner {
        Value::Object(members) if members.contains_key("summary") => raw(members),
        _ => None,
    }
}

fn raw(mut members: Map<String, Value>) -> Option<Raw> {
    let mut unreadable = 0;
    let summary = claim(members.remove("summary")?)?;
    let mut part = |value: Option<Value>| {
        let value = value.filter(|value| !value.is_null())?;
        let claim = claim(value);
        unreadable += usize::from(claim.is_none());
        claim
    };
    let cause = part(members.remove("cause"));
    let impact = part(members.remove("impact"));
    let steps = match members.remove("steps") {
        Some(Value::Array(steps)) => steps,
        _ => Vec::new(),
    };
    let steps = steps.into_iter().filter_map(|step| part(Some(step)));
    let steps = steps.collect();
    let confidence = members.remove("confidence");
    let plain = members.remove("plain");
    Some(Raw {
        summary,
        cause,
        confidence: confidence.map_or(Confidence::Low, |word| sure(&word)),
        impact,
        steps,
        plain: plain.and_then(|plain| plain.as_str().map(str::to_owned)),
        unreadable,
    })
}

fn claim(value: Value) -> Option<RawClaim> {
    let Value::Object(mut members) = value else {
        return None;
    };
    let text = members.remove("text")?.as_str()?.to_owned();
    let evidence = match members.remove("evidence") {
        Some(Value::String(ids)) => ids.split(',').map(|id| id.trim().to_owned()).collect(),
        Some(Value::Array(ids)) => {
            // What is no ID names no fact.
            let ids = ids.iter().map(|id| id.as_str().unwrap_or("?").to_owned());
            ids.collect()
        }
        _ => Vec::new(),
    };
    Some(RawClaim { text, evidence })
}

/// A word that is none of ours means little.
fn sure(word: &Value) -> Confidence {
    let word = word.as_str().unwrap_or_default().trim();
    if word.eq_ignore_ascii_case("high") {
        Confidence::High
    } else if word.eq_ignore_ascii_case("medium") {
        Confidence::Medium
    } else {
        Confidence::Low
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn whole() -> String {
        let claim = json!({"text": "The disk is full.", "evidence": ["E01"]});
        json!({"summary": claim, "cause": null, "confidence": "high", "impact": null, "steps": [], "plain": "x"})
            .to_string()
    }

    #[test]
    fn an_answer_is_found_in_whatever_is_around_it() {
        for text in [
            whole(),
            format!("Here it is:\n```json\n{}\n```\nGood {{luck}}!", whole()),
            format!("<think>{{\"summary\": 1}} or {{so}}</think>{}", whole()),
            format!("{{\"name\": \"explanation\", \"arguments\": {}}}", whole()),
            format!("[{}]", whole()),
            whole().replace("high", "other").replace("other", "High"),
        ] {
            let found = answer_in(&text).expect(&text);
            assert_eq!(found.summary.text, "The disk is full.");
            assert_eq!(found.confidence, Confidence::High, "{text}");
        }
        let corrected = format!("{} No: {}", whole().replace("full", "empty"), whole());
        let found = answer_in(&corrected).expect("an answer");
        assert_eq!(found.summary.text, "The disk is full.");
        for text in [
            String::new(),
            "{".repeat(100_000),
            whole()[..40].to_owned(),
            whole().replace("summary", "result"),
            format!("{}{}", "{}".repeat(100), whole()),
        ] {
            assert!(answer_in(&text).is_none(), "{text:.80}");
        }
    }

    #[test]
    fn a_part_in_a_wrong_place_does_not_take_the_rest_with_it() {
        let found = json!({
            "summary": {"text": "The disk is full.", "evidence": "E01, E02"},
            "cause": "the disk", "confidence": 0.9, "impact": {"text": "None.", "evidence": [1]},
            "steps": ["look", {"text": "Look at it.", "evidence": ["E01"]}, 7], "plain": 3,
        });
        let found = answer_in(&found.to_string()).expect("an answer");
        assert_eq!(found.summary.evidence, ["E01", "E02"]);
        assert_eq!((found.steps.len(), found.unreadable), (1, 3));
        assert!(found.cause.is_none() && found.plain.is_none());
        assert_eq!(found.impact.expect("a claim").evidence, ["?"]);
        assert_eq!(found.confidence, Confidence::Low);
    }
}
