-- An open attempt stands in small indexes only, of as many rows as files are in the spool; the large ones, of all that
-- ever were, it enters when it is closed. So a plan of many calls reads no page of the past. What tells them apart is
-- `closed_at`, not the state: SQLite writes an index anew with each change of a column that its condition names.
--
-- Two references are triggers now, because an index of closed attempts alone does not serve SQLite's own check, which
-- would read all attempts instead. The others are checked at the commit: a statement with many rows is cheap only if
-- nothing of it may have to be taken back.

CREATE TABLE attempts_new (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket        TEXT    NOT NULL,
    -- The random part of its file name.
    spool_salt    INTEGER NOT NULL,
    campaign      INTEGER NOT NULL,
    -- NULL: it was deleted.
    contact       INTEGER,
    trunk         INTEGER NOT NULL REFERENCES trunks (id) DEFERRABLE INITIALLY DEFERRED,
    number        TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    planned_at    INTEGER NOT NULL,
    dial_string   TEXT    NOT NULL,
    wait_time_s   INTEGER NOT NULL,
    caller_number TEXT,
    caller_name   TEXT,
    account       TEXT,
    action_list   INTEGER REFERENCES action_lists (id) DEFERRABLE INITIALLY DEFERRED,
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

INSERT INTO attempts_new (id, ticket, spool_salt, campaign, contact, trunk, number, state, planned_at, dial_string,
    wait_time_s, caller_number, caller_name, account, action_list, start_at, closed_at, disposition, detail, cause,
    sip_code, dialled_at, answered_at, ended_at, ring_ms, talk_ms)
SELECT id, ticket, spool_salt, campaign, contact, trunk, number, state, planned_at, dial_string,
    wait_time_s, caller_number, caller_name, account, action_list, start_at, closed_at, disposition, detail, cause,
    sip_code, dialled_at, answered_at, ended_at, ring_ms, talk_ms
FROM attempts ORDER BY id;

-- No number is given out twice, also not that of an attempt that was removed: files may bear it.
DELETE FROM sqlite_sequence WHERE name = 'attempts_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'attempts_new', seq FROM sqlite_sequence WHERE name = 'attempts';

DROP TABLE attempts;
ALTER TABLE attempts_new RENAME TO attempts;

-- I2: a number has at most one open attempt, over all campaigns.
CREATE UNIQUE INDEX attempts_open_number ON attempts (number) WHERE closed_at IS NULL;
CREATE UNIQUE INDEX attempts_open_ticket ON attempts (ticket) WHERE closed_at IS NULL;
CREATE INDEX attempts_open ON attempts (planned_at, campaign, trunk) WHERE closed_at IS NULL;
-- The gate counts these for a call where there is a cap.
CREATE INDEX attempts_claimed_campaign ON attempts (campaign) WHERE state = 'claimed';
CREATE INDEX attempts_claimed_trunk ON attempts (trunk) WHERE state = 'claimed';

CREATE UNIQUE INDEX attempts_closed_ticket ON attempts (ticket) WHERE closed_at IS NOT NULL;
CREATE INDEX attempts_closed_campaign ON attempts (campaign, id) WHERE closed_at IS NOT NULL;
CREATE INDEX attempts_closed_number ON attempts (number, id) WHERE closed_at IS NOT NULL;

-- A contact in progress has an open attempt, and these are few.
DROP INDEX contacts_in_progress;

DROP TRIGGER contacts_deleted;

CREATE TRIGGER contacts_deleted AFTER DELETE ON contacts BEGIN
    DELETE FROM contact_numbers WHERE number = old.number AND campaign = old.campaign;
    UPDATE attempts SET contact = NULL WHERE number = old.number AND contact = old.id AND closed_at IS NOT NULL;
    UPDATE attempts SET contact = NULL WHERE number = old.number AND contact = old.id AND closed_at IS NULL;
END;

CREATE TRIGGER campaigns_deleted BEFORE DELETE ON campaigns
WHEN EXISTS (SELECT 1 FROM attempts WHERE campaign = old.id AND closed_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM attempts WHERE campaign = old.id AND closed_at IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'the campaign has attempts');
END;
