//! Puts what the correlation found into words, by a language model: asked within a deadline and a budget, believed as far as
//! facts carry it. What goes wrong costs the words and nothing else.

mod who;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::NaiveDate;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::answer::{Discarded, read, schema};
use super::prompt::Prompt;
use super::score::score;
use super::untrusted::{CLOSE, OPEN, said};
use crate::clients::llm::{AskFailed, Endpoint, Finish, Form, LlmClients, Question, Reply};
use crate::clock::{Clock, milliseconds};
use crate::model::{Explanation, IncidentId, Timestamp, UsDollars};
use crate::purse::{Purpose, Refusal};
use crate::redaction;
use crate::secret::Redactor;
use crate::traces;

pub use who::{Settings, When};

use who::{living, no_price};

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// An incident.
    Incident(IncidentId),
    /// A round, by its name.
    Round(String),
}

impl About {
    /// The name by which traces hold together what belongs together: that of the round, or the number of the incident and the
    /// store in which it has that number.
    #[must_use]
    pub fn session(&self, store: Option<&str>) -> String {
        match (self, store) {
            (Self::Incident(id), Some(store)) => format!("incident-{id}@{store}"),
            (Self::Incident(id), None) => format!("incident-{id}"),
            (Self::Round(id), _) => id.clone(),
        }
    }
}

/// A question for the analyst.
#[derive(Debug)]
pub struct Ask {
    /// About what.
    pub about: About,
    /// The question.
    pub prompt: Prompt,
    /// Who is asked, and on which terms.
    pub settings: Settings,
}

/// What came of it.
#[derive(Debug)]
pub struct Told {
    /// About what it was asked.
    pub about: About,
    /// See [`Prompt::picture`].
    pub picture: String,
    /// What it said, or why it said nothing that counts.
    pub outcome: Result<Explanation, NotExplained>,
}

/// Why there is no explanation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotExplained {
    /// The purse does not pay for it.
    #[error("{why}")]
    NotPaid {
        /// Why.
        why: String,
        /// The day of the budget: `2026-11-29`.
        day: String,
    },
    /// Nobody can be: the models are gone and nothing takes their place, or there is no key.
    #[error("{0}")]
    Nobody(String),
    /// It did not answer, or not in time.
    #[error("the language model did not answer: {0}")]
    Failed(String),
    /// Its answer is not to be shown.
    #[error("the language model's answer is not shown: {0}")]
    Discarded(String),
}

/// Asks the models of a configuration.
pub struct Analyst {
    /// The way to them.
    pub llm: LlmClients,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// What the store of the incidents is called; their numbers begin anew in each.
    pub store: Option<String>,
}

/// So much later than the deadline a call is given up that does not end by itself.
const LENIENCE: Duration = Duration::from_secs(1);

/// What a model is told whose answer was not of the form.
const REPAIR: &str = "\n\nYour last answer was not the JSON object that was asked for. Answer again: the object, and nothing else.";

/// How long it may be said why a model did not answer, in characters.
const LONGEST_WHY: usize = 300;

/// How long the name of a model may be, in characters.
const LONGEST_MODEL: usize = 60;

impl Analyst {
    /// Answers one after the other until nobody asks any more, or it is to stop: an answer that is waited for is given up then.
    pub async fn run(
        self,
        mut asked: mpsc::Receiver<Ask>,
        told: mpsc::Sender<Told>,
        stop: CancellationToken,
    ) {
        while let Some(ask) = asked.recv().await {
            let Ask {
                about,
                prompt,
                settings,
            } = ask;
            let session = about.session(self.store.as_deref());
            let trace = traces::analysis(None, &session);
            let explaining = self.explain(&settings, &prompt, &session).instrument(trace);
            let explaining = Box::pin(explaining);
            let Some(outcome) = stop.run_until_cancelled(explaining).await else {
                return;
            };
            if let Err(why) = &outcome {
                tracing::warn!(event = "analysis.not_explained", session, "{why}");
            }
            let picture = prompt.picture;
            if told
                .send(Told {
                    about,
                    picture,
                    outcome,
                })
                .await
                .is_err()
            {
                return;
            }
        }
    }

    /// Asks about something, within the deadline.
    ///
    /// # Errors
    /// There is no answer that counts.
    pub async fn explain(
        &self,
        settings: &Settings,
        prompt: &Prompt,
        session: &str,
    ) -> Result<Explanation, NotExplained> {
        let now = self.clock.now();
        let today = now.date_naive();
        let redactor = redaction::Redactor::new(&settings.secrets, false);
        let (endpoints, notes) = living(settings, today)?;
        let deadline = tokio::time::Instant::now() + settings.deadline;
        // A report and an incident may ask the same of one trouble that they have seen a second apart.
        let names = [prompt.picture.as_str(), without_now(&prompt.text)];
        let names = names.map(|about| name_of(about, &endpoints));
        for name in &names {
            let known = tokio::time::timeout_at(deadline, self.known(name)).await;
            if let Ok(Some(known)) = known {
                return Ok(known);
            }
        }
        let mut question = Question {
            system: Some(prompt.system.to_owned()),
            text: as_sent(prompt, &settings.secrets),
            max_tokens: settings.max_tokens,
            session: Some(session.to_owned()),
            form: Some(Form {
                name: "explanation",
                schema: schema(),
            }),
        };
        let mut paid = UsDollars::ZERO;
        let mut took = Duration::ZERO;
        for is_last in [false, true] {
            let asked = self.ask(&endpoints, &question, deadline, now).await;
            let day = || self.llm.day(now);
            let (reply, endpoint) = asked.map_err(|why| match why {
                NotAnswered::NotPaid(refusal) => NotExplained::NotPaid {
                    why: not_paid(&refusal, settings, today),
                    day: day(),
                },
                // A provider may repeat what it was sent, and more: that was collected, or is secret.
                NotAnswered::Failed(why) => {
                    NotExplained::Failed(said(&redactor.redact(&why), LONGEST_WHY, &[]))
                }
            })?;
            paid = paid + reply.paid.cost;
            took += reply.took;
            match finished(&reply).and_then(|()| read(&reply.text, prompt)) {
                Ok(mut answer) => {
                    for text in answer.texts_mut() {
                        redactor.redact_in_place(text);
                    }
                    let notes =
                        notes
                            .into_iter()
                            .chain(no_price(endpoint, &settings.prices, today));
                    let notes: Vec<String> = notes.collect();
                    let score_percent = score(&answer, prompt);
                    reply.call.scored(f64::from(score_percent) / 100.0);
                    let explanation = Explanation {
                        at: now,
                        outdated: false,
                        reused: false,
                        provider: endpoint.provider.clone(),
                        // What calls itself so is the server's word, and stands in every message.
                        model: (reply.model)
                            .map(|name| said(&redactor.redact(&name), LONGEST_MODEL, &[]))
                            .filter(|name| !name.is_empty())
                            .unwrap_or_else(|| endpoint.model.clone()),
                        note: (!notes.is_empty()).then(|| notes.join("; ")),
                        facts: answer.facts(prompt),
                        summary: answer.summary,
                        cause: answer.cause,
                        confidence: answer.confidence,
                        impact: answer.impact,
                        steps: answer.steps,
                        plain: answer.plain,
                        claims_dropped: answer.claims_dropped,
                        score_percent,
                        cost: paid.to_string(),
                        budget: self.budget(now).await,
                        took_ms: milliseconds(took),
                    };
                    for name in &names {
                        self.keep(name, &explanation).await;
                    }
                    return Ok(explanation);
                }
                Err(Discarded::NotOfTheForm) if !is_last => question.text.push_str(REPAIR),
                Err(why) => return Err(NotExplained::Discarded(why.to_string())),
            }
        }
        Err(NotExplained::Discarded(Discarded::NotOfTheForm.to_string()))
    }

    async fn ask<'a>(
        &self,
        endpoints: &'a [Endpoint],
        question: &Question,
        deadline: tokio::time::Instant,
        now: Timestamp,
    ) -> Result<(Reply, &'a Endpoint), NotAnswered> {
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        let asking = self
            .llm
            .ask_in_turn(Purpose::Analysis, endpoints, question, left, now);
        // The clients keep to the time themselves; nothing that hangs elsewhere may hold up the next question.
        let asked = tokio::time::timeout_at(deadline + LENIENCE, asking).await;
        match asked {
            Ok(Ok((reply, index))) => match endpoints.get(index) {
                Some(endpoint) => Ok((reply, endpoint)),
                None => Err(NotAnswered::Failed("nobody knows who answered".to_owned())),
            },
            Ok(Err(AskFailed::NotPaid(refusal))) => Err(NotAnswered::NotPaid(refusal)),
            Ok(Err(AskFailed::Failed(failure))) => Err(NotAnswered::Failed(failure.message)),
            Err(_) => {
                let why = "nothing came within the deadline (`llm.deadline`)".to_owned();
                Err(NotAnswered::Failed(why))
            }
        }
    }

    /// What was said of the same before, by whomever: the daemon, or a round at a prompt.
    async fn known(&self, name: &str) -> Option<Explanation> {
        let json = self.llm.bought(name).await?;
        let known: Explanation = serde_json::from_str(&json).ok()?;
        Some(Explanation {
            reused: true,
            ..known
        })
    }

    async fn keep(&self, name: &str, explanation: &Explanation) {
        if let Ok(json) = serde_json::to_string(explanation) {
            self.llm.keep_bought(name, json, explanation.at).await;
        }
    }

    /// `today $0.31 of $3.00`
    async fn budget(&self, now: Timestamp) -> Option<String> {
        let (spent, daily) = self.llm.spent(now).await?;
        Some(format!("today {spent} of {daily}"))
    }
}

/// A question without the sentence that says when it is asked.
fn without_now(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(_, rest)| rest)
}

/// The name under which an answer is kept: about the same, by the same models and the same program.
fn name_of(about: &str, endpoints: &[Endpoint]) -> String {
    let mut whole = format!("{}\n{about}", env!("CARGO_PKG_VERSION"));
    for endpoint in endpoints {
        whole.push_str(&format!("\n{}/{}", endpoint.provider, endpoint.model));
    }
    let hashed = digest(&SHA256, whole.as_bytes());
    let mut name = String::with_capacity(64);
    for byte in hashed.as_ref() {
        // Text takes all that is written to it.
        write!(name, "{byte:02x}").ok();
    }
    name
}

/// The question as it leaves the house. Each collected text is redacted by itself: what looks like the beginning of a secret
/// in one of them must not take the mark behind it, and a key that begins in one and ends in another not all that lies between.
#[must_use]
pub fn as_sent(prompt: &Prompt, secrets: &Redactor) -> String {
    let redactor = redaction::Redactor::new(secrets, false);
    let mut sent = String::with_capacity(prompt.text.len());
    for piece in prompt.text.split_inclusive(CLOSE) {
        match piece
            .strip_suffix(CLOSE)
            .and_then(|piece| piece.split_once(OPEN))
        {
            Some((ours, collected)) => {
                sent.push_str(ours);
                sent.push(OPEN);
                sent.push_str(&redactor.redact(collected));
                sent.push(CLOSE);
            }
            None => sent.push_str(piece),
        }
    }
    sent
}

/// Why there is no answer, as it was said.
enum NotAnswered {
    NotPaid(Refusal),
    Failed(String),
}

fn not_paid(refusal: &Refusal, settings: &Settings, today: NaiveDate) -> String {
    let mut why = format!("the language model was not asked: {refusal}");
    if let Refusal::Spent { limit, worst, .. } = refusal
        && worst > limit
    {
        why += "; that is more than a whole day has: raise `llm.daily_budget_usd`, or lower `llm.max_tokens`";
    }
    let mut unknown = settings.endpoints.iter();
    if let Some(unknown) = unknown.find_map(|one| no_price(one, &settings.prices, today)) {
        why = format!("{why}; {unknown}");
    }
    why
}

fn finished(reply: &Reply) -> Result<(), Discarded> {
    match &reply.finish {
        Finish::Length => Err(Discarded::Cut),
        Finish::Refusal => Err(Discarded::Refused),
        Finish::Stop | Finish::Other(_) => Ok(()),
    }
}
