//! What watches what, and who hears of it, as a Mermaid flowchart.

use std::fmt::{self, Write};

use super::escape::{plain, shortened};
use super::words;

/// How many targets of a kind are drawn; the others are counted.
pub const DRAWN_TARGETS: usize = 20;

/// The longest label, in characters.
const LONGEST_LABEL: usize = 80;

/// What is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// When rounds are made, in words.
    pub schedule: String,
    /// What is watched, by kind.
    pub kinds: Vec<GraphKind>,
    /// Who hears of it.
    pub reporters: Vec<GraphReporter>,
}

/// The targets of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphKind {
    /// What the kind is called.
    pub title: String,
    /// Its targets, in the order in which they are drawn.
    pub targets: Vec<GraphTarget>,
}

/// A target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphTarget {
    /// Its name.
    pub name: String,
    /// Whether it makes the whole unhealthy when it is RED.
    pub critical: bool,
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphReporter {
    /// Its name.
    pub name: String,
    /// Which sort of channel.
    pub kind: String,
}

/// The flowchart, which ends with a line break.
#[must_use]
pub fn mermaid(graph: &Graph) -> String {
    let mut chart = String::new();
    let written = write_chart(&mut chart, graph);
    // Writing to a `String` cannot fail.
    debug_assert!(written.is_ok());
    chart
}

fn write_chart(chart: &mut String, graph: &Graph) -> fmt::Result {
    // Names never become identifiers: one called `end` would break the chart.
    writeln!(chart, "flowchart LR")?;
    writeln!(
        chart,
        "  schedule([\"{}\"]) --> round[\"round\"]",
        label(&graph.schedule)
    )?;
    for (number, kind) in graph.kinds.iter().enumerate() {
        write_kind(chart, number, kind)?;
        writeln!(chart, "  round --> kind{number} --> judge")?;
    }
    if graph.kinds.is_empty() {
        writeln!(chart, "  round --> judge")?;
    }
    writeln!(chart, "  judge{{\"judge\"}} --> report[\"report\"]")?;
    for (number, reporter) in graph.reporters.iter().enumerate() {
        let text = if reporter.name == reporter.kind {
            label(&reporter.name)
        } else {
            label(&format!("{} ({})", reporter.name, reporter.kind))
        };
        writeln!(chart, "  report --> reporter{number}[/\"{text}\"/]")?;
    }
    writeln!(chart, "  classDef critical stroke-width:3px")?;
    writeln!(chart, "  classDef others stroke-dasharray:4")
}

fn write_kind(chart: &mut String, number: usize, kind: &GraphKind) -> fmt::Result {
    writeln!(chart, "  subgraph kind{number}[\"{}\"]", label(&kind.title))?;
    for (index, target) in kind.targets.iter().take(DRAWN_TARGETS).enumerate() {
        let class = if target.critical { ":::critical" } else { "" };
        writeln!(
            chart,
            "    target{number}_{index}[\"{}\"]{class}",
            label(&target.name)
        )?;
    }
    let others = kind.targets.len().saturating_sub(DRAWN_TARGETS);
    if others > 0 {
        writeln!(
            chart,
            "    target{number}_others[\"and {} more\"]:::others",
            words::count(others)
        )?;
    }
    if kind.targets.is_empty() {
        writeln!(chart, "    target{number}_none[\"none\"]:::others")?;
    }
    writeln!(chart, "  end")
}

/// The text as the inside of a quoted label. Whatever could be markup, Markdown or an entity is written as its
/// number, which Mermaid shows as the character.
fn label(text: &str) -> String {
    let text = shortened(text, LONGEST_LABEL);
    let mut label = String::with_capacity(text.len() + 8);
    let mut only_digits = true;
    for (index, character) in plain(&text).chars().enumerate() {
        let is_safe = match character {
            ' ' | '_' | '/' | ':' | ',' | '(' => true,
            // A label that begins like a list would be taken for one.
            '.' | ')' => index > 0 && !only_digits,
            '-' => index > 0,
            other => other.is_alphanumeric() || !other.is_ascii(),
        };
        only_digits &= character.is_ascii_digit();
        if is_safe {
            label.push(character);
        } else {
            label.push('#');
            label.push_str(&u32::from(character).to_string());
            label.push(';');
        }
    }
    if label.trim().is_empty() {
        label.push('?');
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str, critical: bool) -> GraphTarget {
        GraphTarget {
            name: name.to_owned(),
            critical,
        }
    }

    #[test]
    fn a_chart_shows_what_is_watched_and_who_hears_of_it() {
        let graph = Graph {
            schedule: "every 6 hours".to_owned(),
            kinds: vec![
                GraphKind {
                    title: "Servers".to_owned(),
                    targets: vec![target("web-1", true), target("end", false)],
                },
                GraphKind {
                    title: "HTTP APIs".to_owned(),
                    targets: (0..23)
                        .map(|number| target(&format!("api-{number}"), false))
                        .collect(),
                },
            ],
            reporters: vec![
                GraphReporter {
                    name: "terminal".to_owned(),
                    kind: "terminal".to_owned(),
                },
                GraphReporter {
                    name: "ops".to_owned(),
                    kind: "telegram".to_owned(),
                },
            ],
        };
        let chart = mermaid(&graph);
        let short: Vec<&str> = (chart.lines())
            .filter(|line| {
                !line.contains("target1_") || line.contains("_0[") || line.contains("others")
            })
            .collect();
        assert_eq!(chart.lines().count() - short.len(), 19);
        insta::assert_snapshot!(short.join("\n"), @r#"
        flowchart LR
          schedule(["every 6 hours"]) --> round["round"]
          subgraph kind0["Servers"]
            target0_0["web-1"]:::critical
            target0_1["end"]
          end
          round --> kind0 --> judge
          subgraph kind1["HTTP APIs"]
            target1_0["api-0"]
            target1_others["and 3 more"]:::others
          end
          round --> kind1 --> judge
          judge{"judge"} --> report["report"]
          report --> reporter0[/"terminal"/]
          report --> reporter1[/"ops (telegram)"/]
          classDef critical stroke-width:3px
          classDef others stroke-dasharray:4
        "#);
    }

    #[test]
    fn labels_are_shown_as_they_are() {
        for (text, expected) in [
            ("10.0.0.1", "10#46;0.0.1"),
            ("1. one", "1#46; one"),
            ("- one", "#45; one"),
            ("a\"]; click b", "a#34;#93;#59; click b"),
            ("`**x**`", "#96;#42;#42;x#42;#42;#96;"),
            ("<b>&amp;#35;", "#60;b#62;#38;amp#59;#35;35#59;"),
            ("größe 東京", "größe 東京"),
            (" ", " ?"),
        ] {
            assert_eq!(label(text), expected);
        }
    }
}
