//! What is measured of a database, and the limits it ships with.

use crate::model::{Limit, MetricSpec, Rule, Unit};

/// A metric with its unit.
pub(super) type Measured = (&'static str, Unit);

pub(super) const UPTIME: &[Measured] = &[("uptime_seconds", Unit::Seconds)];
pub(super) const LONGEST_TRANSACTION: Measured = ("longest_transaction_seconds", Unit::Seconds);
pub(super) const SESSIONS: &[Measured] = &[
    ("connections_used", Unit::Count),
    ("connections_max", Unit::Count),
    ("connections_used_percent", Unit::Percent),
    LONGEST_TRANSACTION,
];
pub(super) const LOCKS_WAITING: Measured = ("locks_waiting", Unit::Count);
pub(super) const REPLICATION_LAG: Measured = ("replication_lag_seconds", Unit::Seconds);
pub(super) const CACHE: Measured = ("cache_hit_percent", Unit::Percent);
pub(super) const DATABASE_SIZE: Measured = ("database_size_bytes", Unit::Bytes);
pub(super) const TABLES: &[Measured] = &[
    ("table_size_bytes", Unit::Bytes),
    ("table_rows", Unit::Count),
    ("table_dead_rows", Unit::Count),
];

/// All of them, in the order of the documentation.
pub(super) const ALL: &[MetricSpec] = &[
    MetricSpec {
        headline: Some("logged in within"),
        advice: Some("look at the network between, and at how loaded the server is"),
        ..metric(
            "connect_time_ms",
            Unit::Milliseconds,
            "from the name to the server's being ready: connection, TLS and login",
        )
    },
    MetricSpec {
        headline: Some("connections"),
        advice: Some(
            "find who holds them (`SELECT usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2`), put a pool \
             before the server, or raise `max_connections`",
        ),
        ..metric(
            "connections_used_percent",
            Unit::Percent,
            "client connections of all databases, ours included, of `max_connections`; a few of these are reserved \
             for superusers (fact `connections_reserved`)",
        )
    },
    metric(
        "connections_used",
        Unit::Count,
        "client connections of all databases, ours included",
    ),
    metric(
        "connections_max",
        Unit::Count,
        "`max_connections` of the server",
    ),
    metric(
        "database_size_bytes",
        Unit::Bytes,
        "the database on disk, without the write-ahead log",
    ),
    table(
        "table_size_bytes",
        Unit::Bytes,
        "a table with its indexes and TOAST, of the largest ones (`tables`)",
    ),
    table(
        "table_rows",
        Unit::Count,
        "about how many rows it has, by the server's own statistics",
    ),
    MetricSpec {
        advice: Some("see why vacuum does not get there: long transactions, `autovacuum` settings"),
        ..table(
            "table_dead_rows",
            Unit::Count,
            "about how many dead rows vacuum has yet to remove; not known on a standby",
        )
    },
    MetricSpec {
        advice: Some(
            "see the fact `longest_transaction`: end it in its application, or with `SELECT pg_terminate_backend(PID)`",
        ),
        ..metric(
            "longest_transaction_seconds",
            Unit::Seconds,
            "for how long the oldest transaction in this database has been open, prepared ones included; 0: none is \
             open. A role without `pg_monitor` sees only its own",
        )
    },
    MetricSpec {
        advice: Some("see the fact `lock_waits` for who holds whom up"),
        ..metric(
            "locks_waiting",
            Unit::Count,
            "how many sessions of this database wait for a lock",
        )
    },
    MetricSpec {
        subject: Some("standby"),
        advice: Some(
            "look at the standby's log and load, at whether its replay is paused (fact `replay`), at the network between, \
             and at `pg_stat_replication` on the primary",
        ),
        ..metric(
            "replication_lag_seconds",
            Unit::Seconds,
            "on a primary for each standby, by its `application_name`: how long it takes to replay what is written; \
             on a standby, without a subject: 0 if all that came is replayed, else the time since the last replayed \
             transaction was committed or since we last saw all replayed, whichever is less. At our first look at a \
             standby only the former is known, which after a time without writes is too much",
        )
    },
    metric(
        "cache_hit_percent",
        Unit::Percent,
        "of the blocks read in this database, how many were in the server's memory, since its statistics were reset",
    ),
    metric("uptime_seconds", Unit::Seconds, "since the server started"),
    MetricSpec {
        advice: Some("renew the certificate, and look why the renewal did not happen by itself"),
        ..metric(
            "certificate_days_left",
            Unit::Days,
            "days until the server's certificate ends, negative when it has ended; only where it is checked \
             (`ssl_mode`)",
        )
    },
];

const fn metric(name: &'static str, unit: Unit, meaning: &'static str) -> MetricSpec {
    MetricSpec {
        name,
        unit,
        subject: None,
        meaning,
        headline: None,
        advice: None,
    }
}

const fn table(name: &'static str, unit: Unit, meaning: &'static str) -> MetricSpec {
    MetricSpec {
        subject: Some("table"),
        ..metric(name, unit, meaning)
    }
}

pub(super) fn rules() -> Vec<Rule> {
    let above = |metric, yellow, red| {
        Rule::default_of_kind(metric, Some(Limit::above(yellow)), Some(Limit::above(red)))
    };
    vec![
        above("connections_used_percent", 80.0, 95.0),
        above("longest_transaction_seconds", 300.0, 3_600.0),
        above("replication_lag_seconds", 60.0, 600.0),
        Rule::default_of_kind(
            "certificate_days_left",
            Some(Limit::below(30.0)),
            Some(Limit::below(7.0)),
        ),
    ]
}
