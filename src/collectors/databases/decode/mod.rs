//! From rows of text to a reading. What is not there, or is no number, becomes a gap.

mod tables;

use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::super::host::size;
use super::metrics::{LOCKS_WAITING, LONGEST_TRANSACTION, Measured, REPLICATION_LAG};
use super::questions::Question;
use crate::clients::postgres::{Refused, Row};
use crate::clients::words::shortened_name;
use crate::model::{Gap, Reading, Unit};

/// A standby that is no further behind than this (a segment of the log) and has not said for how long, is about to.
const SEGMENT_BYTES: f64 = 16.0 * 1024.0 * 1024.0;

/// A transaction that is younger is no news.
const WORTH_TELLING_SECONDS: f64 = 1.0;

/// A standby that was told to wait; nothing else is wrong with it.
const PAUSED: &str = "paused: `SELECT pg_wal_replay_resume()` lets it go on";

/// How much of a name is shown. PostgreSQL's own are at most 63 bytes long.
const NAME_CHARACTERS: usize = 63;

/// What was answered to each question, in the order in which they were asked.
pub(super) type Answers = Vec<(Question, Result<Vec<Row>, Refused>)>;

/// What the answers say. `username`: who we are, for what to do next. `behind_at_most`: how long ago a standby had
/// replayed all that had come.
pub(super) fn read(
    reading: &mut Reading,
    answers: &Answers,
    username: &str,
    behind_at_most: Option<Duration>,
) {
    let mut seen = Seen {
        behind_at_most,
        ..Seen::default()
    };
    for (question, answer) in answers {
        match answer {
            Ok(rows) => answered(reading, *question, rows, &mut seen),
            Err(refused) => not_answered(reading, *question, refused),
        }
    }
    limited_view(reading, &seen, username);
}

/// What answers, and looks before, say about other answers.
#[derive(Default)]
struct Seen {
    behind_at_most: Option<Duration>,
    is_standby: bool,
    hidden_transactions: f64,
    hidden_standbys: usize,
}

fn answered(reading: &mut Reading, question: Question, rows: &[Row], seen: &mut Seen) {
    let Some(row) = rows.first() else {
        match question {
            Question::Waiting => number(reading, LOCKS_WAITING, None, 0.0),
            // There may be none of these.
            Question::Longest | Question::Standbys | Question::Slots | Question::Tables => {}
            _ => {
                for metric in question.measures() {
                    gap(
                        reading,
                        *metric,
                        None,
                        "the server gave no row".to_owned(),
                        None,
                    );
                }
            }
        }
        return;
    };
    match question {
        Question::Server => {
            seen.is_standby = row.text("is_standby") == Some("t");
            let role = if seen.is_standby {
                "standby"
            } else {
                "primary"
            };
            reading.fact("role", role);
            column(reading, question.measures()[0], None, row, "uptime_seconds");
        }
        Question::Sessions => sessions(reading, row, seen),
        Question::Longest => longest(reading, row),
        Question::Waiting => waiting(reading, rows),
        Question::OwnLag if row.text("is_standby") == Some("t") => own_lag(reading, row, seen),
        Question::OwnLag => {}
        Question::Standbys => standbys(reading, rows, seen),
        Question::Slots => inactive_slots(reading, rows),
        Question::Cache => cache(reading, question.measures()[0], row),
        Question::Tables => tables::read(reading, question.measures(), rows, seen.is_standby),
        Question::Size => column(reading, question.measures()[0], None, row, "size_bytes"),
    }
}

fn sessions(reading: &mut Reading, row: &Row, seen: &mut Seen) {
    let [used, most, percent, longest] = Question::Sessions.measures() else {
        return;
    };
    column(reading, *used, None, row, "used");
    column(reading, *most, None, row, "most");
    match (value(row, "used"), value(row, "most")) {
        (Ok(Some(used)), Ok(Some(most))) if most > 0.0 => {
            number(reading, *percent, None, 100.0 * used / most);
        }
        _ => {
            let why = "it follows from `connections_used` and `connections_max`".to_owned();
            gap(reading, *percent, None, why, None);
        }
    }
    if let Some(reserved) = row.text("reserved") {
        reading.fact("connections_reserved", shown(reserved));
    }
    let hidden = value(row, "hidden_transactions").ok().flatten();
    seen.hidden_transactions = hidden.unwrap_or_default();
    match value(row, "longest_seconds") {
        // Only others' transactions are open, and we may not see them: nothing is known, and nothing is claimed.
        Ok(None) if seen.hidden_transactions > 0.0 => {}
        Ok(None) => number(reading, *longest, None, 0.0),
        // The server's clock may have been set back.
        Ok(Some(seconds)) => number(reading, *longest, None, seconds.max(0.0)),
        Err(why) => gap(reading, *longest, None, why, None),
    }
}

fn longest(reading: &mut Reading, row: &Row) {
    let Ok(Some(seconds)) = value(row, "seconds") else {
        return;
    };
    if seconds < WORTH_TELLING_SECONDS {
        return;
    }
    let name = |column| row.text(column).map(shown);
    let who = name("usename").unwrap_or_else(|| "unknown".to_owned());
    let Some(process) = name("pid") else {
        let text = format!("prepared by {who} {seconds:.0} s ago (`pg_prepared_xacts`)");
        reading.fact("longest_transaction", text);
        return;
    };
    let state = name("state").unwrap_or_else(|| "state unknown".to_owned());
    let mut text = format!("process {process} of {who}, open for {seconds:.0} s, {state}");
    if let Some((sort, event)) = name("wait_event_type").zip(name("wait_event")) {
        text.push_str(&format!(", waits for {sort} {event}"));
    }
    text.push_str(&blocked_by(row));
    reading.fact("longest_transaction", text);
}

fn waiting(reading: &mut Reading, rows: &[Row]) {
    if let Some(row) = rows.first() {
        column(reading, LOCKS_WAITING, None, row, "waiting");
    }
    let told: Vec<String> = (rows.iter())
        .map(|row| {
            let name = |column| row.text(column).map_or_else(|| "unknown".to_owned(), shown);
            // A clock may have been set back.
            let since = match (
                value(row, "waited_seconds"),
                value(row, "statement_seconds"),
            ) {
                (Ok(Some(seconds)), _) => format!(" waits for {:.0} s", seconds.max(0.0)),
                (_, Ok(Some(seconds))) => {
                    format!(", its statement running for {:.0} s", seconds.max(0.0))
                }
                _ => String::new(),
            };
            let (process, who, by) = (name("pid"), name("usename"), blocked_by(row));
            format!("process {process} of {who}{since}{by}")
        })
        .collect();
    reading.fact("lock_waits", told.join("; "));
}

fn blocked_by(row: &Row) -> String {
    match row.text("blocked_by") {
        Some(processes) if !processes.is_empty() => {
            format!(", held up by process {}", shown(processes))
        }
        _ => String::new(),
    }
}

fn own_lag(reading: &mut Reading, row: &Row, seen: &Seen) {
    let is_paused = row.text("is_paused") == Some("t");
    if is_paused {
        reading.fact("replay", PAUSED);
    }
    match value(row, "lag_seconds") {
        Ok(Some(seconds)) => {
            let most = seen.behind_at_most.unwrap_or(Duration::MAX).as_secs_f64();
            let seconds = seconds.max(0.0).min(most);
            number(reading, REPLICATION_LAG, None, seconds);
            if is_paused {
                reading.note(REPLICATION_LAG.0, None, format!("replay is {PAUSED}"));
            }
        }
        Ok(None) => {
            let why = "this standby has replayed no transaction since it was started";
            let (why, hint) = if is_paused {
                (
                    format!("{why}: replay is paused"),
                    "let it go on: `SELECT pg_wal_replay_resume()`",
                )
            } else {
                (
                    why.to_owned(),
                    "look at its log: does it reach its primary?",
                )
            };
            gap(reading, REPLICATION_LAG, None, why, Some(hint));
        }
        Err(why) => gap(reading, REPLICATION_LAG, None, why, None),
    }
}

fn standbys(reading: &mut Reading, rows: &[Row], seen: &mut Seen) {
    let name_of = |row: &Row| row.text("application_name").map_or_else(String::new, shown);
    let mut worst: Vec<(String, Result<f64, String>)> = Vec::new();
    for row in rows {
        if row.text("state").is_none() {
            seen.hidden_standbys += 1;
            continue;
        }
        let name = name_of(row);
        let is_alone = rows.iter().filter(|other| name_of(other) == name).count() == 1;
        let address = row
            .text("client_addr")
            .map_or_else(|| "local".to_owned(), shown);
        let subject = match (name.is_empty(), is_alone) {
            (true, _) => address,
            (false, true) => name,
            (false, false) => format!("{name} ({address})"),
        };
        let Some(lag) = lag_of(row) else {
            continue;
        };
        match worst.iter_mut().find(|(known, _)| *known == subject) {
            Some((_, known)) => {
                if let (Ok(known), Ok(lag)) = (known, lag) {
                    *known = known.max(lag);
                }
            }
            None => worst.push((subject, lag)),
        }
    }
    for (subject, lag) in worst {
        match lag {
            Ok(seconds) => number(reading, REPLICATION_LAG, Some(&subject), seconds.max(0.0)),
            Err(why) => gap(
                reading,
                REPLICATION_LAG,
                Some(&subject),
                why,
                Some("see `pg_stat_replication` on the primary, and the standby's log"),
            ),
        }
    }
}

fn inactive_slots(reading: &mut Reading, rows: &[Row]) {
    let mut told: Vec<String> = (rows.iter())
        .map(|row| {
            let name = row.text("name").map_or_else(String::new, shown);
            match row.text("retained_bytes").map(str::parse::<i64>) {
                Some(Ok(bytes)) => {
                    let kept = size(u64::try_from(bytes).unwrap_or(0));
                    format!("`{name}` retains {kept} of the log")
                }
                _ => format!("`{name}`"),
            }
        })
        .collect();
    let all = (rows.first()).and_then(|row| row.text("inactive")?.parse::<usize>().ok());
    if let Some(all) = all.filter(|all| *all > told.len()) {
        told.push(format!("{all} in all"));
    }
    reading.fact("inactive_slots", told.join(", "));
}

/// How far a standby is behind; `None` where there is nothing to say: it replays nothing (`pg_receivewal`), or has
/// only just been told of something.
fn lag_of(row: &Row) -> Option<Result<f64, String>> {
    match (value(row, "lag_seconds"), value(row, "lag_bytes")) {
        (Ok(Some(seconds)), _) => Some(Ok(seconds)),
        (Ok(None), Ok(Some(bytes))) if bytes <= 0.0 => Some(Ok(0.0)),
        (Ok(None), Ok(Some(bytes))) if bytes > SEGMENT_BYTES => Some(Err(format!(
            "it is {bytes:.0} bytes behind and has not said for how long"
        ))),
        (Ok(None), Ok(_)) => None,
        (Err(why), _) | (_, Err(why)) => Some(Err(why)),
    }
}

fn cache(reading: &mut Reading, metric: Measured, row: &Row) {
    match (value(row, "hits"), value(row, "reads")) {
        (Ok(Some(hits)), Ok(Some(reads))) if hits + reads > 0.0 => {
            number(reading, metric, None, 100.0 * hits / (hits + reads));
        }
        // Nothing has been read yet.
        (Ok(_), Ok(_)) => {}
        (Err(why), _) | (_, Err(why)) => gap(reading, metric, None, why, None),
    }
}

/// Says once what a role without `pg_monitor` does not see, where there is such a thing now.
fn limited_view(reading: &mut Reading, seen: &Seen, username: &str) {
    let mut hidden = Vec::new();
    if seen.hidden_transactions > 0.0 {
        let plural = if seen.hidden_transactions > 1.0 {
            "s"
        } else {
            ""
        };
        hidden.push(format!(
            "the age of {} open transaction{plural} of other roles (`{}`)",
            seen.hidden_transactions, LONGEST_TRANSACTION.0
        ));
    }
    if seen.hidden_standbys > 0 {
        let (plural, are) = if seen.hidden_standbys > 1 {
            ("s", "are")
        } else {
            ("", "is")
        };
        hidden.push(format!(
            "how far {} standby{plural} {are} behind (`{}`)",
            seen.hidden_standbys, REPLICATION_LAG.0
        ));
    }
    if !hidden.is_empty() {
        let hidden = hidden.join(" and ");
        let text =
            format!("hidden from us: {hidden}; `GRANT pg_monitor TO \"{username}\"` shows it");
        reading.fact("limited_view", text);
    }
}

fn not_answered(reading: &mut Reading, question: Question, refused: &Refused) {
    let Refused { code, message } = refused;
    if *code == SqlState::FEATURE_NOT_SUPPORTED {
        // A service that is like PostgreSQL, but has no such thing: nobody can do anything about it.
        if !question.measures().is_empty() {
            reading.fact("not_supported", message.clone());
        }
        return;
    }
    if question == Question::Tables && *code == SqlState::LOCK_NOT_AVAILABLE {
        // Somebody came between our look at the locks and the sizes.
        tables::held(reading, "at least one table");
        return;
    }
    let hint = match *code {
        SqlState::QUERY_CANCELED => {
            "the server was too slow: look at its load and disks, or raise `timeout_ms`"
        }
        SqlState::LOCK_NOT_AVAILABLE => {
            "see `pg_locks` for who holds an `AccessExclusiveLock`: a migration, `VACUUM FULL` or `REINDEX` may run"
        }
        SqlState::INSUFFICIENT_PRIVILEGE => {
            "let our role read it: `GRANT pg_monitor` is enough unless rights were taken from `PUBLIC`"
        }
        _ => "we ask what PostgreSQL 10 and later can answer: what server and version is it?",
    };
    for metric in question.measures() {
        let why = format!("the server refused to tell: {message} ({})", code.code());
        gap(reading, *metric, None, why, Some(hint));
    }
}

fn number(reading: &mut Reading, (metric, unit): Measured, subject: Option<&str>, number: f64) {
    reading.number(metric, subject, number, unit);
}

fn gap(
    reading: &mut Reading,
    (metric, unit): (&'static str, Unit),
    subject: Option<&str>,
    message: String,
    hint: Option<&str>,
) {
    reading.gaps.push(Gap {
        metric,
        subject: subject.map(str::to_owned),
        unit,
        message,
        hint: Some(hint.unwrap_or("what server and version is it?").to_owned()),
    });
}

/// Measures a column that always has a number.
fn column(reading: &mut Reading, metric: Measured, subject: Option<&str>, row: &Row, column: &str) {
    match value(row, column) {
        Ok(Some(found)) => number(reading, metric, subject, found),
        Ok(None) => gap(
            reading,
            metric,
            subject,
            "the server gave no value".to_owned(),
            None,
        ),
        Err(why) => gap(reading, metric, subject, why, None),
    }
}

/// The number in a column; `None` for NULL.
fn value(row: &Row, column: &str) -> Result<Option<f64>, String> {
    let Some(text) = row.text(column) else {
        return Ok(None);
    };
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Some(number)),
        _ => Err(format!(
            "the server gave `{}`, which is no number",
            shown(text)
        )),
    }
}

/// A name that others have given, on one line and not too long.
fn shown(text: &str) -> String {
    shortened_name(text).chars().take(NAME_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name=value` for each column; a name alone is NULL.
    fn row(text: &str) -> Row {
        let columns = text.split('|').filter(|column| !column.is_empty());
        Row(columns
            .map(|column| match column.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (column.to_owned(), None),
            })
            .collect())
    }

    /// What is read from the answer to one question: measurements, then gaps, then facts.
    fn told(question: Question, rows: &[&str]) -> Vec<String> {
        let rows = rows.iter().map(|text| row(text)).collect();
        said(&vec![(question, Ok(rows))])
    }

    fn said(answers: &Answers) -> Vec<String> {
        let mut reading = Reading::default();
        read(
            &mut reading,
            answers,
            "watcher",
            Some(Duration::from_secs(50)),
        );
        assert!(reading.gaps.iter().all(|gap| gap.hint.is_some()));
        let subject =
            |subject: Option<String>| subject.map_or_else(String::new, |s| format!(" {s}"));
        let measured = (reading.measurements.into_iter())
            .map(|one| format!("{}{} = {}", one.metric, subject(one.subject), one.value));
        let gaps = (reading.gaps.into_iter())
            .map(|gap| format!("{}{} ? {}", gap.metric, subject(gap.subject), gap.message));
        let facts =
            (reading.facts.into_iter()).map(|fact| format!("{}: {}", fact.name, fact.value));
        measured.chain(gaps).chain(facts).collect()
    }

    #[test]
    fn every_answer_about_sessions_is_read() {
        for (question, rows, expected) in [
            (
                Question::Server,
                &["is_standby=f|uptime_seconds=12.5"][..],
                &["uptime_seconds = 12.5", "role: primary"][..],
            ),
            (
                Question::Sessions,
                &["most=100|reserved=3|used=34|hidden_transactions=0|longest_seconds"],
                &[
                    "connections_used = 34",
                    "connections_max = 100",
                    "connections_used_percent = 34",
                    "longest_transaction_seconds = 0",
                    "connections_reserved: 3",
                ],
            ),
            // The server's clock was set back.
            (
                Question::Sessions,
                &["most=5|reserved=3|used=5|hidden_transactions=0|longest_seconds=-2"],
                &[
                    "connections_used = 5",
                    "connections_max = 5",
                    "connections_used_percent = 100",
                    "longest_transaction_seconds = 0",
                    "connections_reserved: 3",
                ],
            ),
            (Question::Waiting, &[], &["locks_waiting = 0"]),
            (
                Question::Waiting,
                &[
                    "waiting=4|pid=12|usename=app|waited_seconds=31.4|statement_seconds=900|blocked_by=99, 98",
                    "waiting=4|pid=14|usename=app|waited_seconds|statement_seconds=900|blocked_by=99",
                    "waiting=4|pid=13|usename|waited_seconds|statement_seconds|blocked_by=",
                ],
                &[
                    "locks_waiting = 4",
                    "lock_waits: process 12 of app waits for 31 s, held up by process 99, 98; process 14 of app, its \
                     statement running for 900 s, held up by process 99; process 13 of unknown",
                ],
            ),
            (Question::Longest, &[], &[]),
            (
                Question::Longest,
                &["pid=7|usename=app|state=active|seconds=0.2"],
                &[],
            ),
            (
                Question::Longest,
                &[
                    "pid=7|usename=a\u{1b}[31mpp|state=active|wait_event_type=Lock|wait_event=tuple|seconds=400|blocked_by=9",
                ],
                &[
                    "longest_transaction: process 7 of app, open for 400 s, active, waits for Lock tuple, held up by \
                   process 9",
                ],
            ),
            (
                Question::Longest,
                &["pid|usename=app|state=prepared|seconds=90000"],
                &["longest_transaction: prepared by app 90000 s ago (`pg_prepared_xacts`)"],
            ),
        ] {
            assert_eq!(told(question, rows), expected, "{question:?} {rows:?}");
        }
    }

    #[test]
    fn replication_sizes_and_hits_are_read() {
        for (question, rows, expected) in [
            (Question::OwnLag, &["is_standby=f|lag_seconds"][..], &[][..]),
            (
                Question::OwnLag,
                &["is_standby=t|lag_seconds=3.5"],
                &["replication_lag_seconds = 3.5"],
            ),
            // A night without writes; it had replayed all 50 s ago.
            (
                Question::OwnLag,
                &["is_standby=t|is_paused=f|lag_seconds=30000"],
                &["replication_lag_seconds = 50"],
            ),
            (
                Question::OwnLag,
                &["is_standby=t|is_paused=t|lag_seconds=3.5"],
                &[
                    "replication_lag_seconds = 3.5",
                    "replay: paused: `SELECT pg_wal_replay_resume()` lets it go on",
                ],
            ),
            (
                Question::OwnLag,
                &["is_standby=t|is_paused=t|lag_seconds"],
                &[
                    "replication_lag_seconds ? this standby has replayed no transaction since it was started: replay is \
                     paused",
                    "replay: paused: `SELECT pg_wal_replay_resume()` lets it go on",
                ],
            ),
            (
                Question::OwnLag,
                &["is_standby=t|lag_seconds"],
                &[
                    "replication_lag_seconds ? this standby has replayed no transaction since it was started",
                ],
            ),
            (Question::Slots, &[], &[]),
            (
                Question::Slots,
                &[
                    "name=east|retained_bytes=536870912|inactive=3",
                    "name=new|retained_bytes|inactive=3",
                ],
                &["inactive_slots: `east` retains 512 MiB of the log, `new`, 3 in all"],
            ),
            (Question::Cache, &["hits=0|reads=0"], &[]),
            (
                Question::Cache,
                &["hits=3|reads=1"],
                &["cache_hit_percent = 75"],
            ),
            (
                Question::Size,
                &["size_bytes=8192"],
                &["database_size_bytes = 8192"],
            ),
        ] {
            assert_eq!(told(question, rows), expected, "{question:?} {rows:?}");
        }
    }

    #[test]
    fn what_is_missing_or_garbled_is_a_gap() {
        for (question, rows, expected) in [
            (
                Question::Sessions,
                &["most=many|used=34|hidden_transactions=0|longest_seconds=NaN"][..],
                &[
                    "connections_used = 34",
                    "connections_max ? the server gave `many`, which is no number",
                    "connections_used_percent ? it follows from `connections_used` and `connections_max`",
                    "longest_transaction_seconds ? the server gave `NaN`, which is no number",
                ][..],
            ),
            (
                Question::Size,
                &[""],
                &["database_size_bytes ? the server gave no value"],
            ),
            (
                Question::Size,
                &[],
                &["database_size_bytes ? the server gave no row"],
            ),
            (
                Question::Cache,
                &["hits=x|reads=1"],
                &["cache_hit_percent ? the server gave `x`, which is no number"],
            ),
            (
                Question::Server,
                &["is_standby=t|uptime_seconds"],
                &["uptime_seconds ? the server gave no value", "role: standby"],
            ),
        ] {
            assert_eq!(told(question, rows), expected, "{question:?} {rows:?}");
        }
    }

    #[test]
    fn standbys_are_told_by_name_and_the_worst_of_one_name_counts() {
        let rows = [
            "application_name=east|client_addr=10.0.0.1|state=streaming|lag_seconds=2|lag_bytes=10",
            "application_name=west|client_addr=10.0.0.2|state=streaming|lag_seconds|lag_bytes=0",
            "application_name=walreceiver|client_addr=10.0.0.3|state=streaming|lag_seconds=5|lag_bytes=1",
            "application_name=walreceiver|client_addr=10.0.0.3|state=streaming|lag_seconds=7|lag_bytes=1",
            "application_name=walreceiver|client_addr|state=catchup|lag_seconds|lag_bytes=50000000",
            "application_name=new|client_addr=10.0.0.4|state=streaming|lag_seconds|lag_bytes=300",
            "application_name=pg_receivewal|client_addr=10.0.0.5|state=streaming|lag_seconds|lag_bytes",
            "application_name=hidden|client_addr|state|lag_seconds|lag_bytes",
        ];
        assert_eq!(
            told(Question::Standbys, &rows),
            [
                "replication_lag_seconds east = 2",
                "replication_lag_seconds west = 0",
                "replication_lag_seconds walreceiver (10.0.0.3) = 7",
                "replication_lag_seconds walreceiver (local) ? it is 50000000 bytes behind and has not said for how long",
                "limited_view: hidden from us: how far 1 standby is behind (`replication_lag_seconds`); \
                 `GRANT pg_monitor TO \"watcher\"` shows it",
            ]
        );
    }

    #[test]
    fn tables_are_counted_by_what_is_known_of_them() {
        let table = |rest: &str| format!("schema=public|name=t|is_held=f|size_bytes=8192|{rest}");
        for (is_standby, rest, expected) in [
            (
                "f",
                "rows_at_vacuum=5|live_rows=9|dead_rows=1",
                &["table_rows public.t = 9", "table_dead_rows public.t = 1"][..],
            ),
            // Statistics were lost; all rows were deleted; never counted.
            (
                "f",
                "rows_at_vacuum=5|live_rows=0|dead_rows=0",
                &["table_rows public.t = 5", "table_dead_rows public.t = 0"],
            ),
            (
                "f",
                "rows_at_vacuum=5|live_rows=0|dead_rows=5",
                &["table_rows public.t = 0", "table_dead_rows public.t = 5"],
            ),
            (
                "f",
                "rows_at_vacuum=-1|live_rows=0|dead_rows=0",
                &["table_rows public.t = 0", "table_dead_rows public.t = 0"],
            ),
            (
                "t",
                "rows_at_vacuum=5|live_rows=0|dead_rows=0",
                &["table_rows public.t = 5"],
            ),
        ] {
            let server = row(&format!("is_standby={is_standby}|uptime_seconds=1"));
            let all = said(&vec![
                (Question::Server, Ok(vec![server])),
                (Question::Tables, Ok(vec![row(&table(rest))])),
            ]);
            let found: Vec<_> = all.iter().filter(|line| line.contains("_rows ")).collect();
            assert_eq!(found, expected, "{is_standby} {rest}");
        }
        let held = told(
            Question::Tables,
            &["schema=public|name=t|is_held=t|size_bytes|live_rows=1|dead_rows=0"],
        );
        assert_eq!(
            held,
            [
                "table_rows public.t = 1",
                "table_dead_rows public.t = 0",
                "tables_held: public.t: size unknown while somebody holds an exclusive lock, or waits for one"
            ]
        );
        let dropped = told(
            Question::Tables,
            &["schema=public|name=t|is_held=f|size_bytes|live_rows=1|dead_rows=0"],
        );
        assert_eq!(
            dropped,
            ["table_rows public.t = 1", "table_dead_rows public.t = 0"]
        );
    }

    #[test]
    fn no_two_tables_have_one_name() {
        for (schema, name, expected) in [
            ("public", "Orders", "public.Orders"),
            ("a.b", "c", "\"a.b\".c"),
            ("a", "b.c", "a.\"b.c\""),
            ("a", "b\"c", "a.\"b\"\"c\""),
        ] {
            let row = format!("schema={schema}|name={name}|is_held=f|live_rows=1|dead_rows");
            assert_eq!(
                told(Question::Tables, &[&row]),
                [format!("table_rows {expected} = 1")]
            );
        }
    }

    #[test]
    fn a_refusal_costs_what_was_asked_and_says_why() {
        let refused = |code, message: &str| Refused {
            code,
            message: message.to_owned(),
        };
        let slow = refused(
            SqlState::QUERY_CANCELED,
            "canceling statement due to statement timeout",
        );
        assert_eq!(
            said(&vec![(Question::Size, Err(slow))]),
            [
                "database_size_bytes ? the server refused to tell: canceling statement due to statement timeout (57014)"
            ]
        );
        let locked = refused(
            SqlState::LOCK_NOT_AVAILABLE,
            "canceling statement due to lock timeout",
        );
        assert_eq!(
            said(&vec![(Question::Tables, Err(locked))]),
            [
                "tables_held: at least one table: size unknown while somebody holds an exclusive lock, or waits for one"
            ]
        );
        let lacking = refused(SqlState::FEATURE_NOT_SUPPORTED, "not here");
        assert_eq!(
            said(&vec![(Question::OwnLag, Err(lacking))]),
            ["not_supported: not here"]
        );
        let denied = refused(SqlState::INSUFFICIENT_PRIVILEGE, "no");
        assert!(said(&vec![(Question::Longest, Err(denied))]).is_empty());
    }
}
