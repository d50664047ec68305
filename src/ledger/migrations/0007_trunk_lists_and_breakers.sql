-- Further trunks of a campaign, and circuit breakers of trunks.

-- The trunks that calls go over when those before them may not take them, in order, with commas; '' for none.
ALTER TABLE campaigns ADD COLUMN further_trunks TEXT NOT NULL DEFAULT '';
-- The trunk over which the contact's last call failed, where its campaign has several.
ALTER TABLE contacts ADD COLUMN failed_trunk INTEGER;

-- NULL: it has no breaker.
ALTER TABLE trunks ADD COLUMN breaker_failures_percent INTEGER DEFAULT 50;
ALTER TABLE trunks ADD COLUMN breaker_window_s INTEGER NOT NULL DEFAULT 60;
ALTER TABLE trunks ADD COLUMN breaker_calls_min INTEGER NOT NULL DEFAULT 5;
ALTER TABLE trunks ADD COLUMN breaker_rest_s INTEGER NOT NULL DEFAULT 60;

-- How a breaker stands, of trunks for which it was ever open.
CREATE TABLE breakers (
    trunk    INTEGER PRIMARY KEY REFERENCES trunks (id) ON DELETE CASCADE,
    state    TEXT    NOT NULL,
    since_at INTEGER NOT NULL,
    -- The attempt that tries the line.
    trial    INTEGER
) STRICT;

-- The calls in a trunk's window, by steps of it: a few rows a trunk, whatever goes over it.
CREATE TABLE breaker_spans (
    trunk    INTEGER NOT NULL REFERENCES trunks (id) ON DELETE CASCADE,
    span_at  INTEGER NOT NULL,
    calls    INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    PRIMARY KEY (trunk, span_at)
) STRICT, WITHOUT ROWID;
