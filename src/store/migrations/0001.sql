-- Times are milliseconds since 1970 in UTC. Statuses: 0 GREEN, 1 UNKNOWN, 2 YELLOW, 3 RED.

CREATE TABLE targets (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (kind, name)
) STRICT;

-- Names of metrics, of their subjects, and words that were measured: each is stored once.
CREATE TABLE words (
    id INTEGER PRIMARY KEY,
    word TEXT NOT NULL UNIQUE
) STRICT;

-- One row for each look, appended, its samples together (src/store/samples.rs): a row for each sample costs twice the
-- room and ten times the writing.
CREATE TABLE observations (
    id INTEGER PRIMARY KEY,
    target INTEGER NOT NULL,
    at INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    status INTEGER NOT NULL,
    samples BLOB NOT NULL
) STRICT;
CREATE INDEX observations_by_target ON observations (target, at);

-- What a target's looks of an hour gave, for long histories (src/store/hours.rs). Rows of one hour add up.
CREATE TABLE hours (
    id INTEGER PRIMARY KEY,
    target INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    looks BLOB NOT NULL,
    samples BLOB NOT NULL
) STRICT;
CREATE INDEX hours_by_target ON hours (target, hour);

-- Every time a target's status changed. NULL: it was not watched before, or is no longer.
CREATE TABLE changes (
    id INTEGER PRIMARY KEY,
    target INTEGER NOT NULL,
    at INTEGER NOT NULL,
    before INTEGER,
    after INTEGER,
    summary TEXT NOT NULL
) STRICT;
CREATE INDEX changes_by_target ON changes (target, at);

-- The newest that is known of each target, as it stands in a report (JSON).
CREATE TABLE states (
    target INTEGER PRIMARY KEY,
    state TEXT NOT NULL
) STRICT;

-- Single values: what the last report told, how far the hours have come.
CREATE TABLE notes (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
