//! Language models, whoever runs them: one small file for each wire format, and a table of providers on top.
//!
//! Every call that may cost something is paid from the purse: the most it can cost is reserved before it is made, and
//! settled from what the provider reports. There is no way around it.

pub mod address;
mod anthropic;
mod bedrock;
mod document;
mod family;
mod form;
mod free;
mod in_turn;
mod ollama;
mod openai;
mod paying;
mod providers;
mod refusal;
mod send;
mod sse;
mod traced;

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument;

pub use family::Family;
pub use form::Form;
pub use free::KeyAnswer;
pub use providers::{Endpoint, KeyCheck, PROVIDERS, Provider, Wire, provider};
pub use traced::Call;

use super::aws::AwsClients;
use super::http::HttpClients;
use crate::model::{Failure, Timestamp, UsDollars};
use crate::purse::{
    Budget, Ledger, NoLedger, PriceTable, Purpose, Refusal, Reserved, Settled, USUAL_DAILY_USD,
    Wanted,
};
use crate::secret::Redactor;
use in_turn::OnceFailed;
use paying::{paid, pricing, worst};

/// How long a connection to a provider may take to open.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What the model is to be.
    pub system: Option<String>,
    /// The question.
    pub text: String,
    /// The longest answer that is paid for, thinking included.
    pub max_tokens: u32,
    /// The round or the incident that it is about, for those who read traces.
    pub session: Option<String>,
    /// The answer is to be a JSON object of this form. Who has nothing for that is asked all the same.
    pub form: Option<Form>,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// The model was done.
    Stop,
    /// It reached `max_tokens`.
    Length,
    /// The model, or a filter before it, refused.
    Refusal,
    /// Anything else, in the provider's word.
    Other(String),
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Its text.
    pub text: String,
    /// Why it ended.
    pub finish: Finish,
    /// The model that answered, as it called itself.
    pub model: Option<String>,
    /// From the question to the first part of the text; `None`: it came in one piece.
    pub first_token: Option<Duration>,
    /// From the question to the end.
    pub took: Duration,
    /// Tokens and what they cost.
    pub paid: Settled,
    /// Whether the price is known; otherwise the dearest we know was taken.
    pub price_known: bool,
    /// Its trace, for whoever judges the answer.
    pub call: Call,
}

/// What a wire format makes of an answer.
#[derive(Debug, Default)]
struct Parsed {
    text: String,
    /// The block in which a tool is called: then what it is given is the text.
    tool: Option<u64>,
    finish: Option<Finish>,
    model: Option<String>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    /// Where in the body the first part of the text began, or when it came.
    first_token: FirstToken,
    /// The provider said in the answer that it failed.
    error: Option<Trouble>,
    /// Whether there was thinking aloud, which is no part of the text.
    thought: bool,
    /// Whether the answer came to its end.
    complete: bool,
}

impl Parsed {
    /// Whether nothing came that anybody could be charged for.
    fn is_nothing(&self) -> bool {
        self.text.is_empty() && !self.thought && self.output_tokens.unwrap_or(0) == 0
    }
}

/// What a provider says of its failure in an answer that began well.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trouble {
    /// In words.
    said: String,
    /// The status of HTTP that it stands for.
    status: Option<u16>,
}

/// How a question is put, as far as that is found out by asking and must be paid for anew.
#[derive(Debug, Clone, Copy)]
struct Manner {
    /// The answer is to come in parts.
    in_parts: bool,
    /// The model thinks as it likes. Otherwise one that can be kept from it is.
    may_think: bool,
}

#[derive(Debug, Default, Clone, Copy)]
enum FirstToken {
    #[default]
    Unknown,
    AtByte(usize),
    After(Duration),
}

/// An answer, how long it took in all and until its first part; or why there is none.
type Sent = Result<(Parsed, Duration, Option<Duration>), send::SendFailed>;

/// A question that was not answered.
#[derive(Debug, Clone, PartialEq)]
pub enum AskFailed {
    /// The purse does not pay for it.
    NotPaid(Refusal),
    /// The call failed.
    Failed(Failure),
}

/// What a call may take.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// How long, from when the purse has paid for it.
    pub time: Duration,
    /// The longest answer that is paid for where the model cannot be kept from thinking first.
    pub max_tokens_with_thinking: u32,
}

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
enum Limit {
    /// From when the purse has paid for it.
    OncePaid(Duration),
    /// Whatever the purse takes.
    Until(Instant),
}

impl Limit {
    /// What is left of it when so much has been taken. There is no other bound: who may set it has one of his own.
    fn left(self, taken: Duration, now: Instant) -> Duration {
        match self {
            Self::OncePaid(timeout) => timeout.saturating_sub(taken),
            Self::Until(end) => end.saturating_duration_since(now),
        }
    }
}

/// On which terms calls are made: what a configuration says of money and of traces.
#[derive(Debug, Clone)]
pub struct Terms {
    /// How much may be spent.
    pub budget: Budget,
    /// What models cost.
    pub prices: PriceTable,
    /// Whether questions and answers go where traces go.
    pub trace_prompts: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            budget: Budget {
                daily: UsDollars::from_dollars(USUAL_DAILY_USD).unwrap_or_default(),
                zone: chrono_tz::UTC,
            },
            prices: PriceTable::default(),
            trace_prompts: false,
        }
    }
}

/// Everybody's way to language models. Cheap to clone.
#[derive(Clone)]
pub struct LlmClients {
    http: HttpClients,
    aws: AwsClients,
    terms: Arc<RwLock<Terms>>,
    ledger: Arc<dyn Ledger>,
}

impl LlmClients {
    /// Makes them, without a ledger: only what is free is done. Does no I/O.
    #[must_use]
    pub fn new(http: HttpClients, aws: AwsClients) -> Self {
        Self {
            http,
            aws,
            terms: Arc::default(),
            ledger: Arc::new(NoLedger),
        }
    }

    /// The same, paid from this ledger.
    #[must_use]
    pub fn paid_from(self, ledger: Arc<dyn Ledger>) -> Self {
        Self { ledger, ..self }
    }

    /// Other terms, from the next call on, for all clones.
    pub fn use_terms(&self, terms: Terms) {
        *self.terms.write().unwrap_or_else(PoisonError::into_inner) = terms;
    }

    fn terms(&self) -> Terms {
        self.terms
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Asks a model, within what is allowed.
    ///
    /// # Errors
    /// The purse does not pay for it, or the call failed.
    pub async fn ask(
        &self,
        purpose: Purpose,
        endpoint: &Endpoint,
        question: &Question,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<Reply, AskFailed> {
        let limit = Limit::OncePaid(allowance.time);
        let room = allowance.max_tokens_with_thinking;
        let asked = self.ask_once(purpose, endpoint, question, room, limit, now);
        asked.await.map_err(|failed| match failed {
            OnceFailed::NotPaid(refusal) => AskFailed::NotPaid(refusal),
            OnceFailed::Failed(failure, _) => AskFailed::Failed(failure),
        })
    }

    async fn ask_once(
        &self,
        purpose: Purpose,
        endpoint: &Endpoint,
        question: &Question,
        max_tokens_with_thinking: u32,
        limit: Limit,
        now: Timestamp,
    ) -> Result<Reply, OnceFailed> {
        let terms = self.terms();
        let pricing = pricing(&terms, endpoint, now);
        let mut question = Cow::Borrowed(question);
        let mut manner = Manner {
            in_parts: true,
            may_think: false,
        };
        let mut taken = Duration::ZERO;
        loop {
            let wanted = Wanted {
                purpose,
                provider: endpoint.provider.clone(),
                model: endpoint.model.clone(),
                worst: worst(&pricing, &question),
            };
            let worst = wanted.worst;
            let reserved = match self.reserve(terms.budget, wanted, now).await {
                // What is free is done also where nothing can be noted.
                Err(Refusal::NoLedger(_)) if worst == UsDollars::ZERO => None,
                reserved => Some(reserved.map_err(OnceFailed::NotPaid)?),
            };
            let began = Instant::now();
            let left = limit.left(taken, began);
            let call = Call::begin(purpose, endpoint, &question);
            if terms.trace_prompts {
                call.show_question(&question);
            }
            let sending = self.send(endpoint, &question, manner, left, now);
            let waiting = call.wait(worst);
            let sent = sending.instrument(call.span()).await;
            let sent = without_key(sent, endpoint);
            waiting.over();
            let failed = match sent {
                Ok((parsed, took, first_token)) => {
                    let paid = paid(&parsed, &question, &pricing);
                    self.settle(reserved, paid).await;
                    let reply = Reply {
                        text: parsed.text,
                        finish: parsed.finish.unwrap_or(Finish::Stop),
                        model: parsed.model,
                        first_token,
                        took,
                        paid,
                        price_known: pricing.is_known,
                        call: call.clone(),
                    };
                    call.answered(&reply);
                    if terms.trace_prompts {
                        call.show_answer(&reply);
                    }
                    return Ok(reply);
                }
                Err(failed) => failed,
            };
            let once_more = failed.after(manner);
            // Whoever was refused, or never reached anybody, pays nothing. Otherwise the reservation stands: the answer may
            // have been made, and lost on its way, or it came and could not be read.
            let cost = if failed.is_free {
                UsDollars::ZERO
            } else {
                worst
            };
            call.failed(&failed.failure, cost);
            if failed.is_free {
                self.settle(reserved, Settled::default()).await;
            }
            let Some(next) = once_more else {
                return Err(OnceFailed::Failed(failed.failure, failed.again));
            };
            if next.may_think && question.max_tokens < max_tokens_with_thinking {
                question.to_mut().max_tokens = max_tokens_with_thinking;
            }
            manner = next;
            taken += began.elapsed();
        }
    }

    async fn reserve(
        &self,
        budget: Budget,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<Reserved, Refusal> {
        let ledger = Arc::clone(&self.ledger);
        // The ledger waits for its disk, and for other processes.
        let reserved =
            tokio::task::spawn_blocking(move || ledger.reserve(&budget, &wanted, now)).await;
        let lost = || Err(Refusal::NoLedger("asking it panicked".to_owned()));
        reserved.unwrap_or_else(|_| lost())
    }

    /// What all calls of today did cost, and what they may; `None`: it cannot be read.
    pub async fn spent(&self, now: Timestamp) -> Option<(UsDollars, UsDollars)> {
        let (ledger, budget) = (Arc::clone(&self.ledger), self.terms().budget);
        let reading = move || ledger.spent(&budget, Purpose::Analysis, now);
        let spent = tokio::task::spawn_blocking(reading).await.ok()??;
        Some((spent.all, budget.daily))
    }

    /// The day of the budget that a time belongs to: `2026-11-29`.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> String {
        self.terms().budget.day(at)
    }

    /// What was bought under that name before; `None`: nothing, or it cannot be read.
    pub async fn bought(&self, name: &str) -> Option<String> {
        let (ledger, name) = (Arc::clone(&self.ledger), name.to_owned());
        let reading = tokio::task::spawn_blocking(move || ledger.bought(&name));
        reading.await.ok()?
    }

    /// Keeps what was bought, so that nobody pays for it again.
    pub async fn keep_bought(&self, name: &str, what: String, now: Timestamp) {
        let (ledger, name) = (Arc::clone(&self.ledger), name.to_owned());
        let keeping = move || ledger.keep_bought(&name, &what, now);
        // Without it somebody pays again, and no more.
        tokio::task::spawn_blocking(keeping).await.ok();
    }

    async fn settle(&self, reserved: Option<Reserved>, settled: Settled) {
        let Some(reserved) = reserved else {
            return;
        };
        let ledger = Arc::clone(&self.ledger);
        let noted = tokio::task::spawn_blocking(move || ledger.settle(reserved, &settled)).await;
        if let Ok(Err(error)) = noted {
            tracing::warn!(event = "purse.not_settled", %error, "what a call did cost could not be noted: it counts in full");
        }
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        question: &Question,
        manner: Manner,
        timeout: Duration,
        now: Timestamp,
    ) -> Sent {
        match endpoint.wire {
            Wire::Bedrock => {
                bedrock::ask(&self.aws, endpoint, question, manner, timeout, now).await
            }
            _ => send::ask(&self.http, endpoint, question, manner, timeout).await,
        }
    }

    /// The models that a provider offers, by their names there; free of charge.
    ///
    /// # Errors
    /// It does not say.
    pub async fn offered(
        &self,
        endpoint: &Endpoint,
        timeout: Duration,
    ) -> Result<Vec<String>, Failure> {
        free::offered(&self.http, endpoint, timeout).await
    }

    /// Asks a provider, for free, whether a key is good.
    ///
    /// # Errors
    /// Nobody answered, or not as such a service does. A key that is refused is no error.
    pub async fn check_key(
        &self,
        check: &KeyCheck,
        timeout: Duration,
    ) -> Result<KeyAnswer, Failure> {
        free::check_key(&self.http, check, timeout).await
    }
}

/// Some repeat the key that they were called with: in what they complain of, or as an answer.
fn without_key(sent: Sent, endpoint: &Endpoint) -> Sent {
    let mut keys = Redactor::default();
    if let Some(key) = &endpoint.key {
        keys.add(key.expose());
    }
    match sent {
        Ok((mut parsed, took, first_token)) => {
            keys.redact(&mut parsed.text);
            parsed.model.iter_mut().for_each(|name| keys.redact(name));
            if let Some(Finish::Other(word)) = &mut parsed.finish {
                keys.redact(word);
            }
            Ok((parsed, took, first_token))
        }
        Err(mut failed) => {
            keys.redact(&mut failed.failure.message);
            Err(failed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_the_time_that_was_set_for_it_however_long() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let day = Duration::from_hours(24);
        assert_eq!(
            Limit::OncePaid(day).left(second, now),
            Duration::from_secs(86_399)
        );
        assert_eq!(Limit::Until(now + day).left(second, now), day);
        assert_eq!(Limit::Until(now).left(second, now + second), Duration::ZERO);
    }
}
