//! Language models: does one answer a question rightly, how soon, and for how much; or, for free, is it offered.

mod probe;
mod settings;

use std::time::Duration;

use super::{Collector, RunContext, SettingsProblem, Variables};
use crate::clients::Clients;
use crate::clients::llm::{Allowance, AskFailed, Finish, LlmClients, Question, Reply, Wire};
use crate::model::{
    Failure, FailureKind, KindSpec, Limit, MetricSpec, MonthlyPrice, Reading, Rule, Target,
    Timestamp, Unit,
};
use crate::purse::{PriceTable, Pricing, Purpose, Refusal, retired};
use probe::{Probe, is_offered, nearest_names};
pub use settings::{Method, PriceSettings, Settings};

/// Looks at language models.
pub struct LlmModels {
    llm: LlmClients,
}

const SAMPLE: &str = r"
- provider: bedrock
  model_id: us.anthropic.claude-haiku-5-5
  region: us-east-1                      # default: AWS_REGION, then the profile's
- provider: openai                       # the key: OPENAI_API_KEY
  model_id: gpt-4o-mini
  method: list                           # only ask, for free, whether it is offered
- provider: azure                        # AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_KEY
  model_id: chat                         # the deployment
  base_url: https://me.openai.azure.com
- provider: ollama
  model_id: llama3.2
  base_url: http://gpu-1:11434
- provider: in-house                     # whoever speaks OpenAI's language
  model_id: qwen3
  base_url: http://llm.example.com/v1
  price: {input_per_1k: 0, output_per_1k: 0}   # free; an unknown price counts as the dearest known
  max_tokens: 64
  question: What is the capital of France? One word.
  answer: Paris
";

const FIRST_TOKEN: &str = "first_token_ms";
const TOTAL_TIME: &str = "total_time_ms";
const AVAILABLE: &str = "available";
const THROTTLED: &str = "throttled";
const INPUT_TOKENS: &str = "input_tokens";
const OUTPUT_TOKENS: &str = "output_tokens";
const COST: &str = "cost_usd";

const METRICS: &[MetricSpec] = &[
    MetricSpec {
        headline: Some("first token after"),
        advice: Some(
            "look at the provider's status page; on one's own machine at its load and its GPU",
        ),
        ..MetricSpec::plain(
            FIRST_TOKEN,
            Unit::Milliseconds,
            "from the question to the first part of the answer's text, where it is streamed",
        )
    },
    MetricSpec {
        advice: Some(
            "look at the provider's status page; on one's own machine at its load and its GPU",
        ),
        ..MetricSpec::plain(
            TOTAL_TIME,
            Unit::Milliseconds,
            "from the question to the end of the answer",
        )
    },
    MetricSpec::plain(
        AVAILABLE,
        Unit::Flag,
        "whether it answered rightly, or is offered",
    ),
    MetricSpec {
        advice: Some("look less often, ask for a higher limit, or see who else uses the key"),
        ..MetricSpec::plain(
            THROTTLED,
            Unit::Flag,
            "whether the provider said that we ask too often (HTTP 429)",
        )
    },
    MetricSpec::plain(INPUT_TOKENS, Unit::Count, "tokens of the question"),
    MetricSpec::plain(
        OUTPUT_TOKENS,
        Unit::Count,
        "tokens of the answer, thinking included",
    ),
    MetricSpec {
        advice: Some("look less often, or at a smaller model"),
        ..MetricSpec::plain(COST, Unit::UsDollars, "what the look did cost")
    },
];

impl Collector for LlmModels {
    const KIND: KindSpec = KindSpec {
        key: "llm_models",
        title: "language models",
        how: "a question with one right answer, streamed, within the budget of the purse; or the provider's list",
        sample: SAMPLE,
        metrics: METRICS,
        default_timeout: Duration::from_mins(1),
        built: true,
    };

    type Settings = Settings;

    fn new(clients: &Clients) -> Self {
        Self {
            llm: clients.llm.clone(),
        }
    }

    fn complete(settings: &mut Settings, variable: Variables<'_>) {
        settings.complete(variable);
    }

    fn costs_money(settings: &Settings) -> bool {
        settings.method == Method::Generate && most_of_one(settings) > 0.0
    }

    fn host(settings: &Settings) -> Option<String> {
        let endpoint = settings.endpoint();
        match endpoint.wire {
            Wire::Bedrock => {
                let region = endpoint.region.as_deref();
                (endpoint.account).outside_host("bedrock-runtime", region)
            }
            _ => endpoint.base_url?.outside_host(),
        }
    }

    fn region(settings: &Settings) -> Option<String> {
        settings.endpoint().region
    }

    fn default_name(settings: &Settings) -> String {
        format!("{}/{}", settings.provider, settings.model_id)
    }

    fn monthly_price(settings: &Settings, looks_per_month: f64) -> Option<MonthlyPrice> {
        Self::costs_money(settings).then(|| MonthlyPrice {
            usd: most_of_one(settings) * looks_per_month,
            what: "questions to language models",
            of_each_found: false,
        })
    }

    fn rules(_: &Settings) -> Vec<Rule> {
        vec![
            Rule::default_of_kind(FIRST_TOKEN, Some(Limit::above(5_000.0)), None),
            Rule::default_of_kind(THROTTLED, Some(Limit::equal("yes")), None),
        ]
    }

    fn check(settings: &Settings, _: Variables<'_>) -> Vec<SettingsProblem> {
        settings.check()
    }

    async fn look(
        &self,
        _: &Target,
        settings: &Settings,
        run: &RunContext,
    ) -> Result<Reading, Failure> {
        let now = run.clock.now();
        if let Some((gone, successor)) =
            retired(&settings.provider, &settings.model_id, now.date_naive())
        {
            let message = format!(
                "the model `{}` was retired on {}",
                settings.model_id, gone.on
            );
            return Err(
                Failure::new(FailureKind::Missing, message).hint(format!("use `{successor}`"))
            );
        }
        match settings.method {
            Method::List => self.list(settings, run.timeout).await,
            Method::Generate => self.generate(settings, run, now).await,
        }
    }
}

/// The most that one look can cost, in US dollars.
fn most_of_one(settings: &Settings) -> f64 {
    let known = || {
        PriceTable::default().pricing(
            &settings.provider,
            &settings.model_id,
            chrono::NaiveDate::MAX,
        )
    };
    let pricing = settings
        .price
        .map_or_else(known, |price| Pricing::own(price.into()));
    let question = settings
        .question
        .as_ref()
        .map_or(Probe::LONGEST_QUESTION, String::len);
    let input = u64::try_from(question).unwrap_or(u64::MAX);
    pricing
        .of(input, u64::from(settings.max_tokens()))
        .dollars()
}

impl LlmModels {
    async fn list(&self, settings: &Settings, timeout: Duration) -> Result<Reading, Failure> {
        let offered = self.llm.offered(&settings.endpoint(), timeout).await?;
        if !is_offered(&settings.model_id, &offered) {
            let message = format!(
                "`{}` does not offer the model `{}`",
                settings.provider, settings.model_id
            );
            return Err(Failure::new(FailureKind::Missing, message)
                .hint(nearest_names(&settings.model_id, &offered)));
        }
        let mut reading = Reading::default();
        reading.flag(AVAILABLE, None, true);
        Ok(reading)
    }

    async fn generate(
        &self,
        settings: &Settings,
        run: &RunContext,
        now: Timestamp,
    ) -> Result<Reading, Failure> {
        let endpoint = settings.endpoint();
        let probe = Probe::of(settings, now);
        let question = Question {
            system: None,
            text: probe.question.clone(),
            max_tokens: settings.max_tokens(),
            session: run.round.as_deref().map(str::to_owned),
            form: None,
        };
        let allowance = Allowance {
            time: run.timeout,
            max_tokens_with_thinking: settings.max_tokens_with_thinking(),
        };
        let asked = self
            .llm
            .ask(Purpose::Probe, &endpoint, &question, allowance, now)
            .await;
        let reply = match asked {
            Ok(reply) => reply,
            Err(AskFailed::NotPaid(refusal)) => return Err(not_paid(&refusal)),
            Err(AskFailed::Failed(failure)) => return self.failed(settings, failure).await,
        };
        let mut reading = reading(&reply);
        match judge(&probe, &reply, settings) {
            Ok(()) => {
                reading.flag(AVAILABLE, None, true);
                Ok(reading)
            }
            Err(failure) => Err(failure.seen(reading)),
        }
    }

    async fn failed(&self, settings: &Settings, failure: Failure) -> Result<Reading, Failure> {
        match failure.kind {
            // It is there, and answers others.
            FailureKind::Throttled => {
                let mut reading = Reading::default();
                reading.flag(THROTTLED, None, true);
                reading.note(THROTTLED, None, failure.message);
                Ok(reading)
            }
            FailureKind::Missing => {
                const PATIENCE: Duration = Duration::from_secs(5);
                let offered = self.llm.offered(&settings.endpoint(), PATIENCE).await;
                // Without a list the failure says enough.
                Err(match offered {
                    Ok(offered) if !offered.is_empty() => {
                        failure.hint(nearest_names(&settings.model_id, &offered))
                    }
                    _ => failure,
                })
            }
            _ => Err(failure),
        }
    }
}

fn not_paid(refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::Spent { .. } => Failure::ours(format!("not asked: {refusal}"))
            .hint("raise `llm.daily_budget_usd`, look less often (`every`), or use `method: list`, which is free")
            .by_choice(),
        Refusal::NoLedger(_) => Failure::ours(format!("not asked: {refusal}"))
            .hint("what cannot be noted is not spent: look at the folder of the store"),
    }
}

fn reading(reply: &Reply) -> Reading {
    let mut reading = Reading::default();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
    if let Some(first_token) = reply.first_token {
        reading.number(
            FIRST_TOKEN,
            None,
            milliseconds(first_token),
            Unit::Milliseconds,
        );
    }
    reading.number(
        TOTAL_TIME,
        None,
        milliseconds(reply.took),
        Unit::Milliseconds,
    );
    reading.flag(THROTTLED, None, false);
    #[expect(clippy::cast_precision_loss, reason = "token counts are small")]
    let count = |tokens: u64| tokens as f64;
    reading.number(
        INPUT_TOKENS,
        None,
        count(reply.paid.input_tokens),
        Unit::Count,
    );
    reading.number(
        OUTPUT_TOKENS,
        None,
        count(reply.paid.output_tokens),
        Unit::Count,
    );
    reading.number(COST, None, reply.paid.cost.dollars(), Unit::UsDollars);
    if reply.paid.estimated {
        reading.fact("tokens", "estimated: the provider reports none");
    }
    if !reply.price_known {
        reading.fact(
            "price",
            "not known: counted as the dearest that is (`price` sets it)",
        );
    }
    if let Some(model) = &reply.model {
        reading.fact("answered as", model.clone());
    }
    reading
}

fn judge(probe: &Probe, reply: &Reply, settings: &Settings) -> Result<(), Failure> {
    if probe.is_right(&reply.text) {
        return Ok(());
    }
    let model = &settings.model_id;
    let unexpected = |message: String, hint: &str| {
        Err(Failure::new(FailureKind::Unexpected, message).hint(hint))
    };
    match &reply.finish {
        // Whether it knows the answer is not known.
        Finish::Length => Err(Failure::ours(format!(
            "`{model}` used all of its {} tokens before it came to an answer",
            // It may have been given more, to think.
            u64::from(settings.max_tokens()).max(reply.paid.output_tokens)
        ))
        .hint("raise `max_tokens`: some models think first, and that counts")),
        Finish::Refusal => unexpected(
            format!("`{model}` refused the question"),
            "look at the filters of the provider, or ask another `question`",
        ),
        _ if reply.text.trim().is_empty() => unexpected(
            format!("`{model}` gave an empty answer"),
            "look at the provider's status page, or ask another `question`",
        ),
        _ => unexpected(
            format!(
                "`{model}` answered `{}` where `{}` is right",
                probe::shown(&reply.text),
                probe.answer
            ),
            "is it the model that it says? look at the provider's status page, or ask another `question`",
        ),
    }
}
