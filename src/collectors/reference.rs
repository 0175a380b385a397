//! The pages about the kinds, made from [`KINDS`] so that they cannot say anything else than the code.

use super::{KINDS, Kind};
use crate::model::MetricSpec;

const INTRODUCTION: &str = "# What can be watched\n\n\
    Each kind is a key under `targets:` with a list below it. Metrics are what `rules:` can put limits on; a metric \
    with a subject is measured once for each of them.\n\n";

/// The page on all kinds and their metrics, as Markdown.
#[must_use]
pub fn kinds_markdown() -> String {
    let mut page = vec![INTRODUCTION.to_owned(), kinds_table()];
    for kind in built() {
        let spec = &kind.spec;
        let (key, title, how) = (spec.key, spec.title, sentence(spec.how));
        let timeout_ms = spec.default_timeout.as_millis();
        page.push(format!(
            "\n## `{key}`\n\n{title}. {how}\n\nDefault `timeout_ms`: {timeout_ms}. A commented entry: \
             [`config/examples/{key}.yaml`](../config/examples/{key}.yaml).\n\n\
             | metric | unit | subject | meaning |\n|---|---|---|---|\n"
        ));
        page.extend(spec.metrics.iter().map(metric_row));
    }
    page.concat()
}

/// All kinds as a Markdown table: what they are and how they are looked at.
#[must_use]
pub fn kinds_table() -> String {
    let mut table = vec!["| key | what | how |\n|---|---|---|\n".to_owned()];
    table.extend(built().map(|kind| row(&[&code(kind.spec.key), kind.spec.title, kind.spec.how])));
    let later: Vec<String> = (KINDS.iter())
        .filter(|kind| !kind.spec.built)
        .map(|kind| code(kind.spec.key))
        .collect();
    if !later.is_empty() {
        let later = later.join(", ");
        table.push(format!(
            "\nKnown, but not in this build (such targets are UNKNOWN): {later}.\n"
        ));
    }
    table.concat()
}

/// A commented configuration that watches targets of this kind and nothing else.
#[must_use]
pub fn example(kind: &Kind) -> String {
    let spec = &kind.spec;
    let mut text = format!(
        "# yaml-language-server: $schema=../config.schema.json\n\
         # {}: {}\n\
         # Copy what you need into your own configuration; docs/kinds.md lists the metrics.\n\
         targets:\n  {}:\n",
        spec.title,
        sentence(spec.how),
        spec.key
    );
    for line in spec.sample.trim_matches('\n').lines() {
        if !line.trim().is_empty() {
            text.push_str("    ");
            text.push_str(line.trim_end());
        }
        text.push('\n');
    }
    text
}

fn built() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(|kind| kind.spec.built)
}

fn metric_row(metric: &MetricSpec) -> String {
    let subject = metric.subject.unwrap_or("");
    row(&[
        &code(metric.name),
        metric.unit.word(),
        subject,
        metric.meaning,
    ])
}

fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = (cells.iter())
        .map(|cell| {
            cell.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .replace('|', "\\|")
        })
        .collect();
    format!("| {} |\n", cells.join(" | "))
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// The text as a sentence: with a capital and a full stop, whether it had them or not.
fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut characters = text.chars();
    let first = characters
        .next()
        .map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_stays_in_its_cell() {
        assert_eq!(row(&["a | b", "c\n  d"]), "| a \\| b | c d |\n");
    }

    #[test]
    fn a_sentence_has_its_capital_and_its_full_stop() {
        assert_eq!(sentence("one connection"), "One connection.");
        assert_eq!(sentence("Already one."), "Already one.");
    }

    #[test]
    fn every_built_kind_has_its_part() {
        let page = kinds_markdown();
        for kind in built() {
            assert!(page.contains(&format!("\n## `{}`\n", kind.spec.key)));
            assert!(example(kind).contains(&format!("targets:\n  {}:\n", kind.spec.key)));
        }
    }
}
