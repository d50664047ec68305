-- Rounds: a list is called once again when it is through; and what call generators delete.

-- NULL: the list is called once.
ALTER TABLE campaigns ADD COLUMN repeat_s INTEGER;
-- Since it was started; NULL for any number.
ALTER TABLE campaigns ADD COLUMN rounds_max INTEGER;
ALTER TABLE campaigns ADD COLUMN after_pickup TEXT NOT NULL DEFAULT 'keep';
ALTER TABLE campaigns ADD COLUMN when_done TEXT NOT NULL DEFAULT 'keep';
-- Counts on for ever; `first_round` is the one in which the campaign was last started.
ALTER TABLE campaigns ADD COLUMN round INTEGER NOT NULL DEFAULT 1;
ALTER TABLE campaigns ADD COLUMN first_round INTEGER NOT NULL DEFAULT 1;
-- When the round was over; NULL while it goes on.
ALTER TABLE campaigns ADD COLUMN round_over_at INTEGER;
-- While a round begins, or a removed campaign's contacts go: all up to this contact are done. NULL otherwise.
ALTER TABLE campaigns ADD COLUMN walked_to INTEGER;
-- Contacts that were made callable in this round, and those that were deleted because they were reached.
ALTER TABLE campaigns ADD COLUMN renewed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD COLUMN picked_up INTEGER NOT NULL DEFAULT 0;
-- Only its report is left.
ALTER TABLE campaigns ADD COLUMN removed_at INTEGER;

-- The round of its last call: nobody is made callable twice in one.
ALTER TABLE contacts ADD COLUMN round INTEGER NOT NULL DEFAULT 1;

-- Action lists with pacing, retry and rounds, from which campaigns are made. JSON, as the domain has it.
CREATE TABLE algorithms (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    owner      INTEGER NOT NULL REFERENCES users (id),
    rules      TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Every number through every trunk: a campaign for each trunk.
CREATE TABLE line_checks (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    owner      INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL
) STRICT;

ALTER TABLE campaigns ADD COLUMN line_check INTEGER REFERENCES line_checks (id);
