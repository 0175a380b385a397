//! What was seen of a target, for people: how it is, how it came to that, and small pictures of what was measured.

use crate::model::{ReportTarget, Status, Timestamp, Unit, Value};

use super::blocks::{Block, Column, Fit, Line, Span, line};
use super::text::{TextStyle, text};
use super::words;

/// How many parts a small picture has.
pub const PARTS: usize = 32;

/// How many changes are listed, the newest.
const CHANGES: usize = 50;

/// From the lowest to the highest (U+2581 to U+2588).
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What is told.
#[derive(Debug, Clone)]
pub struct Told {
    /// The target's kind and name.
    pub name: String,
    /// Its newest state; `None`: it is not watched any more.
    pub state: Option<ReportTarget>,
    /// The beginning of the time that is told of.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// How many looks gave GREEN, UNKNOWN, YELLOW and RED.
    pub looks: [u64; 4],
    /// Changes of status, oldest first.
    pub changes: Vec<ToldChange>,
    /// What was measured.
    pub series: Vec<ToldSeries>,
}

/// A change of status.
#[derive(Debug, Clone)]
pub struct ToldChange {
    /// When.
    pub at: Timestamp,
    /// `None`: it was new.
    pub from: Option<Status>,
    /// `None`: it went.
    pub to: Option<Status>,
    /// How it was then.
    pub summary: String,
}

/// The numbers of a metric.
#[derive(Debug, Clone)]
pub struct ToldSeries {
    /// The metric.
    pub metric: String,
    /// Which part of the target.
    pub subject: Option<String>,
    /// The metric's unit, where the metric is known.
    pub unit: Option<Unit>,
    /// The smallest.
    pub least: f64,
    /// The mean.
    pub mean: f64,
    /// The largest.
    pub most: f64,
    /// The means of equal parts of the time; `None`: nothing was measured then.
    pub parts: Vec<Option<f64>>,
    /// What is usual now: the centre and the spread; `None`: not known.
    pub usual: Option<(f64, f64)>,
}

/// Metrics whose numbers are names: between two of them lies nothing.
const CODES: [&str; 1] = ["http_status"];

const CHANGE_COLUMNS: &[Column] = &[
    Column::new("AT", Fit::Whole),
    Column::new("FROM", Fit::Whole),
    Column::new("TO", Fit::Whole),
    Column::new("SUMMARY", Fit::Wrap),
];

const SERIES_COLUMNS: &[Column] = &[
    Column::new("METRIC", Fit::Wrap),
    Column::new("MIN", Fit::Whole),
    Column::new("MEAN", Fit::Whole),
    Column::new("MAX", Fit::Whole),
    Column::new("OVER TIME", Fit::Whole),
];

const SERIES_COLUMNS_WITH_USUAL: &[Column] = &[
    Column::new("METRIC", Fit::Wrap),
    Column::new("MIN", Fit::Whole),
    Column::new("MEAN", Fit::Whole),
    Column::new("MAX", Fit::Whole),
    Column::new("USUAL", Fit::Whole),
    Column::new("OVER TIME", Fit::Whole),
];

/// The history as text.
#[must_use]
pub fn table(told: &Told, style: TextStyle) -> String {
    text(&blocks(told), style)
}

fn blocks(told: &Told) -> Vec<Block> {
    let mut title = vec![Span::Strong(told.name.clone())];
    match &told.state {
        Some(state) => {
            title.push(Span::Text(": ".to_owned()));
            title.push(Span::Status(state.status));
            title.push(Span::Text(format!(" since {}", words::minute(state.since))));
        }
        None => title.push(Span::Text(": no longer watched".to_owned())),
    }
    let mut blocks = vec![Block::Title(title)];
    if let Some(state) = &told.state {
        blocks.push(Block::Paragraph(line(state.summary.clone())));
    }
    blocks.push(Block::Paragraph(looks(told)));
    if !told.changes.is_empty() {
        blocks.push(Block::Heading("Changes".to_owned()));
        let left_out = told.changes.len().saturating_sub(CHANGES);
        blocks.push(Block::Table {
            columns: CHANGE_COLUMNS,
            rows: told.changes[left_out..].iter().map(change).collect(),
        });
        if left_out > 0 {
            let more = format!("… and {left_out} earlier (see `--format json`)");
            blocks.push(Block::Paragraph(line(more)));
        }
    }
    if !told.series.is_empty() {
        blocks.push(Block::Heading("Measured".to_owned()));
        let with_usual = told.series.iter().any(|series| series.usual.is_some());
        blocks.push(Block::Table {
            columns: if with_usual {
                SERIES_COLUMNS_WITH_USUAL
            } else {
                SERIES_COLUMNS
            },
            rows: (told.series.iter())
                .map(|one| series(one, with_usual))
                .collect(),
        });
    }
    blocks
}

fn looks(told: &Told) -> Line {
    let [green, unknown, yellow, red] = told.looks;
    let total: u64 = told.looks.iter().sum();
    let span = words::span(told.to - told.from);
    let mut line = vec![Span::Faint(match total {
        0 => format!("no look in the last {span}"),
        1 => format!("1 look in the last {span}"),
        _ => format!("{total} looks in the last {span}"),
    })];
    let by_status = [
        (red, Status::Red),
        (yellow, Status::Yellow),
        (unknown, Status::Unknown),
        (green, Status::Green),
    ];
    let present = by_status.into_iter().filter(|(count, _)| *count > 0);
    for (index, (count, status)) in present.enumerate() {
        let lead = if index == 0 { ": " } else { " · " };
        line.push(Span::Text(format!("{lead}{count} ")));
        line.push(Span::Status(status));
    }
    line
}

fn change(change: &ToldChange) -> Vec<Line> {
    let status = |status: Option<Status>| match status {
        Some(status) => vec![Span::Status(status)],
        None => line("–"),
    };
    vec![
        line(words::second(change.at)),
        status(change.from),
        status(change.to),
        line(change.summary.clone()),
    ]
}

fn series(series: &ToldSeries, with_usual: bool) -> Vec<Line> {
    let number = |number: f64| match series.unit {
        Some(Unit::Bytes) => in_bytes(number),
        unit => {
            let unit = unit.map_or("", Unit::suffix);
            format!("{}{unit}", Value::Number(number))
        }
    };
    let is_code = CODES.contains(&series.metric.as_str());
    let mut cells = vec![
        line(words::part(&series.metric, series.subject.as_deref())),
        line(number(series.least)),
        line(if is_code {
            "–".to_owned()
        } else {
            number(series.mean)
        }),
        line(number(series.most)),
    ];
    if with_usual {
        let usual = series.usual.filter(|_| !is_code);
        let usual = usual.map(|(centre, spread)| match series.unit {
            Some(Unit::Bytes) => format!("{} ± {}", in_bytes(centre), in_bytes(spread)),
            _ => format!("{} ± {}", Value::Number(centre), number(spread)),
        });
        cells.push(line(usual.unwrap_or_else(|| "–".to_owned())));
    }
    cells.push(line(if is_code {
        String::new()
    } else {
        sparkline(&series.parts)
    }));
    cells
}

/// `1.5 MiB`
#[must_use]
pub fn in_bytes(bytes: f64) -> String {
    let mut number = bytes;
    for unit in ["bytes", "KiB", "MiB", "GiB"] {
        if number < 1_024.0 {
            return format!("{} {unit}", Value::Number(number));
        }
        number /= 1_024.0;
    }
    format!("{} TiB", Value::Number(number))
}

/// A picture of numbers, one letter each; a space where there is none.
#[must_use]
pub fn sparkline(parts: &[Option<f64>]) -> String {
    let present = || parts.iter().flatten().copied();
    let least = present().fold(f64::INFINITY, f64::min);
    let most = present().fold(f64::NEG_INFINITY, f64::max);
    let bar = |number: f64| {
        let height = if most > least {
            (number - least) / (most - least)
        } else {
            0.0
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to 7"
        )]
        let index = (height * 7.0).round() as usize;
        BARS[index.min(7)]
    };
    parts.iter().map(|part| part.map_or(' ', bar)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_shows_low_high_and_nothing() {
        let parts = [Some(0.0), Some(50.0), None, Some(100.0)];
        assert_eq!(sparkline(&parts), "▁▅ █");
        assert_eq!(sparkline(&[Some(3.0), Some(3.0)]), "▁▁");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn a_code_has_no_mean() {
        let of = |metric: &str| ToldSeries {
            metric: metric.to_owned(),
            subject: None,
            unit: Some(Unit::Number),
            least: 200.0,
            mean: 365.0,
            most: 503.0,
            parts: vec![Some(365.0)],
            usual: Some((365.0, 150.0)),
        };
        let cells = |metric: &str| series(&of(metric), true);
        assert_eq!(
            cells("http_status"),
            ["http_status", "200", "–", "503", "–", ""].map(line)
        );
        assert_eq!(cells("load_1m")[2], line("365"));
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0.0, "0 bytes"),
            (1_536.0, "1.5 KiB"),
            (71_269_117_952.0, "66.4 GiB"),
            (3e15, "2728 TiB"),
        ] {
            assert_eq!(in_bytes(bytes), text);
        }
    }

    #[test]
    fn a_history_for_people() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let told = Told {
            name: "api_endpoints/shop".to_owned(),
            state: None,
            from: at("2026-11-20T09:00:00Z"),
            to: at("2026-11-21T09:00:00Z"),
            looks: [1428, 0, 0, 12],
            changes: vec![ToldChange {
                at: at("2026-11-20T17:51:12Z"),
                from: Some(Status::Green),
                to: None,
                summary: "no longer watched".to_owned(),
            }],
            series: vec![ToldSeries {
                metric: "disk_free_bytes".to_owned(),
                subject: Some("/".to_owned()),
                unit: Some(Unit::Bytes),
                least: 1_024.0,
                mean: 2_048.0,
                most: 4_096.0,
                parts: vec![Some(1.0), None, Some(2.0)],
                usual: None,
            }],
        };
        insta::assert_snapshot!(table(&told, TextStyle::default()), @r"
        api_endpoints/shop: no longer watched
        1440 looks in the last 1 day: 12 RED · 1428 GREEN

        Changes
        AT                       FROM   TO  SUMMARY
        2026-11-20 17:51:12 UTC  GREEN  –   no longer watched

        Measured
        METRIC                MIN    MEAN   MAX    OVER TIME
        disk_free_bytes of /  1 KiB  2 KiB  4 KiB  ▁ █
        ");
        let known = ToldSeries {
            metric: "response_time_ms".to_owned(),
            subject: None,
            unit: Some(Unit::Milliseconds),
            usual: Some((12.0, 3.0)),
            ..told.series[0].clone()
        };
        let told = Told {
            changes: Vec::new(),
            series: vec![told.series[0].clone(), known],
            ..told
        };
        insta::assert_snapshot!(table(&told, TextStyle::default()), @"
        api_endpoints/shop: no longer watched
        1440 looks in the last 1 day: 12 RED · 1428 GREEN

        Measured
        METRIC                MIN      MEAN     MAX      USUAL      OVER TIME
        disk_free_bytes of /  1 KiB    2 KiB    4 KiB    –          ▁ █
        response_time_ms      1024 ms  2048 ms  4096 ms  12 ± 3 ms  ▁ █
        ");
    }
}
