//! Language models: each wire format against a server that others wrote, faults against recorders.

mod addresses;
mod answers;
mod bedrock;
mod budget;
mod ends;
mod forms;
mod forms_ended;
mod in_turn;
mod refusals;
mod wires;

use std::sync::Arc;
use std::time::Duration;

use roundsman::clients::Clients;
use roundsman::clients::aws::Account;
use roundsman::clients::http::HttpUrl;
use roundsman::clients::llm::{AskFailed, Endpoint, Form, Question, Reply, Terms, Wire};
use roundsman::clients::tls::TlsSettings;
use roundsman::clock::{Clock, SystemClock};
use roundsman::model::{Failure, UsDollars};
use roundsman::purse::{Budget, Purpose};
use roundsman::secret::Secret;
use roundsman::store::FileLedger;
use tempfile::TempDir;

use crate::support::{Looked, look_at};

/// In every key that a test configures.
const CANARY: &str = "sk-canary-4711";

const LONG: Duration = Duration::from_secs(20);

/// Clients with a purse of their own.
struct Wallet {
    clients: Clients,
    folder: TempDir,
}

impl Wallet {
    fn new() -> Self {
        Self::around(Clients::new())
    }

    /// So many dollars a day.
    fn may_spend(&self, daily: f64) {
        let daily = UsDollars::from_dollars(daily).expect("an amount");
        let zone = chrono_tz::UTC;
        self.clients.llm.use_terms(Terms {
            budget: Budget { daily, zone },
            ..Terms::default()
        });
    }

    fn around(clients: Clients) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Arc::new(FileLedger::new(folder.path().to_owned()));
        let llm = clients.llm.paid_from(ledger);
        Self {
            clients: Clients { llm, ..clients },
            folder,
        }
    }

    async fn look(&self, yaml: &str) -> Looked {
        self.look_for(yaml, LONG).await
    }

    async fn look_for(&self, yaml: &str, timeout: Duration) -> Looked {
        let looked = look_at("llm_models", &self.clients, yaml, timeout).await;
        assert!(!format!("{looked:?}").contains(CANARY), "{looked:?}");
        looked
    }

    /// Asks as the analysis does.
    async fn ask_in_turn(
        &self,
        endpoints: &[Endpoint],
        question: &Question,
        deadline: Duration,
    ) -> Result<(Reply, usize), AskFailed> {
        let now = SystemClock.now();
        let llm = &self.clients.llm;
        let asked = llm.ask_in_turn(Purpose::Analysis, endpoints, question, deadline, now);
        let asked = asked.await;
        assert!(!format!("{asked:?}").contains(CANARY), "{asked:?}");
        asked
    }

    /// What was spent today, in US dollars, and how many calls were never settled.
    fn spent(&self) -> (f64, u64) {
        let today = SystemClock.now().format("%Y-%m-%d").to_string();
        let spendings = roundsman::store::spendings(self.folder.path(), &today, &today);
        let spendings = spendings.expect("a ledger");
        let cost = spendings.iter().map(|one| one.cost.dollars()).sum();
        (cost, spendings.iter().map(|one| one.unsettled).sum())
    }
}

/// The right answer to our own question in a request: `What is 17 + 25?`.
fn sum_in(request: &str) -> String {
    let (_, sum) = request.split_once("What is ").expect("our question");
    let (sum, _) = sum.split_once('?').expect("a question mark");
    let sum: u32 = sum
        .split('+')
        .map(|part| part.trim().parse::<u32>().expect("a number"))
        .sum();
    sum.to_string()
}

/// An answer over HTTP.
fn http(status: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into()
}

/// A chat completion in one piece.
fn completion(text: &str, finish: &str) -> String {
    serde_json::json!({
        "model": "any", "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 2}
    })
    .to_string()
}

fn in_house(port: u16, more: &str) -> String {
    format!(
        "provider: in-house\nmodel_id: any\nbase_url: http://127.0.0.1:{port}/v1\napi_key: {CANARY}\n{more}"
    )
}

/// A model that is asked at that address.
fn endpoint(wire: Wire, provider: &str, model: &str, base_url: &str) -> Endpoint {
    Endpoint {
        provider: provider.to_owned(),
        wire,
        model: model.to_owned(),
        base_url: HttpUrl::parse(base_url).ok(),
        key: Some(Secret::new(CANARY)),
        api_version: None,
        account: Account::default(),
        region: Some("eu-west-1".to_owned()),
        num_ctx: None,
        price: None,
        tls: TlsSettings::default(),
    }
}

/// One that speaks what most speak.
fn endpoint_at(port: u16) -> Endpoint {
    let base_url = format!("http://127.0.0.1:{port}/v1");
    endpoint(Wire::OpenAi, "in-house", "any", &base_url)
}

/// A question whose answer has a form.
fn formed(text: &str) -> Question {
    let schema = serde_json::json!({
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "rivers": {"type": "array", "items": {"type": "string"}}
        },
        "required": ["city", "rivers"],
        "additionalProperties": false
    });
    Question {
        system: Some("You know every city.".to_owned()),
        text: text.to_owned(),
        max_tokens: 100,
        session: None,
        form: Some(Form {
            name: "capital",
            schema,
        }),
    }
}

/// The body of a request that was recorded.
fn body_of(request: &str) -> serde_json::Value {
    let (_, body) = request.split_once("\r\n\r\n").expect("a whole request");
    serde_json::from_str(body).expect("JSON")
}

fn failure(asked: Result<(Reply, usize), AskFailed>) -> Failure {
    match asked {
        Err(AskFailed::Failed(failure)) => failure,
        other => panic!("{other:#?}"),
    }
}
