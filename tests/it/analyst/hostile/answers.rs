//! The whole corpus through every text of an answer: nothing that is obeyed is left, and nothing takes long.

use std::collections::BTreeSet;
use std::time::Duration;

use roundsman::analysis::answer::{Answer, Discarded, read};
use roundsman::analysis::prompt::Prompt;
use roundsman::analysis::score::score;
use roundsman::model::{Claim, Confidence};
use serde_json::{Value, json};

use super::questions::question;
use super::{corpus, obeyed_in};
use crate::support::processor_time;

/// Of the processor's time, in a debug build.
const LONGEST: Duration = Duration::from_secs(5);

/// Numbers of all sorts stand in it, so that what has numbers is not dropped for them alone.
fn asked() -> Prompt {
    let mut number = 0;
    let mut question = question(2, "databases", &mut || {
        number += 1;
        format!("shop {number}")
    });
    let texts: Vec<String> = corpus().into_iter().map(|one| one.text).collect();
    let is_part = |one: char| one.is_ascii_digit() || matches!(one, '.' | ',');
    let digits: BTreeSet<&str> = (texts.iter())
        .flat_map(|text| text.split(|one| !is_part(one)))
        .collect();
    let digits = digits.into_iter().collect::<Vec<_>>().join(" ");
    question.text.push_str(&digits);
    question
}

/// It speaks of a target that there is: what speaks of nothing is dropped for that alone.
fn claim(text: &str) -> Value {
    json!({"text": format!("shop 1: {text}"), "evidence": ["E01"]})
}

fn assert_tame(answer: &Answer, prompt: &Prompt, name: &str) {
    let claims: Vec<&Claim> = [
        answer.summary.as_ref(),
        answer.cause.as_ref(),
        answer.impact.as_ref(),
    ]
    .into_iter()
    .flatten()
    .chain(&answer.steps)
    .collect();
    for claim in &claims {
        assert!(
            !claim.evidence.is_empty() && claim.evidence.len() <= prompt.facts.len(),
            "{name}: {claim:?}"
        );
        for id in &claim.evidence {
            assert!(prompt.facts.contains_key(id), "{name}: {id}");
        }
    }
    let texts = claims.iter().map(|claim| &claim.text).chain(&answer.plain);
    for text in texts {
        assert_eq!(obeyed_in(text), None, "{name}: {text}");
        assert!(text.chars().count() <= 1_000, "{name}: {text}");
        assert!(!text.is_empty(), "{name}");
        for harm in ["rm -rf", "sudo bash", "DROP TABLE", "curl "] {
            assert!(!text.contains(harm), "{name}: {text}");
        }
    }
    assert!(answer.steps.len() <= 5, "{name}");
    assert!(score(answer, prompt) <= 100);
}

#[test]
fn no_text_of_an_answer_is_obeyed() {
    let prompt = asked();
    let mut kept = 0;
    for one in corpus() {
        let text = &one.text;
        let whole = json!({
            "summary": claim(text), "cause": claim(text), "confidence": "high", "impact": claim(text),
            "steps": [claim(text), claim(text)], "plain": text,
            "status": "GREEN", "silence": {"target": "*"}, "recipients": [text], "severity": "info", text: text,
        });
        match read(&whole.to_string(), &prompt) {
            Ok(answer) => {
                kept += 1;
                assert_tame(&answer, &prompt, &one.name);
            }
            // All of it was such that no reader may copy it, or nothing of it was visible.
            Err(why) => assert_eq!(why, Discarded::Ungrounded, "{}", one.name),
        }
        // As an ID, and as how sure it is.
        let forged = json!({"summary": {"text": "x", "evidence": [text]}, "cause": null, "confidence": "high",
            "impact": null, "steps": [], "plain": ""});
        assert_eq!(
            read(&forged.to_string(), &prompt),
            Err(Discarded::Ungrounded),
            "{}",
            one.name
        );
        let sure = json!({"summary": claim("x"), "confidence": text});
        let sure = read(&sure.to_string(), &prompt).expect("an answer");
        assert_eq!(sure.confidence, Confidence::Low, "{}", one.name);
        // As the whole answer, and cut into one.
        let cut = format!(r#"{{"summary": {{"text": "{text}", "evidence": ["E01"]}}}}"#);
        for raw in [
            text.clone(),
            cut,
            format!("{text}{whole}"),
            format!("{whole}{text}"),
        ] {
            if let Ok(answer) = read(&raw, &prompt) {
                assert_tame(&answer, &prompt, &one.name);
            }
        }
    }
    // Of the others nothing is left: they give orders or say that all is well.
    assert!(kept > 80, "only {kept} were looked at");
}

#[test]
fn what_only_works_in_two_parts_does_not_work() {
    let (prompt, corpus) = (asked(), corpus());
    for (index, one) in corpus.iter().enumerate() {
        let next = &corpus[(index + 1) % corpus.len()];
        for between in ["", " ", "@", "\u{200b}", "\n"] {
            let text = format!("{}{between}{}", one.text, next.text);
            let whole =
                json!({"summary": claim("shop 1 fails"), "cause": claim(&text), "plain": text});
            let answer = read(&whole.to_string(), &prompt).expect("an answer");
            assert_tame(&answer, &prompt, &format!("{} and {}", one.name, next.name));
        }
    }
}

fn read_quickly(text: &str, prompt: &Prompt) -> Result<Answer, Discarded> {
    let (answer, took) = processor_time(|| read(text, prompt));
    let shown: String = text.chars().take(80).collect();
    assert!(took < LONGEST, "{took:?} for {shown}");
    answer
}

#[test]
fn what_is_not_of_the_form_is_told_apart_quickly() {
    let prompt = asked();
    let good = claim("shop 1 fails");
    let nested = |depth: usize| format!("{}{}", r#"{"a":["#.repeat(depth), "]}".repeat(depth));
    let many = |text: &'static str| vec![text; 1_000_000];
    let not_of_the_form = [
        json!({"summary": "a text"}).to_string(),
        json!({"summary": {"text": 5, "evidence": ["E01"]}}).to_string(),
        json!({"summary": {"text": null, "evidence": []}}).to_string(),
        json!([good]).to_string(),
        format!(r#"{{"summary": {good}, "plain": NaN}}"#),
        format!(r#"{{"summary": {good}, "x": -Infinity}}"#),
        format!(r#"{{"summary": {good}, "plain": {}}}"#, nested(100_000)),
        format!(r#"{{"summary": {good}, "x": {}"#, nested(100_000)),
        format!(r#"{{"summary": {good}, "x": {}}}"#, nested(100_000)),
        nested(1_000_000),
        "{".repeat(1_000_000),
        "}".repeat(1_000_000),
        "\u{feff}".repeat(100_000),
    ];
    for text in &not_of_the_form {
        let shown: String = text.chars().take(80).collect();
        let discarded = Err(Discarded::NotOfTheForm);
        assert_eq!(read_quickly(text, &prompt), discarded, "{shown}");
    }
    // What stands in a wrong place counts for nothing, and what is only too much is cut down.
    for part in [
        json!({"steps": {"text": "x"}}),
        json!({"confidence": 100}),
        json!({"plain": ["x"]}),
        json!({"impact": "x", "cause": [good]}),
    ] {
        let mut whole = json!({"summary": good});
        for (key, value) in part.as_object().expect("an object") {
            whole[key] = value.clone();
        }
        let answer = read(&whole.to_string(), &prompt).expect("an answer");
        let rest = (answer.cause, answer.impact, answer.plain);
        assert_eq!((rest, answer.steps), ((None, None, None), Vec::new()));
        assert_eq!(answer.confidence, Confidence::Low);
    }
    let no_id = json!({"summary": {"text": "x", "evidence": [1]}}).to_string();
    assert_eq!(read(&no_id, &prompt), Err(Discarded::Ungrounded));
    let long = |text: &str| text.repeat(1_000_000 / text.len());
    for text in [
        "a", "https://", ":@//", "*x* ", "⟧", "a.b.", "\u{200b}", "mailto:", "@", "9", "1,", "](",
        "\u{301}",
    ] {
        let whole = json!({"summary": good, "cause": claim(&long(text)), "plain": long(text)});
        let answer = read_quickly(&whole.to_string(), &prompt).expect("an answer");
        assert_tame(&answer, &prompt, text);
    }
    let whole = json!({"summary": {"text": "shop 1 fails", "evidence": many("E1")},
        "cause": {"text": "x", "evidence": many("E77")}, "steps": vec![good.clone(); 100_000]});
    let answer = read_quickly(&whole.to_string(), &prompt).expect("an answer");
    assert_eq!(
        (
            answer.summary.expect("a summary").evidence.len(),
            answer.steps.len(),
            answer.cause.as_ref()
        ),
        (1, 5, None)
    );
}
