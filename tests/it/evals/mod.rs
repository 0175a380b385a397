//! The incidents of `evals/`, asked for their causes: what comes of it stands in `docs/evals.md`.

mod asking;
mod incident;
mod models;
mod replay;
mod rules;
mod score;
mod words;

use std::path::{Path, PathBuf};

use incident::{Incident, read};
use replay::{Seen, Variation, replay};
use roundsman::analysis::correlate::account;
use roundsman::model::{Analysis, Timestamp};
use roundsman::render::TextStyle;
use roundsman::render::explain::explain_analysis;
use roundsman::render::text::text;
use score::{Score, Scores, details, score};
use words::Words;

/// So many variants are made of each incident.
const VARIANTS: u64 = 8;

/// All files, in the order of their names.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let families = std::fs::read_dir("evals").expect("the incidents");
    for family in families
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
    {
        let files = std::fs::read_dir(family.path()).expect("a family");
        let files = files.filter_map(Result::ok).map(|entry| entry.path());
        found.extend(files.filter(|path| path.extension().is_some_and(|end| end == "yaml")));
    }
    found.sort();
    found
}

fn incidents() -> Vec<(PathBuf, Incident)> {
    files()
        .into_iter()
        .map(|path| (path.clone(), read(&path)))
        .collect()
}

/// What `make eval` says.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no configuration to be told by"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn is_asked(name: &str) -> bool {
    variable(name).is_some()
}

#[expect(clippy::print_stdout, reason = "what `make eval` is for")]
fn print(text: &str) {
    println!("{text}");
}

/// What was found, where something about it is wrong.
fn print_details(path: &Path, incident: &Incident, variant: u64, seen: &Seen, score: &Score) {
    if is_asked("ROUNDSMAN_EVAL_DETAILS") && !(score.is_right() && score.shows_all()) {
        let (name, details) = (path.display(), details(incident, seen));
        print(&format!(
            "{name}, variant {variant}: {}\n{details}",
            incident.title
        ));
    }
}

/// The page, as the incidents make it.
fn page() -> String {
    let (mut scores, mut variants) = (Scores::default(), Scores::default());
    let mut wrong = String::new();
    let mut words = Words::default();
    for (path, incident) in incidents() {
        let lines = incident.lines();
        let seen = replay(&incident, &lines, Variation::default());
        let one = score(&incident, &seen);
        if !one.is_right() {
            let name = path.display();
            wrong += &format!("- `{name}`: {}. {}\n", incident.title, one.said);
        }
        print_details(&path, &incident, 0, &seen, &one);
        scores.add(&incident.family, &one);
        words.add(&seen);
        for seed in 1..=VARIANTS {
            let seen = replay(&incident, &lines, Variation { seed });
            let one = score(&incident, &seen);
            print_details(&path, &incident, seed, &seen, &one);
            variants.add(&incident.family, &one);
        }
    }
    words.assert_safe();
    format!(
        "{INTRODUCTION}{scores}\n{OF_VARIANTS}{variants}\n## What it gets wrong\n\n{wrong}\n{words}"
    )
}

/// What `roundsman explain` would say of an incident.
fn explained(incident: &Incident) -> String {
    let seen = replay(incident, &incident.lines(), Variation::default());
    let groups: Vec<_> = (seen.groups.iter())
        .map(|group| account(&seen.suspects, group, seen.now))
        .collect();
    let analysis = Analysis {
        at: seen.now,
        groups,
        groups_left_out: 0,
        targets_apart: 0,
        explanation: None,
        unexplained: None,
    };
    let clock = |at: Timestamp| at.format("%H:%M").to_string();
    let style = TextStyle {
        color: false,
        width: None,
        dots: false,
    };
    text(&explain_analysis(&analysis, &clock), style)
}

#[test]
fn an_incident_is_explained_as_at_a_prompt() {
    if let Some(path) = &variable("ROUNDSMAN_EVAL_INCIDENT") {
        print(&explained(&read(path.as_ref())));
        return;
    }
    let said = explained(&read(
        "evals/chain/payment-provider-slows-the-checkout.yaml".as_ref(),
    ));
    assert!(said.contains("likely cause: "), "{said}");
    assert!(said.contains("it depends on provider"), "{said}");
}

const OF_VARIANTS: &str = "## Variants

Of each incident eight are made by a seed: looks come at other moments, one in twelve is missing, the noise and the order of
targets are other ones. What is written about an incident is still true of them, but for what no look has seen.

";

const INTRODUCTION: &str = "# How right the correlation is

`make eval` asks the correlation (`src/analysis/correlate/`) for the cause of each incident of [`evals/`](../evals/README.md), and
writes this page. The incidents were written by hand from how such failures unfold in practice; their truth is what an
experienced operator would conclude. A change that makes any of these figures another one fails the tests until the page is
written anew.
What to expect of incidents that nobody has tuned it on stands in [`evals/README.md`](../evals/README.md#how-to-add-one).

*First*: the cause that is named first is the true one. *Among three*: one of the first three. *None where there is none*:
it names no common cause where there is none. *False causes*: incidents in which something is named that is no cause, whatever
else is right. *Facts cited*: of those that an explanation must show. In brackets: the bounds of Wilson at 95 %.

";

#[test]
fn the_page_says_what_the_correlation_makes_of_each_incident() {
    const PAGE: &str = "docs/evals.md";
    let page = page();
    if is_asked("ROUNDSMAN_EVAL") {
        print(&page);
        std::fs::write(PAGE, &page).expect("the page");
        return;
    }
    let known = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        known == page,
        "`{PAGE}` is not what the incidents give now: `make eval` writes it\n{page}"
    );
}
