-- Incidents as they are now (JSON of `model::Incident`).
CREATE TABLE incidents (
    id INTEGER PRIMARY KEY,
    opened_at INTEGER NOT NULL,
    resolved_at INTEGER,
    incident TEXT NOT NULL
) STRICT;
CREATE INDEX incidents_by_end ON incidents (resolved_at);

-- What is remembered of the looks at a target that is not at rest (JSON of `incidents::Marks`).
CREATE TABLE marks (
    target TEXT PRIMARY KEY,
    marks TEXT NOT NULL
) STRICT;

-- Messages that no channel has taken yet (JSON of `model::Parcel`).
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    parcel TEXT NOT NULL
) STRICT;

-- The round reports that some of them are about (JSON of `model::Report`).
CREATE TABLE outbox_reports (
    id TEXT PRIMARY KEY,
    report TEXT NOT NULL
) STRICT;

-- What a channel calls the message about an incident that it took last.
CREATE TABLE receipts (
    reporter TEXT NOT NULL,
    thread TEXT NOT NULL,
    at INTEGER NOT NULL,
    receipt TEXT NOT NULL,
    PRIMARY KEY (reporter, thread)
) STRICT;

-- Silences that people asked for (JSON of `incidents::Silence`).
CREATE TABLE silences (
    id TEXT PRIMARY KEY,
    silence TEXT NOT NULL
) STRICT;

-- What people ask the daemon to do (JSON), and what it says of it; `answer` is NULL until it has.
CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    wanted TEXT NOT NULL,
    answer TEXT
) STRICT;
