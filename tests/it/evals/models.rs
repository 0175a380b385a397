//! The incidents, put into words by a language model that somebody names: `make eval MODEL=provider/model`. What comes of it is
//! one line more in `docs/evals-models.md`, which no test compares: a model answers otherwise tomorrow.

use std::fmt;

use roundsman::analysis::analyst::NotExplained;
use roundsman::analysis::answer::Discarded;
use roundsman::model::{Claim, Explanation, UsDollars};

use super::asking::{Asking, WATCHED};
use super::incident::{Incident, Truth};
use super::replay::{Variation, replay};
use super::score::Share;
use super::words::{Asked, asked, median, model, section};
use super::{incidents, is_asked, print, variable};

const PAGE: &str = "docs/evals-models.md";

/// What a model made of the incidents.
#[derive(Default)]
struct Tally {
    /// An answer came in time.
    answered: Share,
    /// It was of the form, at the first try or at the second.
    of_the_form: Share,
    at_once: Share,
    shown: Share,
    /// Of all sentences of what is shown.
    claims_kept: Share,
    /// Of the facts that the truth names.
    facts_cited: Share,
    /// What it names as the cause rests on a true one.
    true_cause: Share,
    /// It names none where there is none.
    abstained: Share,
    scores: Vec<u8>,
    took_ms: Vec<u64>,
}

fn claims(said: &Explanation) -> impl Iterator<Item = &Claim> {
    let parts = [
        said.summary.as_ref(),
        said.cause.as_ref(),
        said.impact.as_ref(),
    ];
    parts.into_iter().flatten().chain(&said.steps)
}

impl Tally {
    fn add(
        &mut self,
        truth: &Truth,
        asked: &Asked,
        outcome: &Result<Explanation, NotExplained>,
        calls: u64,
    ) {
        let form = Discarded::NotOfTheForm.to_string();
        let has_answered = !matches!(outcome, Err(NotExplained::Failed(_)));
        self.answered.add(has_answered);
        if has_answered {
            let is_of_the_form = *outcome != Err(NotExplained::Discarded(form));
            self.of_the_form.add(is_of_the_form);
            self.at_once.add(is_of_the_form && calls == 1);
        }
        self.shown.add(outcome.is_ok());
        let Ok(said) = outcome else {
            return;
        };
        let kept = claims(said).count();
        self.claims_kept.right += kept;
        self.claims_kept.all += kept + said.claims_dropped;
        self.scores.push(said.score_percent);
        self.took_ms.push(said.took_ms);
        let signs_of = |claim: &Claim| -> Vec<&String> {
            let ids = claim.evidence.iter();
            ids.filter_map(|id| asked.signs.get(id)).collect()
        };
        let cited: Vec<&String> = claims(said).flat_map(signs_of).collect();
        for fact in &truth.facts {
            self.facts_cited.add(cited.contains(&fact));
        }
        let wanted = truth.wanted();
        if wanted.is_empty() {
            self.abstained.add(said.cause.is_none());
        } else {
            let named = said.cause.as_ref().map(signs_of).unwrap_or_default();
            let is_true = |sign: &&String| wanted.iter().any(|cause| cause.is(sign));
            self.true_cause.add(named.iter().any(is_true));
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |share: Share| format!("{} of {}", share.right, share.all);
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let seconds = |took: u64| {
            let whole = took / 1_000;
            format!("{whole}.{} s", took % 1_000 / 100)
        };
        let mut took = self.took_ms.clone();
        took.sort_unstable();
        let late = took.get(took.len() * 95 / 100).copied();
        write!(
            f,
            "{} | {} ({} at once) | {} | {} | {} | {} | {} | {} | {} | {}",
            of(self.answered),
            of(self.of_the_form),
            self.at_once.right,
            of(self.shown),
            of(self.claims_kept),
            self.facts_cited,
            self.true_cause,
            self.abstained,
            or_none(median(&self.scores).map(|score| score.to_string())),
            or_none(median(&took).map(seconds)),
            or_none(late.map(seconds)),
        )
    }
}

/// So many of them, spread over all families.
fn some(count: Option<usize>) -> Vec<(Incident, Asked)> {
    let all: Vec<(Incident, Asked)> = (incidents().into_iter())
        .filter_map(|(_, incident)| {
            let seen = replay(&incident, &incident.lines(), Variation::default());
            let asked = asked(&seen).asked()?;
            Some((incident, asked))
        })
        .collect();
    let count = count.unwrap_or(all.len()).clamp(1, all.len());
    let every = all.len();
    let chosen: Vec<usize> = (0..count).map(|place| place * every / count).collect();
    let chosen = all
        .into_iter()
        .enumerate()
        .filter(|(place, _)| chosen.contains(place));
    chosen.map(|(_, one)| one).collect()
}

/// Asks a model about so many incidents, one after the other: the line for the page, and whether it answered at all.
async fn line(asking: &Asking, name: &str, count: Option<usize>, tell: fn(&str)) -> (String, bool) {
    let mut tally = Tally::default();
    let calls = || asking.spent().iter().map(|one| one.calls).sum::<u64>();
    let incidents = some(count);
    for (incident, asked) in &incidents {
        let before = calls();
        let outcome = asking.ask(&asked.prompt).await;
        let said = match &outcome {
            Ok(said) => {
                let first = claims(said).next().map(|claim| claim.text.as_str());
                format!("{} %: {}", said.score_percent, first.unwrap_or_default())
            }
            Err(why) => why.to_string(),
        };
        tell(&format!("{}: {said}", incident.title));
        tally.add(&incident.truth, asked, &outcome, calls() - before);
    }
    let spent = asking.spent();
    let (cost, input, output) = (
        spent.iter().map(|one| one.cost.nanos()).sum::<u64>(),
        spent.iter().map(|one| one.input_tokens).sum::<u64>(),
        spent.iter().map(|one| one.output_tokens).sum::<u64>(),
    );
    let each = u64::try_from(incidents.len()).expect("few").max(1);
    let today = asking.today();
    let line = format!(
        "| {today} | `{name}` | {tally} | {} | {} and {} |\n",
        UsDollars::from_nanos(cost / each),
        input / each,
        output / each
    );
    (line, tally.answered.right > 0)
}

/// The section of a configuration that names a model as `provider/model`.
fn named(name: &str) -> String {
    let (provider, model) = name.split_once('/').unwrap_or_else(|| {
        panic!("`MODEL={name}`: write provider/model, such as `openai/gpt-4o-mini`")
    });
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut section = format!(
        "{WATCHED}llm: {{provider: {}, model: {}",
        quoted(provider),
        quoted(model)
    );
    for (key, from) in [
        ("base_url", "LLM_BASE_URL"),
        ("api_key", "LLM_API_KEY"),
        ("region", "AWS_REGION"),
    ] {
        if is_asked(from) {
            section += &format!(", {key}: \"${{{from}}}\"");
        }
    }
    if let Some(deadline) = variable("LLM_DEADLINE") {
        section += &format!(", deadline: {}", quoted(&deadline));
    }
    // Of what runs at home nobody knows a price, and it would count as the dearest.
    if is_asked("LLM_FREE") {
        section += ", price: {input_per_1k: 0, output_per_1k: 0}";
    }
    section + "}\n"
}

#[tokio::test]
async fn a_model_is_asked_about_the_incidents() {
    if let Some(name) = variable("ROUNDSMAN_EVAL_MODEL") {
        let count = variable("ROUNDSMAN_EVAL_COUNT").filter(|count| !count.is_empty());
        let count = count.map(|count| count.parse().expect("`COUNT` is a number"));
        let asking = Asking::with_our_variables(&named(&name));
        let (line, has_answered) = line(&asking, &name, count, print).await;
        assert!(
            has_answered,
            "`{name}` answered nothing: nothing is written down"
        );
        print(&line);
        let page = std::fs::read_to_string(PAGE).expect("the page");
        std::fs::write(PAGE, page + &line).expect("the page");
        return;
    }
    // One that answers well by the rules of our recorded answers, and one whose answers are never of the form.
    let server = model().await;
    let good = Asking::of(&section(server.port, "Good"));
    let (line_of_good, _) = line(&good, "recorder/Good", Some(12), |_| ()).await;
    let cells: Vec<&str> = line_of_good.split(" | ").collect();
    assert_eq!(
        cells[2..5],
        ["12 of 12", "12 of 12 (12 at once)", "12 of 12"],
        "{line_of_good}"
    );
    assert_eq!(cells.last(), Some(&"1000 and 200 |\n"), "{line_of_good}");
    assert_eq!(cells[cells.len() - 2], "$0.0020", "{line_of_good}");
    let empty = Asking::of(&section(server.port, "Empty"));
    let (line_of_empty, _) = line(&empty, "recorder/Empty", Some(3), |_| ()).await;
    let cells: Vec<&str> = line_of_empty.split(" | ").collect();
    assert_eq!(
        cells[2..5],
        ["3 of 3", "0 of 3 (0 at once)", "0 of 3"],
        "{line_of_empty}"
    );
    let page = std::fs::read_to_string(PAGE).expect("the page");
    let head = page.lines().find(|line| line.starts_with("| date"));
    let columns = |line: &str| line.trim().matches(" | ").count();
    assert_eq!(
        head.map(columns),
        Some(columns(&line_of_good)),
        "a line has the columns of the page"
    );
}
