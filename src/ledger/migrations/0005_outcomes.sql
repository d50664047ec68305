-- What happens after a call: growing pauses, an absolute cap, a least talk time, and a table of causes.

-- Seconds after the second unsuccessful call and those that follow, with commas; '' for always retry_time_s.
ALTER TABLE campaigns ADD COLUMN later_retry_times_s TEXT NOT NULL DEFAULT '';
-- NULL: what max_retries allows, and a few that are not charged.
ALTER TABLE campaigns ADD COLUMN max_dials INTEGER;
ALTER TABLE campaigns ADD COLUMN min_talk_s INTEGER NOT NULL DEFAULT 0;
-- NULL: nobody is asked whether an answered call was successful.
ALTER TABLE campaigns ADD COLUMN wrap_up_s INTEGER;
-- When nobody may say any more that its last call was successful; and what somebody said of it.
ALTER TABLE contacts ADD COLUMN result_until INTEGER;
ALTER TABLE contacts ADD COLUMN result_comment TEXT;

CREATE TABLE campaign_causes (
    campaign  INTEGER NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    -- As it is typed: USER_BUSY, 24, sip:486.
    cause     TEXT    NOT NULL,
    verb      TEXT    NOT NULL,
    delay_s   INTEGER,
    times_max INTEGER,
    PRIMARY KEY (campaign, cause)
) STRICT, WITHOUT ROWID;

-- How often a cause of its campaign's table came for a contact since it was imported or made callable again.
CREATE TABLE contact_causes (
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    cause   TEXT    NOT NULL,
    times   INTEGER NOT NULL,
    PRIMARY KEY (contact, cause)
) STRICT, WITHOUT ROWID;

-- Do-not-call lists. `owner` and `campaign` say whose, by `scope`.
CREATE TABLE dnc_lists (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    scope      TEXT    NOT NULL,
    owner      INTEGER REFERENCES users (id),
    campaign   INTEGER REFERENCES campaigns (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    CHECK ((scope = 'user') = (owner IS NOT NULL)),
    CHECK ((scope = 'campaign') = (campaign IS NOT NULL))
) STRICT;

-- What names a number stands together, whatever the list: a look-up costs as much for many lists as for one. A
-- prefix is looked up as each beginning of the number.
CREATE TABLE dnc_entries (
    kind       TEXT    NOT NULL,
    pattern    TEXT    NOT NULL,
    list       INTEGER NOT NULL REFERENCES dnc_lists (id) ON DELETE CASCADE,
    source     TEXT    NOT NULL,
    added_at   INTEGER NOT NULL,
    -- NULL: it holds for good.
    expires_at INTEGER,
    PRIMARY KEY (kind, pattern, list)
) STRICT, WITHOUT ROWID;

-- There always is this one: who asks to be called no more comes onto it.
INSERT INTO dnc_lists (name, scope, created_at) VALUES ('opt-out', 'server', 0);
