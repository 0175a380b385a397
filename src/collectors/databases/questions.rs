//! What a server is asked: plain statements over PostgreSQL's own catalogues, which every role may read and which are
//! there since PostgreSQL 10. None of them waits for a table's lock, and none reads what people have stored.

use std::time::Duration;

use super::metrics::{
    self, CACHE, DATABASE_SIZE, LOCKS_WAITING, Measured, REPLICATION_LAG, TABLES, UPTIME,
};

/// How long a lock may be waited for. Ours are the lightest; who holds them up holds up everybody.
const LOCK_TIMEOUT: Duration = Duration::from_millis(200);

/// From this version on the planner may compile a statement, which costs more than all of them.
const FIRST_WITH_JIT: u32 = 11;

/// From this version on a lock says since when it is waited for.
const FIRST_WITH_WAITSTART: u32 = 14;

/// One statement, in the order in which they are asked: what is quick and matters most comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Server,
    Sessions,
    Longest,
    Waiting,
    OwnLag,
    Standbys,
    Slots,
    Cache,
    Tables,
    Size,
}

impl Question {
    /// All of them, `Tables` only where any are wanted.
    pub(super) fn all(tables: u8) -> Vec<Self> {
        let all = [
            Self::Server,
            Self::Sessions,
            Self::Longest,
            Self::Waiting,
            Self::OwnLag,
            Self::Standbys,
            Self::Slots,
            Self::Cache,
            Self::Tables,
            Self::Size,
        ];
        all.into_iter()
            .filter(|question| tables > 0 || *question != Self::Tables)
            .collect()
    }

    /// What is missing without an answer.
    pub(super) fn measures(self) -> &'static [Measured] {
        match self {
            Self::Server => UPTIME,
            Self::Sessions => metrics::SESSIONS,
            Self::Longest | Self::Slots => &[],
            Self::Waiting => &[LOCKS_WAITING],
            Self::OwnLag | Self::Standbys => &[REPLICATION_LAG],
            Self::Cache => &[CACHE],
            Self::Tables => TABLES,
            Self::Size => &[DATABASE_SIZE],
        }
    }

    fn sql(self, tables: u8, has_waitstart: bool) -> String {
        match self {
            Self::Server => SERVER.to_owned(),
            Self::Sessions => SESSIONS.to_owned(),
            Self::Longest => LONGEST.to_owned(),
            Self::Waiting if has_waitstart => WAITING.replace("{since}", "waitstart"),
            Self::Waiting => WAITING.replace("{since}", "NULL::timestamptz"),
            Self::OwnLag => OWN_LAG.to_owned(),
            Self::Standbys => STANDBYS.to_owned(),
            Self::Slots => INACTIVE_SLOTS.to_owned(),
            Self::Cache => HITS.to_owned(),
            Self::Tables => LARGEST.replace("{tables}", &tables.to_string()).replace(
                "{candidates}",
                // The order by pages is that of the last vacuum, so some more are measured than are told.
                &(4 * u32::from(tables) + 20).to_string(),
            ),
            Self::Size => SIZE.to_owned(),
        }
    }
}

/// One message for several questions. It is one transaction, and what is set in it ends with it: behind a pooler the
/// connection goes back to others, who must not inherit our limits.
pub(super) fn message(
    questions: &[Question],
    tables: u8,
    each: Duration,
    major_version: Option<u32>,
) -> String {
    let mut sql = format!(
        "SET LOCAL lock_timeout TO {};\n\
         SET LOCAL statement_timeout TO {};\n\
         SET LOCAL search_path TO pg_catalog;\n\
         SET LOCAL transaction_read_only TO on;\n",
        LOCK_TIMEOUT.as_millis(),
        each.as_millis().max(1)
    );
    if major_version.is_some_and(|major| major >= FIRST_WITH_JIT) {
        sql.push_str("SET LOCAL jit TO off;\n");
    }
    let has_waitstart = major_version.is_some_and(|major| major >= FIRST_WITH_WAITSTART);
    for question in questions {
        sql.push_str(&question.sql(tables, has_waitstart));
        sql.push_str(";\n");
    }
    sql
}

const SERVER: &str = "\
SELECT pg_is_in_recovery() AS is_standby,
  extract(epoch FROM clock_timestamp() - pg_postmaster_start_time()) AS uptime_seconds";

/// A role without `pg_monitor` sees of others' sessions that they are there, and nothing else; but every transaction
/// holds a lock on its own number, which all roles see. Ages are those at the beginning of the message, here and in
/// [`LONGEST`]: who is told of never looks older than the number.
const SESSIONS: &str = "\
WITH sessions AS (
  SELECT pid, datid, backend_type, xact_start, datname = current_database() AS is_here,
    usesysid IS NOT NULL AND backend_start IS NULL AS is_hidden
  FROM pg_stat_activity),
in_transaction AS (
  SELECT pid FROM pg_locks WHERE locktype = 'virtualxid' AND granted)
SELECT current_setting('max_connections') AS most,
  current_setting('superuser_reserved_connections')::int
    + coalesce(current_setting('reserved_connections', true), '0')::int AS reserved,
  count(*) FILTER (WHERE backend_type = 'client backend' OR is_hidden AND datid IS NOT NULL) AS used,
  count(*) FILTER (WHERE is_here AND is_hidden AND pid IN (SELECT pid FROM in_transaction)) AS hidden_transactions,
  greatest(
    max(extract(epoch FROM now() - xact_start))
      FILTER (WHERE is_here AND backend_type = 'client backend' AND pid <> pg_backend_pid()),
    (SELECT max(extract(epoch FROM now() - prepared))
      FROM pg_prepared_xacts WHERE database = current_database())) AS longest_seconds
FROM sessions";

/// Never the text of a statement: it holds what people have stored.
const LONGEST: &str = "\
SELECT pid, usename, state, wait_event_type, wait_event,
  extract(epoch FROM now() - started) AS seconds,
  CASE WHEN pid IS NOT NULL THEN array_to_string(pg_blocking_pids(pid), ', ') END AS blocked_by
FROM (
  SELECT pid, usename, state, wait_event_type, wait_event, xact_start AS started
  FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    AND xact_start IS NOT NULL
  UNION ALL
  SELECT NULL, owner, 'prepared', NULL, NULL, prepared
  FROM pg_prepared_xacts WHERE database = current_database()
  ORDER BY started LIMIT 1) AS longest";

/// Before PostgreSQL 14 only the age of the statement is known, which may have worked for long before it had to wait.
const WAITING: &str = "\
SELECT waiting, pid, usename, waited_seconds, statement_seconds,
  array_to_string(pg_blocking_pids(pid), ', ') AS blocked_by
FROM (
  SELECT count(*) OVER () AS waiting, pid, usename,
    extract(epoch FROM clock_timestamp() - since) AS waited_seconds,
    extract(epoch FROM clock_timestamp() - query_start) AS statement_seconds
  FROM pg_stat_activity
  JOIN (SELECT pid, min({since}) AS since FROM pg_locks WHERE NOT granted GROUP BY pid) AS waits USING (pid)
  WHERE datname = current_database()
  ORDER BY since, query_start LIMIT 3) AS longest";

/// How old what a standby shows is. All that has come has been replayed: nothing, as long as more can come. What came
/// in other ways, such as with the base backup, may be replayed beyond that. Replay that is paused is only asked for on
/// a standby: elsewhere the question is an error.
const OWN_LAG: &str = "\
SELECT is_standby, is_caught_up, pg_postmaster_start_time() AS started,
  CASE WHEN is_standby THEN pg_is_wal_replay_paused() END AS is_paused,
  CASE WHEN NOT is_standby THEN NULL
    WHEN is_caught_up THEN 0
    ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END AS lag_seconds
FROM (
  SELECT pg_is_in_recovery() AS is_standby,
    pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() AND EXISTS (SELECT FROM pg_stat_wal_receiver)
      AS is_caught_up) AS state";

/// The lag is NULL once a standby has caught up with a primary that writes nothing.
const STANDBYS: &str = "\
SELECT application_name, client_addr, state, extract(epoch FROM replay_lag) AS lag_seconds,
  pg_wal_lsn_diff(
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,
    replay_lsn) AS lag_bytes
FROM pg_stat_replication
WHERE state IS DISTINCT FROM 'backup'";

/// A slot keeps the log until somebody fetches it, however large it gets.
const INACTIVE_SLOTS: &str = "\
SELECT name, retained_bytes, count(*) OVER () AS inactive
FROM (
  SELECT slot_name AS name,
    CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) END AS retained_bytes
  FROM pg_replication_slots
  WHERE NOT active AND NOT temporary AND NOT pg_is_in_recovery()) AS slots
ORDER BY retained_bytes DESC NULLS LAST, name LIMIT 5";

const HITS: &str = "\
SELECT blks_hit AS hits, blks_read AS reads FROM pg_stat_database WHERE datname = current_database()";

/// Sizes are asked for only of what is large by the pages of the last vacuum, or has many rows: each costs a look at
/// the disk, and a database may have 100,000 tables. A size waits for whoever holds the table, its TOAST or an index of
/// either for itself alone, and stands in line behind whoever waits for that.
const LARGEST: &str = "\
WITH held AS (
  SELECT relation FROM pg_locks
  WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())),
candidates AS (
  SELECT c.oid, c.reltoastrelid AS toast, n.nspname, c.relname, c.reltuples,
    c.relpages + coalesce(t.relpages, 0) AS pages
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid
  WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  ORDER BY greatest(c.relpages + coalesce(t.relpages, 0), pg_stat_get_live_tuples(c.oid) / 100) DESC, c.oid
  LIMIT {candidates}),
judged AS (
  SELECT *, oid IN (SELECT relation FROM held) OR toast IN (SELECT relation FROM held) OR EXISTS (
      SELECT FROM pg_index AS i
      WHERE i.indrelid IN (candidates.oid, toast) AND i.indexrelid IN (SELECT relation FROM held)) AS is_held
  FROM candidates),
measured AS (
  SELECT *, CASE WHEN NOT is_held THEN pg_total_relation_size(oid) END AS size_bytes FROM judged)
SELECT nspname AS schema, relname AS name, is_held, size_bytes, reltuples AS rows_at_vacuum,
  pg_stat_get_live_tuples(oid) AS live_rows, pg_stat_get_dead_tuples(oid) AS dead_rows
FROM measured
ORDER BY coalesce(size_bytes, pages * current_setting('block_size')::bigint) DESC, schema, name
LIMIT {tables}";

const SIZE: &str = "SELECT pg_database_size(current_database()) AS size_bytes";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_leaves_no_setting_behind_and_reads_no_statement() {
        let all = Question::all(5);
        let sql = message(&all, 5, Duration::from_millis(700), Some(15));
        assert!(sql.contains("SET LOCAL statement_timeout TO 700;"), "{sql}");
        for line in sql.lines().filter(|line| line.contains("SET ")) {
            assert!(line.starts_with("SET LOCAL "), "{line}");
        }
        assert_eq!(sql.matches(";\n").count(), 5 + all.len());
        assert!(!sql.contains('{'), "{sql}");
        for word in [" query ", " query,", "BEGIN", "COMMIT"] {
            assert!(!sql.contains(word), "{word}");
        }
    }

    #[test]
    fn old_servers_are_not_asked_for_what_they_lack() {
        let sql = message(&Question::all(0), 0, Duration::from_secs(1), Some(10));
        assert!(!sql.contains("jit") && !sql.contains("relpages"), "{sql}");
        assert!(!sql.contains("waitstart"), "{sql}");
        assert!(!message(&[], 0, Duration::ZERO, None).contains("jit"));
    }
}
