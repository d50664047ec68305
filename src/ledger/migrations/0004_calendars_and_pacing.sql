-- A calendar has its hours and holidays as texts: nothing is asked of them by SQL.
CREATE TABLE calendars (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    owner      INTEGER NOT NULL REFERENCES users (id),
    time_zone  TEXT    NOT NULL,
    hours      TEXT    NOT NULL,
    -- Days are YYYY-MM-DD.
    first_day  TEXT,
    last_day   TEXT,
    -- [{name, first, last, repeats}]
    holidays   TEXT    NOT NULL DEFAULT '[]',
    created_at INTEGER NOT NULL
) STRICT;

ALTER TABLE campaigns ADD COLUMN calendar INTEGER REFERENCES calendars (id);
-- {name: text}, for all contacts; NULL for none.
ALTER TABLE campaigns ADD COLUMN variables TEXT;
ALTER TABLE campaigns ADD COLUMN starts_at INTEGER;
ALTER TABLE campaigns ADD COLUMN ends_at INTEGER;
-- Higher goes first.
ALTER TABLE campaigns ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD COLUMN delay_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD COLUMN batch_calls INTEGER;
ALTER TABLE campaigns ADD COLUMN batch_pause_s INTEGER;
-- all, never, or a number of calls.
ALTER TABLE campaigns ADD COLUMN finish TEXT NOT NULL DEFAULT 'all';
-- Since it was started: when, its calls that the gate admitted, the last of these, and how many of its batch.
ALTER TABLE campaigns ADD COLUMN started_at INTEGER;
ALTER TABLE campaigns ADD COLUMN calls_started INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD COLUMN last_start_at INTEGER;
ALTER TABLE campaigns ADD COLUMN batch_started INTEGER NOT NULL DEFAULT 0;

CREATE INDEX campaigns_by_calendar ON campaigns (calendar) WHERE calendar IS NOT NULL;
