//! The span of a call to a model.

use opentelemetry::trace::Status;
use opentelemetry::{Array, StringValue, Value};
use serde_json::json;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use url::Host;

use super::{Endpoint, Finish, Question, Reply};
use crate::clock::milliseconds;
use crate::model::{Failure, UsDollars};
use crate::purse::Purpose;
use crate::traces::{TARGET, gen_ai};

/// A name or a word of somebody else is no longer.
const LONGEST_WORD: usize = 128;

/// The sort of failure of a call that was dropped: the look that made it was out of time, or the daemon ended.
const GIVEN_UP: &str = "given_up";

/// The trace of one call. The call is over; what becomes known later can still be noted until this is dropped.
#[derive(Debug, Clone, PartialEq)]
pub struct Call(Span);

/// Somebody waits for the answer. Dropped before it came, it notes that nobody did any more.
pub(super) struct Waiting<'a> {
    call: &'a Call,
    /// What it counts for in the purse then.
    cost: UsDollars,
    is_over: bool,
}

impl Waiting<'_> {
    pub(super) fn over(mut self) {
        self.is_over = true;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.call.cost(self.cost);
            self.call.failed_as(GIVEN_UP);
        }
    }
}

impl Call {
    pub(super) fn begin(purpose: Purpose, endpoint: &Endpoint, question: &Question) -> Self {
        let span = tracing::info_span!(
            target: TARGET,
            "chat",
            otel.name = format!("{} {}", gen_ai::CHAT, endpoint.model),
            otel.kind = "client",
        );
        let call = Self(span);
        if call.0.is_disabled() {
            return call;
        }
        let (provider, system) = gen_ai::provider(&endpoint.provider);
        call.set(gen_ai::OPERATION_NAME, gen_ai::CHAT);
        call.set(gen_ai::PROVIDER_NAME, provider.to_owned());
        call.set(gen_ai::SYSTEM, system.to_owned());
        call.set(gen_ai::REQUEST_MODEL, endpoint.model.clone());
        call.set(gen_ai::REQUEST_MAX_TOKENS, i64::from(question.max_tokens));
        call.set(gen_ai::PURPOSE, purpose.word());
        if let Some(url) = &endpoint.base_url {
            let host = match url.host() {
                Some(Host::Domain(name)) => name.to_owned(),
                Some(Host::Ipv4(address)) => address.to_string(),
                Some(Host::Ipv6(address)) => address.to_string(),
                None => String::new(),
            };
            call.set(gen_ai::SERVER_ADDRESS, host);
            call.set(gen_ai::SERVER_PORT, i64::from(url.port()));
        }
        if let Some(session) = &question.session {
            call.set(gen_ai::CONVERSATION_ID, session.clone());
            call.set(gen_ai::SESSION_ID, session.clone());
            call.set(gen_ai::LANGFUSE_SESSION_ID, session.clone());
        }
        call
    }

    /// What the call is made in.
    pub(super) fn span(&self) -> Span {
        self.0.clone()
    }

    pub(super) fn wait(&self, cost: UsDollars) -> Waiting<'_> {
        Waiting {
            call: self,
            cost,
            is_over: false,
        }
    }

    /// What was asked. Only for whoever has asked for it.
    pub(super) fn show_question(&self, question: &Question) {
        if self.0.is_disabled() {
            return;
        }
        let text = |text: &str| json!([{ "type": "text", "content": text }]);
        if let Some(system) = &question.system {
            self.set(gen_ai::SYSTEM_INSTRUCTIONS, text(system).to_string());
        }
        let asked = json!([{ "role": "user", "parts": text(&question.text) }]);
        self.set(gen_ai::INPUT_MESSAGES, asked.to_string());
    }

    /// What was answered. Only for whoever has asked for it.
    pub(super) fn show_answer(&self, reply: &Reply) {
        if self.0.is_disabled() {
            return;
        }
        let answered = json!([{
            "role": "assistant",
            "parts": [{ "type": "text", "content": reply.text }],
            "finish_reason": finish_reason(&reply.finish),
        }]);
        self.set(gen_ai::OUTPUT_MESSAGES, answered.to_string());
    }

    pub(super) fn answered(&self, reply: &Reply) {
        if self.0.is_disabled() {
            return;
        }
        if let Some(model) = &reply.model {
            self.set(gen_ai::RESPONSE_MODEL, shortened(model));
        }
        let reason = StringValue::from(shortened(finish_reason(&reply.finish)));
        let reasons = Value::Array(Array::String(vec![reason]));
        self.set(gen_ai::RESPONSE_FINISH_REASONS, reasons);
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let paid = &reply.paid;
        self.set(gen_ai::USAGE_INPUT_TOKENS, whole(paid.input_tokens));
        self.set(gen_ai::USAGE_OUTPUT_TOKENS, whole(paid.output_tokens));
        self.cost(paid.cost);
        self.set(gen_ai::TOKENS_ESTIMATED, paid.estimated);
        self.set(gen_ai::PRICE_KNOWN, reply.price_known);
        self.set(gen_ai::DURATION_MS, whole(milliseconds(reply.took)));
        if let Some(first) = reply.first_token {
            self.set(gen_ai::FIRST_TOKEN_MS, whole(milliseconds(first)));
        }
    }

    /// `cost`: what it counts for in the purse.
    pub(super) fn failed(&self, failure: &Failure, cost: UsDollars) {
        self.cost(cost);
        // Its message may hold words of the provider.
        self.failed_as(failure.kind.word());
    }

    fn cost(&self, cost: UsDollars) {
        if self.0.is_disabled() {
            return;
        }
        let dollars = cost.dollars();
        self.set(gen_ai::USAGE_COST, dollars);
        self.set(
            gen_ai::LANGFUSE_COST,
            json!({ "total": dollars }).to_string(),
        );
    }

    fn failed_as(&self, word: &'static str) {
        if self.0.is_disabled() {
            return;
        }
        self.set(gen_ai::ERROR_TYPE, word);
        self.0.set_status(Status::error(word));
    }

    /// Notes how good the answer was, from 0 to 1.
    pub fn scored(&self, score: f64) {
        if self.0.is_disabled() {
            return;
        }
        self.set(gen_ai::EVALUATION_NAME, "quality");
        self.set(gen_ai::EVALUATION_SCORE, score);
    }

    fn set(&self, name: &'static str, value: impl Into<Value>) {
        self.0.set_attribute(name, value);
    }
}

/// The conventions know these words, and leave the rest to providers.
fn finish_reason(finish: &Finish) -> &str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::Refusal => "content_filter",
        Finish::Other(word) => word,
    }
}

fn shortened(word: &str) -> String {
    word.chars().take(LONGEST_WORD).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::clients::aws::Account;
    use crate::clients::http::HttpUrl;
    use crate::clients::llm::Wire;
    use crate::purse::Settled;
    use crate::secret::Secret;

    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);

    impl SpanExporter for Kept {
        async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().expect("spans").append(&mut batch);
            Ok(())
        }
    }

    fn traced(work: impl FnOnce()) -> Vec<BTreeMap<String, String>> {
        let kept = Kept::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(kept.clone())
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, work);
        let spans = kept.0.lock().expect("spans");
        let attributes = |span: &SpanData| {
            let all = span.attributes.iter();
            all.map(|one| (one.key.to_string(), one.value.to_string()))
                .collect()
        };
        spans.iter().map(attributes).collect()
    }

    fn endpoint() -> Endpoint {
        Endpoint {
            provider: "azure".to_owned(),
            wire: Wire::Azure,
            model: "deployed".to_owned(),
            base_url: HttpUrl::parse("https://user:canary@llm.example.com/a").ok(),
            key: Some(Secret::new("canary")),
            api_version: None,
            account: Account::default(),
            region: None,
            num_ctx: None,
            price: None,
            tls: crate::clients::tls::TlsSettings::default(),
        }
    }

    #[test]
    fn a_call_belongs_to_its_session_and_takes_its_score_when_it_is_over() {
        let question = Question {
            system: Some("canary".to_owned()),
            text: "canary".to_owned(),
            max_tokens: 7,
            session: Some("i-20261129-1".to_owned()),
            form: None,
        };
        let spans = traced(|| {
            let call = Call::begin(Purpose::Analysis, &endpoint(), &question);
            call.span().in_scope(|| ());
            let reply = Reply {
                text: "canary".to_owned(),
                finish: Finish::Other("w".repeat(1_000)),
                model: None,
                first_token: Some(Duration::from_millis(12)),
                took: Duration::from_millis(34),
                paid: Settled::default(),
                price_known: false,
                call: call.clone(),
            };
            call.answered(&reply);
            drop(call);
            reply.call.scored(0.75);
        });
        let [call] = spans.as_slice() else {
            panic!("{spans:#?}");
        };
        for (name, expected) in [
            (gen_ai::SESSION_ID, "i-20261129-1"),
            (gen_ai::LANGFUSE_SESSION_ID, "i-20261129-1"),
            (gen_ai::CONVERSATION_ID, "i-20261129-1"),
            (gen_ai::PROVIDER_NAME, "azure.ai.openai"),
            (gen_ai::SYSTEM, "az.ai.openai"),
            (gen_ai::PURPOSE, "analysis"),
            (gen_ai::REQUEST_MAX_TOKENS, "7"),
            (gen_ai::SERVER_ADDRESS, "llm.example.com"),
            (gen_ai::SERVER_PORT, "443"),
            (gen_ai::FIRST_TOKEN_MS, "12"),
            (gen_ai::DURATION_MS, "34"),
            (gen_ai::EVALUATION_NAME, "quality"),
            (gen_ai::EVALUATION_SCORE, "0.75"),
        ] {
            assert_eq!(call.get(name).map(String::as_str), Some(expected), "{name}");
        }
        let longest = call.values().map(String::len).max();
        assert!(longest <= Some(LONGEST_WORD + 4), "{call:#?}");
        assert!(!format!("{call:?}").contains("canary"), "{call:#?}");
    }

    #[test]
    fn a_call_that_nobody_waits_for_any_more_does_not_look_well() {
        let question = Question {
            system: None,
            text: String::new(),
            max_tokens: 1,
            session: None,
            form: None,
        };
        let spans = traced(|| {
            let heard = Call::begin(Purpose::Probe, &endpoint(), &question);
            heard.wait(UsDollars::ZERO).over();
            let dropped = Call::begin(Purpose::Probe, &endpoint(), &question);
            drop(dropped.wait(UsDollars::from_dollars(0.25).expect("a price")));
        });
        let errors: Vec<_> = spans
            .iter()
            .map(|span| span.get(gen_ai::ERROR_TYPE).map(String::as_str))
            .collect();
        assert_eq!(errors, [Some("given_up"), None]);
        // It counts in full.
        let costs: Vec<_> = (spans.iter())
            .map(|span| span.get(gen_ai::USAGE_COST).map(String::as_str))
            .collect();
        assert_eq!(costs, [Some("0.25"), None]);
    }
}
