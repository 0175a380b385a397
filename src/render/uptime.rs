//! How much of a time each target was up, for people: the worst first.

use std::cmp::Reverse;

use chrono::TimeDelta;

use crate::model::{Status, Timestamp, Uptime};

use super::blocks::{Block, Column, Fit, Line, Span, line};
use super::digest::LONGEST_TEXT;
use super::escape::shortened;
use super::names::Names;
use super::words;

/// How many of the worst are told with all that is known.
const WORST: usize = 5;

/// How many of the others are listed; beyond it they are counted.
const LISTED: usize = 50;

/// All of it, in hundredths of a percent.
const ALL: u64 = 10_000;

const WORST_COLUMNS: &[Column] = &[
    Column::new("UPTIME", Fit::Whole),
    Column::new("TARGET", Fit::Wrap),
    Column::new("OUTAGES", Fit::Whole),
    Column::new("RED FOR", Fit::Whole),
    Column::new("LOOKS", Fit::Wrap),
];

const OTHER_COLUMNS: &[Column] = &[
    Column::new("UPTIME", Fit::Whole),
    Column::new("TARGET", Fit::Wrap),
    Column::new("NOTES", Fit::Wrap),
];

/// Puts those that were up least first. Those that could not be measured come before those that were up all the time.
pub fn worst_first(uptimes: &mut [Uptime]) {
    uptimes.sort_by_cached_key(order);
}

fn order(uptime: &Uptime) -> impl Ord + use<> {
    let [_, unknown, ..] = uptime.looks;
    (
        uptime.basis_points().unwrap_or(ALL),
        Reverse(uptime.red_for),
        Reverse(uptime.outages),
        uptime.basis_points().is_some(),
        Reverse(unknown),
        (uptime.kind.clone(), uptime.name.clone()),
    )
}

/// In one line without markup: `uptime of the last 7 days: 12 targets, 9 at 100 %, 2 below, 1 not measured`.
#[must_use]
pub fn uptime_title(uptimes: &[Uptime], span: TimeDelta) -> String {
    let targets = words::counted(uptimes.len(), "target");
    let counts = in_counts(uptimes).join(", ");
    let counts = if counts.is_empty() {
        counts
    } else {
        format!(", {counts}")
    };
    format!("uptime of the last {}: {targets}{counts}", length(span))
}

/// The worst with all that is known, others in a table, the rest in numbers. The time ends now.
#[must_use]
pub fn uptime_blocks(uptimes: &[Uptime], span: TimeDelta, now: Timestamp) -> Vec<Block> {
    let mut ordered: Vec<&Uptime> = uptimes.iter().collect();
    ordered.sort_by_cached_key(|one| order(one));
    let names = Names::among((uptimes.iter()).map(|one| (one.kind.as_str(), one.name.as_str())));
    let from = now.checked_sub_signed(span).unwrap_or_default();
    let time = format!(
        "from {} to {}; looks that were GREEN or YELLOW among those that were measured",
        words::minute(from),
        words::minute(now)
    );
    let mut blocks = vec![
        Block::Title(line(uptime_title(uptimes, span))),
        Block::Paragraph(vec![Span::Faint(time)]),
    ];
    if uptimes.is_empty() {
        blocks.push(Block::Paragraph(line("nothing was watched")));
        return blocks;
    }
    let bad = ordered.iter().take(WORST).take_while(|one| was_down(one));
    let (worst, others) = ordered.split_at(bad.count());
    if !worst.is_empty() {
        let row = |one: &&Uptime| {
            vec![
                share(one),
                vec![Span::Strong(name(&names, one))],
                line(words::number_of(one.outages, "outage")),
                line(length(one.red_for)),
                line(looks(one, from, span)),
            ]
        };
        blocks.push(Block::Heading("Worst".to_owned()));
        blocks.push(Block::Table {
            columns: WORST_COLUMNS,
            rows: worst.iter().map(row).collect(),
        });
    }
    if others.is_empty() {
        return blocks;
    }
    let (listed, counted) = others.split_at(others.len().min(LISTED));
    let heading = if worst.is_empty() { "All" } else { "Others" };
    blocks.push(Block::Heading(heading.to_owned()));
    blocks.push(Block::Table {
        columns: OTHER_COLUMNS,
        rows: (listed.iter())
            .map(|one| {
                let notes = notes(one, from, span);
                vec![share(one), line(name(&names, one)), line(notes)]
            })
            .collect(),
    });
    if !counted.is_empty() {
        let more = format!(
            "… and {} more: {} (see `roundsman uptime --format json`)",
            words::count(counted.len()),
            in_counts(counted.iter().copied()).join(", ")
        );
        blocks.push(Block::Paragraph(line(more)));
    }
    blocks
}

fn was_down(uptime: &Uptime) -> bool {
    uptime.outages > 0 || uptime.basis_points().is_some_and(|share| share < ALL)
}

/// `9 at 100 %`, `2 below`, `1 not measured`, as far as there are any.
fn in_counts<'a>(uptimes: impl IntoIterator<Item = &'a Uptime>) -> Vec<String> {
    let (mut whole, mut below, mut unmeasured) = (0, 0, 0);
    for uptime in uptimes {
        *match uptime.basis_points() {
            Some(ALL) => &mut whole,
            Some(_) => &mut below,
            None => &mut unmeasured,
        } += 1;
    }
    [
        (whole, "at 100 %"),
        (below, "below"),
        (unmeasured, "not measured"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, words)| format!("{} {words}", words::count(count)))
    .collect()
}

fn name(names: &Names<'_>, uptime: &Uptime) -> String {
    shortened(&names.of(&uptime.kind, &uptime.name), LONGEST_TEXT).into_owned()
}

/// `99.98 %`, in the colour of the worst that was seen.
fn share(uptime: &Uptime) -> Line {
    let [_, _, _, red] = uptime.looks;
    let status = if red > 0 || uptime.outages > 0 {
        Status::Red
    } else {
        Status::Green
    };
    match uptime.basis_points() {
        Some(ALL) => vec![Span::Toned("100 %".to_owned(), status)],
        Some(share) => {
            let text = format!("{}.{:02} %", share / 100, share % 100);
            vec![Span::Toned(text, status)]
        }
        None => vec![Span::Toned("unknown".to_owned(), Status::Unknown)],
    }
}

/// `10,080, of which 14 UNKNOWN; watched since …`
fn looks(uptime: &Uptime, from: Timestamp, span: TimeDelta) -> String {
    let all: u64 = uptime.looks.iter().sum();
    let mut text = words::count(usize::try_from(all).unwrap_or(usize::MAX));
    for note in remarks(uptime, from, span) {
        text.push_str("; ");
        text.push_str(&note);
    }
    text
}

/// The same of one that is told in short.
fn notes(uptime: &Uptime, from: Timestamp, span: TimeDelta) -> String {
    let mut notes = Vec::new();
    if uptime.outages > 0 {
        let outages = words::number_of(uptime.outages, "outage");
        notes.push(format!("{outages}, {}", length(uptime.red_for)));
    }
    notes.extend(remarks(uptime, from, span));
    notes.join("; ")
}

/// `3 days 11 h`: half a day more or less of an outage matters.
fn length(length: TimeDelta) -> String {
    let rest = length - TimeDelta::days(length.num_days());
    if length < TimeDelta::days(1) || rest < TimeDelta::hours(1) {
        return words::span(length);
    }
    format!("{} {} h", words::span(length), rest.num_hours())
}

/// What makes a share say less than it seems to.
fn remarks(uptime: &Uptime, from: Timestamp, span: TimeDelta) -> Vec<String> {
    let [_, unknown, ..] = uptime.looks;
    let mut remarks = Vec::new();
    if unknown > 0 {
        let looks = words::number_of(unknown, "look");
        remarks.push(format!("{looks} UNKNOWN"));
    }
    match uptime.first_look_at {
        // Every target's first look is a little late; a tenth of the time is more than a schedule explains.
        Some(first) if first - from > span / 10 => {
            remarks.push(format!("since {}", words::minute(first)));
        }
        Some(_) => {}
        None => remarks.push("not looked at".to_owned()),
    }
    if !uptime.watched {
        remarks.push("no longer watched".to_owned());
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::{TextStyle, text};

    const WEEK: TimeDelta = TimeDelta::days(7);

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn now() -> Timestamp {
        at("2026-11-21T08:00:00Z")
    }

    fn uptime(name: &str, looks: [u64; 4], outages: u64, red_minutes: i64) -> Uptime {
        Uptime {
            kind: "vps_servers".to_owned(),
            name: name.to_owned(),
            watched: true,
            looks,
            first_look_at: looks.iter().any(|count| *count > 0).then(|| now() - WEEK),
            outages,
            red_for: TimeDelta::minutes(red_minutes),
        }
    }

    fn in_words(uptimes: &[Uptime], span: TimeDelta) -> String {
        text(&uptime_blocks(uptimes, span, now()), TextStyle::default())
    }

    #[test]
    fn a_week_with_a_bit_of_everything() {
        let mut gone = uptime("gone", [900, 0, 0, 100], 1, 100);
        gone.watched = false;
        let mut new = uptime("new", [1440, 0, 0, 0], 0, 0);
        new.first_look_at = Some(now() - TimeDelta::days(1));
        let mut same_name = uptime("db", [28, 0, 0, 0], 0, 0);
        same_name.kind = "databases".to_owned();
        let uptimes = [
            same_name,
            uptime("well", [10_080, 0, 0, 0], 0, 0),
            uptime("warned", [10_000, 0, 80, 0], 0, 0),
            uptime("locked", [0, 10_080, 0, 0], 0, 0),
            uptime("idle", [0, 0, 0, 0], 0, 0),
            uptime("db", [9_000, 14, 66, 1_000], 12, 1_001),
            uptime("once", [10_079, 0, 0, 1], 1, 1),
            // One in 20,000: not 100 %.
            uptime("rarely", [19_999, 0, 0, 1], 1, 0),
            uptime("dead", [0, 0, 0, 10_080], 1, 10_080),
            uptime("half", [1, 0, 0, 1], 1, 5_000),
            gone,
            new,
        ];
        insta::assert_snapshot!(in_words(&uptimes, WEEK), @r#"
        uptime of the last 7 days: 12 targets, 4 at 100 %, 6 below, 2 not measured
        from 2026-11-14 08:00 UTC to 2026-11-21 08:00 UTC; looks that were GREEN or YELLOW among those that were measured

        Worst
        UPTIME   TARGET          OUTAGES     RED FOR      LOOKS
        0.00 %   dead            1 outage    7 days       10,080
        50.00 %  half            1 outage    3 days 11 h  2
        90.00 %  gone            1 outage    1 h 40 min   1,000; no longer watched
        90.06 %  vps_servers/db  12 outages  16 h 41 min  10,080; 14 looks UNKNOWN
        99.99 %  once            1 outage    1 min        10,080

        Others
        UPTIME   TARGET        NOTES
        99.99 %  rarely        1 outage, 0 s
        unknown  locked        10,080 looks UNKNOWN
        unknown  idle          not looked at
        100 %    databases/db
        100 %    new           since 2026-11-20 08:00 UTC
        100 %    warned
        100 %    well
        "#);
        let mut ordered = uptimes.to_vec();
        worst_first(&mut ordered);
        let names: Vec<&str> = ordered.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names[..3], ["dead", "half", "gone"]);
    }

    #[test]
    fn a_quiet_week_has_no_worst_and_many_targets_are_counted() {
        let uptimes: Vec<Uptime> = (0..1_060)
            .map(|number| match number {
                0..60 => uptime(&format!("down-{number:02}"), [99, 0, 0, 1], 1, 60),
                _ => uptime(&format!("well-{number}"), [100, 0, 0, 0], 0, 0),
            })
            .collect();
        let many = in_words(&uptimes, WEEK);
        assert_eq!(many.matches("99.00 %").count(), 55);
        let head: Vec<&str> = many
            .lines()
            .take(1)
            .chain(many.lines().rev().take(1))
            .collect();
        insta::assert_snapshot!(head.join("\n"), @r#"
        uptime of the last 7 days: 1,060 targets, 1,000 at 100 %, 60 below
        … and 1,005 more: 1,000 at 100 %, 5 below (see `roundsman uptime --format json`)
        "#);
        insta::assert_snapshot!(in_words(&uptimes[1_058..], TimeDelta::hours(36)), @r#"
        uptime of the last 1 day 12 h: 2 targets, 2 at 100 %
        from 2026-11-19 20:00 UTC to 2026-11-21 08:00 UTC; looks that were GREEN or YELLOW among those that were measured

        All
        UPTIME  TARGET     NOTES
        100 %   well-1058
        100 %   well-1059
        "#);
        insta::assert_snapshot!(in_words(&[], TimeDelta::hours(1)), @r#"
        uptime of the last 1 h: 0 targets
        from 2026-11-21 07:00 UTC to 2026-11-21 08:00 UTC; looks that were GREEN or YELLOW among those that were measured

        nothing was watched
        "#);
    }

    #[test]
    fn nothing_that_was_down_is_rounded_to_all() {
        for (looks, expected) in [
            ([0, 5, 0, 0], None),
            ([u64::MAX - 1, 0, 0, 1], Some(9_999)),
            ([1, u64::MAX, 1, 0], Some(10_000)),
            ([0, 0, 0, 1], Some(0)),
            ([2, 0, 0, 1], Some(6_666)),
        ] {
            assert_eq!(
                uptime("web", looks, 0, 0).basis_points(),
                expected,
                "{looks:?}"
            );
        }
    }
}
