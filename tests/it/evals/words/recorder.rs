//! The same over HTTP, through the program's own way to a model: a second try, what a provider says of an answer's end, and what
//! it costs.

use roundsman::analysis::analyst::NotExplained;
use roundsman::analysis::answer::Discarded;
use roundsman::model::Explanation;
use serde_json::{Value, json};

use super::super::asking::{Asking, WATCHED};
use super::super::{incidents, replay::Variation, replay::replay};
use super::answers::{Recorded, Sort, recorded};
use super::{Asked, asked, left};
use crate::support::servers::{RawServer, answering_as};

/// Behind a question that is asked for the second time.
const SECOND_TRY: &str = "Your last answer was not";

fn sort_named(model: &str) -> Sort {
    let named = |sort: &Sort| format!("{sort:?}") == model;
    Sort::ALL
        .into_iter()
        .find(named)
        .unwrap_or_else(|| panic!("`{model}` is no sort of answer"))
}

/// A server that plays a model which gives the answers that the model's name says.
pub(in super::super) async fn model() -> RawServer {
    answering_as(|request| {
        let (_, body) = request.split_once("\r\n\r\n").expect("a body");
        let body: Value = serde_json::from_str(body).expect("JSON");
        let question = body["messages"]
            .as_array()
            .and_then(|messages| messages.last())
            .and_then(|message| message["content"].as_str())
            .expect("a question");
        let sort = sort_named(body["model"].as_str().expect("a model"));
        let mut answers = recorded(sort, question);
        let is_second = question.contains(SECOND_TRY);
        let Recorded { text, finish } = if is_second {
            answers.pop().expect("an answer")
        } else {
            answers.swap_remove(0)
        };
        let answer = json!({
            "model": body["model"],
            "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}],
            "usage": {"prompt_tokens": 1_000, "completion_tokens": 200},
        })
        .to_string();
        let length = answer.len();
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}")
            .into_bytes()
    })
    .await
}

/// A configuration that asks it for answers of that sort.
pub(in super::super) fn section(port: u16, sort: &str) -> String {
    format!(
        "{WATCHED}llm: {{provider: recorder, model: {sort}, base_url: \"http://127.0.0.1:{port}/v1\", \
         price: {{input_per_1k: 0.001, output_per_1k: 0.005}}}}\n"
    )
}

fn assert_same(explained: &Explanation, asked: &Asked, answers: &[Recorded], calls: usize) {
    let answer = left(asked, answers).expect("an answer");
    assert_eq!(explained.summary, answer.summary);
    assert_eq!(explained.cause, answer.cause);
    assert_eq!(explained.impact, answer.impact);
    assert_eq!(explained.steps, answer.steps);
    assert_eq!(explained.plain, answer.plain);
    assert_eq!(explained.claims_dropped, answer.claims_dropped);
    // 1,000 tokens in and 200 out, each time.
    let cost = ["$0.0020", "$0.0040"][calls - 1];
    assert_eq!(explained.cost, cost);
}

#[tokio::test]
async fn the_analyst_makes_the_same_of_each_sort_of_answer() {
    let server = model().await;
    let mut family = String::new();
    let mut questions = Vec::new();
    for (_, incident) in incidents() {
        if incident.family != family
            && let Some(asked) =
                asked(&replay(&incident, &incident.lines(), Variation::default())).asked()
        {
            family.clone_from(&incident.family);
            questions.push(asked);
        }
    }
    assert!(questions.len() > 15, "{}", questions.len());
    for sort in Sort::ALL {
        let asking = Asking::of(&section(server.port, &format!("{sort:?}")));
        let (expected, calls) = match sort {
            Sort::Good | Sort::Wrapped | Sort::MadeUpInPart | Sort::Links | Sort::Commands => {
                (None, 1)
            }
            Sort::OfAnotherForm => (None, 2),
            Sort::MadeUp => (Some(Discarded::Ungrounded), 1),
            Sort::Cut => (Some(Discarded::Cut), 1),
            Sort::Refusal => (Some(Discarded::Refused), 1),
            Sort::Empty => (Some(Discarded::NotOfTheForm), 2),
        };
        for asked in &questions {
            let before = server.requests().len();
            let said = asking.ask(&asked.prompt).await;
            assert_eq!(server.requests().len() - before, calls, "{sort:?}");
            match (said, &expected) {
                (Ok(explained), None) => {
                    let answers = recorded(sort, &asked.prompt.text);
                    assert_same(&explained, asked, &answers, calls);
                }
                (Err(NotExplained::Discarded(why)), Some(expected)) => {
                    assert_eq!(why, expected.to_string(), "{sort:?}");
                }
                (said, expected) => {
                    panic!(
                        "{sort:?}: {said:?}, not {expected:?}\n{}",
                        asked.prompt.text
                    )
                }
            }
        }
    }
}
