-- Instants are UTC epoch milliseconds (`_at`); durations name their unit. Words are those of the
-- domain's enums.

CREATE TABLE users (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    role       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE trunks (
    id                INTEGER PRIMARY KEY,
    name              TEXT    NOT NULL UNIQUE,
    template          TEXT    NOT NULL,
    channels          INTEGER,
    starts_per_second INTEGER,
    account           TEXT,
    short_numbers     TEXT    NOT NULL,
    created_at        INTEGER NOT NULL
) STRICT;

-- Frozen: an edit of a campaign's actions makes a new row, so that planned calls keep what they had.
CREATE TABLE action_lists (
    id      INTEGER PRIMARY KEY,
    actions TEXT NOT NULL
) STRICT;

CREATE TABLE campaigns (
    id             INTEGER PRIMARY KEY,
    name           TEXT    NOT NULL UNIQUE,
    owner          INTEGER NOT NULL REFERENCES users (id),
    trunk          INTEGER NOT NULL REFERENCES trunks (id),
    state          TEXT    NOT NULL,
    window_start_s INTEGER NOT NULL,
    window_stop_s  INTEGER NOT NULL,
    time_zone      TEXT    NOT NULL,
    max_retries    INTEGER NOT NULL,
    retry_time_s   INTEGER NOT NULL,
    wait_time_s    INTEGER NOT NULL,
    channels       INTEGER,
    caller_number  TEXT,
    caller_name    TEXT,
    action_list    INTEGER REFERENCES action_lists (id),
    -- The last slot given to it: the fair turn between campaigns.
    served_at      INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX campaigns_by_trunk ON campaigns (trunk);

CREATE TABLE contacts (
    id          INTEGER PRIMARY KEY,
    campaign    INTEGER NOT NULL REFERENCES campaigns (id),
    number      TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    -- NULL: never called since it was imported or reactivated.
    due_at      INTEGER,
    charged     INTEGER NOT NULL DEFAULT 0,
    dials       INTEGER NOT NULL DEFAULT 0,
    strikes     INTEGER NOT NULL DEFAULT 0,
    disposition TEXT
) STRICT;

-- The number first: `why NUMBER` looks over all campaigns.
CREATE UNIQUE INDEX contacts_by_number ON contacts (number, campaign);
-- Taking the next contacts of ten million costs what it costs for ten thousand.
CREATE INDEX contacts_fresh ON contacts (campaign, id) WHERE state = 'waiting' AND due_at IS NULL;
CREATE INDEX contacts_due ON contacts (campaign, due_at, id) WHERE state = 'waiting' AND due_at IS NOT NULL;
CREATE INDEX contacts_failed ON contacts (campaign, id) WHERE state = 'failed';
CREATE INDEX contacts_in_progress ON contacts (campaign, id) WHERE state = 'in_progress';

CREATE TABLE attempts (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket        TEXT    NOT NULL UNIQUE,
    -- The random part of its file name.
    spool_salt    INTEGER NOT NULL,
    campaign      INTEGER NOT NULL REFERENCES campaigns (id),
    contact       INTEGER REFERENCES contacts (id) ON DELETE SET NULL,
    trunk         INTEGER NOT NULL REFERENCES trunks (id),
    number        TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    planned_at    INTEGER NOT NULL,
    dial_string   TEXT    NOT NULL,
    wait_time_s   INTEGER NOT NULL,
    caller_number TEXT,
    caller_name   TEXT,
    account       TEXT,
    action_list   INTEGER REFERENCES action_lists (id),
    start_at      INTEGER,
    closed_at     INTEGER,
    disposition   TEXT,
    detail        TEXT,
    cause         INTEGER,
    sip_code      INTEGER,
    dialled_at    INTEGER,
    answered_at   INTEGER,
    ended_at      INTEGER,
    ring_ms       INTEGER,
    talk_ms       INTEGER,
    CHECK ((state = 'closed') = (disposition IS NOT NULL)),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL))
) STRICT;

-- I2: a number has at most one open attempt, over all campaigns.
CREATE UNIQUE INDEX attempts_open_number ON attempts (number) WHERE state <> 'closed';
CREATE INDEX attempts_open_campaign ON attempts (campaign, state) WHERE state <> 'closed';
CREATE INDEX attempts_open_trunk ON attempts (trunk, state) WHERE state <> 'closed';
CREATE INDEX attempts_by_campaign ON attempts (campaign, id);
CREATE INDEX attempts_by_contact ON attempts (contact) WHERE contact IS NOT NULL;
CREATE INDEX attempts_by_number ON attempts (number, id);

CREATE TABLE evidence (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    attempt INTEGER NOT NULL REFERENCES attempts (id),
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    fact    TEXT    NOT NULL
) STRICT;

CREATE INDEX evidence_by_attempt ON evidence (attempt, id);

-- The instant before which the next start of a scope would pass its rate: `server`, `trunk:<id>`; and
-- `rest`, the instant before which nothing is planned.
CREATE TABLE paces (
    scope   TEXT    PRIMARY KEY,
    next_at INTEGER NOT NULL
) STRICT;
