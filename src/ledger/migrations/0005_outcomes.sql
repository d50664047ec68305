-- What happens after a call: growing pauses, an absolute cap, a least talk time, and a table of causes.

-- Seconds after the second unsuccessful call and those that follow, with commas; '' for always retry_time_s.
ALTER TABLE campaigns ADD COLUMN later_retry_times_s TEXT NOT NULL DEFAULT '';
-- NULL: what max_retries allows, and a few that are not charged.
ALTER TABLE campaigns ADD COLUMN max_dials INTEGER;
ALTER TABLE campaigns ADD COLUMN min_talk_s INTEGER NOT NULL DEFAULT 0;

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
