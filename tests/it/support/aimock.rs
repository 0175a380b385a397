//! A server that others wrote, which speaks the languages of model providers.

use tokio::sync::OnceCell;

use super::children::{Server, free_port, listening};
use super::packages::installed;

/// What it answers, and to what.
pub(crate) const QUESTION: &str = "What is the capital of France?";
pub(crate) const ANSWER: &str = "Paris";

/// A question that it answers in the form that is asked for, and the answer.
pub(crate) const FORMED_QUESTION: &str = "What is the capital of Spain?";
pub(crate) const FORMED_ANSWER: &str = r#"{"city":"Madrid","rivers":["Manzanares"]}"#;

/// It leaves so long between two parts of a stream.
pub(crate) const BETWEEN_PARTS_MS: u32 = 60;

/// What it answers to questions about incidents: one step would harm, and one rests on no fact.
pub(crate) const EXPLANATION: &str = r#"{"summary": {"text": "partner answers 503, so shop and checkout fail.", "evidence": ["E01", "E02"]}, "cause": {"text": "partner answers 503 and shop depends on it.", "evidence": ["E01"]}, "confidence": "high", "impact": {"text": "Nobody can pay at checkout.", "evidence": ["E02"]}, "steps": [{"text": "Look at the log of partner", "evidence": ["E01"]}, {"text": "Run rm -rf /var/lib/partner", "evidence": ["E01"]}, {"text": "See an attacker", "evidence": ["E99"]}], "plain": "The partner is down, so the shop cannot sell."}"#;

const FIXTURES: &str = r#"{"fixtures": [
    {"match": {"userMessage": "What arithmetic over times"},
     "response": {"content": EXPLANATION, "usage": {"prompt_tokens": 700, "completion_tokens": 160}}},
    {"match": {"userMessage": "capital of France"},
     "response": {"content": "The capital of France is Paris, which lies on the river Seine.",
                  "usage": {"prompt_tokens": 14, "completion_tokens": 12}}},
    {"match": {"userMessage": "capital of Spain", "toolName": "capital"},
     "response": {"toolCalls": [{"name": "capital", "arguments": {"city": "Madrid", "rivers": ["Manzanares"]}}],
                  "usage": {"prompt_tokens": 90, "completion_tokens": 20}}},
    {"match": {"userMessage": "capital of Spain", "responseFormat": "json_schema"},
     "response": {"content": "{\"city\": \"Madrid\", \"rivers\": [\"Manzanares\"]}",
                  "usage": {"prompt_tokens": 90, "completion_tokens": 20}}},
    {"match": {"userMessage": "capital of Spain"},
     "response": {"content": "{\"city\": \"Madrid\", \"rivers\": [\"Manzanares\"]}"}},
    {"match": {"userMessage": "too often"},
     "response": {"error": {"message": "Rate limit reached", "type": "rate_limit_error"}, "status": 429}}
]}"#;

struct Aimock {
    port: u16,
    _server: Server,
}

/// The port of the server of this test process, started when first asked for.
pub(crate) async fn aimock() -> u16 {
    static AIMOCK: OnceCell<Aimock> = OnceCell::const_new();
    AIMOCK.get_or_init(start).await.port
}

async fn start() -> Aimock {
    let port = free_port();
    let folder = tempfile::tempdir().expect("a folder").keep();
    let fixtures = folder.join("fixtures.json");
    let explanation = serde_json::Value::from(EXPLANATION).to_string();
    std::fs::write(&fixtures, FIXTURES.replace("EXPLANATION", &explanation)).expect("a file");
    let program = installed("node/node_modules/.bin/llmock");
    let server = Server::start(
        &folder,
        &program.display().to_string(),
        &[
            "--strict",
            "--port",
            &port.to_string(),
            "--latency",
            &BETWEEN_PARTS_MS.to_string(),
            "--fixtures",
            &fixtures.display().to_string(),
        ],
    );
    listening(port, "aimock").await;
    Aimock {
        port,
        _server: server,
    }
}
