//! The purse's ledger: a small database of its own beside the memory, so that what was spent is not lost when the memory is
//! moved aside, cleaned, or begun anew, and so that whoever makes a single round at a prompt can pay from the same purse.
//!
//! Every reservation and every settlement is on disk before the call goes on (`synchronous=FULL`), and reservations of
//! several processes follow each other (`BEGIN IMMEDIATE`).

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::folder;
use super::trouble::{Trouble, TroubleKind};
use crate::model::{Timestamp, UsDollars};
use crate::purse::{Budget, Ledger, Purpose, Refusal, Reserved, Settled, Spent, Wanted, admit};

/// The name of the database.
pub const LEDGER: &str = "purse.db";

/// How long another process is waited for. It holds the ledger for milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells our ledgers from other databases: `RndP`.
const APPLICATION: i32 = 0x526E_6450;
const VERSION: i64 = 1;

/// For how many days the entries are kept.
const KEPT_DAYS: i64 = 400;

/// For how many days what was bought is kept: nobody's trouble of longer ago is still the same.
const BOUGHT_KEPT_DAYS: i64 = 30;

const TABLES: &str = "
CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    day TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    -- In billionths of a US dollar; `cost` is NULL until it is settled.
    worst INTEGER NOT NULL,
    cost INTEGER,
    input_tokens INTEGER,
    output_tokens INTEGER,
    estimated INTEGER
) STRICT;
CREATE INDEX calls_by_day ON calls (day);
";

/// What was got for the money, under the name of what it is about. A program that knows nothing of it may go on with the
/// ledger: no other version for that.
const BOUGHT: &str = "
CREATE TABLE IF NOT EXISTS bought (
    name TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    what TEXT NOT NULL
) STRICT;
";

/// The ledger in a folder. It is opened when first needed.
pub struct FileLedger {
    folder: PathBuf,
    open: Mutex<Option<Connection>>,
}

/// What was spent on a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    /// What for.
    pub purpose: String,
    /// Who runs the model.
    pub provider: String,
    /// The model.
    pub model: String,
    /// How many calls.
    pub calls: u64,
    /// How many of them were never settled, and count in full.
    pub unsettled: u64,
    /// Tokens of the questions.
    pub input_tokens: u64,
    /// Tokens of the answers.
    pub output_tokens: u64,
    /// How many calls' tokens were estimated.
    pub estimated: u64,
    /// What they cost.
    pub cost: UsDollars,
}

impl FileLedger {
    /// The ledger in that folder. Does no I/O.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            open: Mutex::new(None),
        }
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Trouble> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.folder.join(LEDGER);
        let mut connection = match open.take() {
            // One that was taken away or replaced is another purse: the file counts, not what we hold.
            Some(connection) if file.exists() => connection,
            _ => self.connect(&file)?,
        };
        let done = work(&mut connection).map_err(|error| Trouble::of_sqlite(&error, &file));
        if done.is_ok() {
            *open = Some(connection);
        }
        done
    }

    fn connect(&self, file: &Path) -> Result<Connection, Trouble> {
        folder::prepare(&self.folder)?;
        let trouble = |error: rusqlite::Error| Trouble::of_sqlite(&error, file);
        let is_new = !file.exists();
        let mut connection = Connection::open(file).map_err(trouble)?;
        if is_new {
            folder::for_us_alone(file)?;
        }
        connection.busy_timeout(PATIENCE).map_err(trouble)?;
        connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(trouble)?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(trouble)?;
        let number =
            |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let (application, version) = (
            number("application_id").map_err(trouble)?,
            number("user_version").map_err(trouble)?,
        );
        match (application, version) {
            (0, 0) => {
                transaction.execute_batch(TABLES).map_err(trouble)?;
                transaction
                    .pragma_update(None, "application_id", APPLICATION)
                    .map_err(trouble)?;
                transaction
                    .pragma_update(None, "user_version", VERSION)
                    .map_err(trouble)?;
            }
            (application, VERSION) if application == i64::from(APPLICATION) => {}
            (application, _) if application == i64::from(APPLICATION) => {
                let message = format!("a newer version made the ledger `{}`", file.display());
                return Err(Trouble::new(TroubleKind::Newer, message));
            }
            _ => {
                let message = format!("`{}` is a database of another program", file.display());
                return Err(Trouble::new(TroubleKind::Foreign, message));
            }
        }
        transaction.execute_batch(BOUGHT).map_err(trouble)?;
        transaction.commit().map_err(trouble)?;
        Ok(connection)
    }
}

impl Ledger for FileLedger {
    fn reserve(
        &self,
        budget: &Budget,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Reserved, Refusal> {
        let day = budget.day(now);
        let reserved = self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let spent = spent(&transaction, &day, wanted.purpose.word())?;
            if let Err(refusal) = admit(budget, spent, wanted) {
                return Ok(Err(refusal));
            }
            let oldest = budget.day(now - TimeDelta::days(KEPT_DAYS));
            transaction.execute("DELETE FROM calls WHERE day < ?1", [oldest])?;
            transaction.execute(
                "INSERT INTO calls (day, at_ms, purpose, provider, model, worst) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    day,
                    now.timestamp_millis(),
                    wanted.purpose.word(),
                    wanted.provider,
                    wanted.model,
                    as_integer(wanted.worst.nanos()),
                ],
            )?;
            let id = transaction.last_insert_rowid();
            transaction.commit()?;
            Ok(Ok(Reserved(id)))
        });
        reserved.unwrap_or_else(|trouble| Err(Refusal::NoLedger(trouble.to_string())))
    }

    fn settle(&self, reserved: Reserved, settled: &Settled) -> Result<(), Refusal> {
        let done = self.with(|connection| {
            connection.execute(
                "UPDATE calls SET cost = ?2, input_tokens = ?3, output_tokens = ?4, estimated = ?5 WHERE id = ?1 AND cost IS NULL",
                params![
                    reserved.0,
                    as_integer(settled.cost.nanos()),
                    as_integer(settled.input_tokens),
                    as_integer(settled.output_tokens),
                    settled.estimated,
                ],
            )
        });
        done.map(|_| ())
            .map_err(|trouble| Refusal::NoLedger(trouble.to_string()))
    }

    fn spent(&self, budget: &Budget, purpose: Purpose, now: Timestamp) -> Option<Spent> {
        let day = budget.day(now);
        self.with(|connection| spent(connection, &day, purpose.word()))
            .ok()
    }

    fn bought(&self, name: &str) -> Option<String> {
        let found = self.with(|connection| {
            connection
                .query_row("SELECT what FROM bought WHERE name = ?1", [name], |row| {
                    row.get(0)
                })
                .optional()
        });
        found.ok().flatten()
    }

    fn keep_bought(&self, name: &str, what: &str, now: Timestamp) {
        let oldest = now - TimeDelta::days(BOUGHT_KEPT_DAYS);
        let kept = self.with(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute(
                "DELETE FROM bought WHERE at_ms < ?1",
                [oldest.timestamp_millis()],
            )?;
            transaction.execute(
                "INSERT OR REPLACE INTO bought (name, at_ms, what) VALUES (?1, ?2, ?3)",
                params![name, now.timestamp_millis(), what],
            )?;
            transaction.commit()
        });
        if let Err(trouble) = kept {
            tracing::debug!(%trouble, "what was bought could not be kept: it may be paid for again");
        }
    }
}

/// What stands in the ledger of the days from one to another, both included, dearest first. Nothing, if there is none.
///
/// # Errors
/// It cannot be read.
pub fn spendings(in_folder: &Path, from: &str, to: &str) -> Result<Vec<Spending>, Trouble> {
    let file = in_folder.join(LEDGER);
    if !file.exists() {
        return Ok(Vec::new());
    }
    let read = || -> rusqlite::Result<Vec<Spending>> {
        let connection = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(PATIENCE)?;
        let mut statement = connection.prepare(
            "SELECT purpose, provider, model, COUNT(*), SUM(cost IS NULL), TOTAL(input_tokens), TOTAL(output_tokens),
                    TOTAL(estimated), SUM(COALESCE(cost, worst)) AS spent
             FROM calls WHERE day BETWEEN ?1 AND ?2 GROUP BY purpose, provider, model ORDER BY spent DESC, model",
        )?;
        let count = |value: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count"
            )]
            let count = value as u64;
            count
        };
        let rows = statement.query_map([from, to], |row| {
            Ok(Spending {
                purpose: row.get(0)?,
                provider: row.get(1)?,
                model: row.get(2)?,
                calls: as_count(row.get(3)?),
                unsettled: as_count(row.get(4)?),
                input_tokens: count(row.get(5)?),
                output_tokens: count(row.get(6)?),
                estimated: count(row.get(7)?),
                cost: UsDollars::from_nanos(as_count(row.get(8)?)),
            })
        })?;
        rows.collect()
    };
    read().map_err(|error| Trouble::of_sqlite(&error, &file))
}

fn spent(connection: &Connection, day: &str, purpose: &str) -> rusqlite::Result<Spent> {
    let mut statement = connection.prepare_cached(
        "SELECT COALESCE(SUM(COALESCE(cost, worst)), 0),
                COALESCE(SUM(CASE WHEN purpose = ?2 THEN COALESCE(cost, worst) END), 0)
         FROM calls WHERE day = ?1",
    )?;
    statement.query_row([day, purpose], |row| {
        Ok(Spent {
            all: UsDollars::from_nanos(as_count(row.get(0)?)),
            of_purpose: UsDollars::from_nanos(as_count(row.get(1)?)),
        })
    })
}

fn as_integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn as_count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
