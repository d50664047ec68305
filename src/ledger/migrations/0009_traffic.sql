-- Calls as traffic: what INVITEs carry, and what is made up for calls over test lines.

-- Whether made-up calls may go over it.
ALTER TABLE trunks ADD COLUMN line TEXT NOT NULL DEFAULT 'real';

-- JSON: a list of "Name: text"; NULL for none.
ALTER TABLE campaigns ADD COLUMN headers TEXT;
-- As typed, such as alaw,ulaw; NULL for what the trunk offers.
ALTER TABLE campaigns ADD COLUMN codecs TEXT;
-- As typed, such as gauss:30s,10s,20s-60s; NULL for as long as the actions last.
ALTER TABLE campaigns ADD COLUMN duration TEXT;
-- Of so many calls in a hundred.
ALTER TABLE campaigns ADD COLUMN cancel_percent INTEGER NOT NULL DEFAULT 0;

-- How long a made-up call of this contact lasts; NULL for what its campaign says.
ALTER TABLE contact_details ADD COLUMN duration_ms INTEGER;

-- Frozen when the call was planned, each NULL for nothing of the kind.
ALTER TABLE attempts ADD COLUMN headers TEXT;
ALTER TABLE attempts ADD COLUMN codecs TEXT;
ALTER TABLE attempts ADD COLUMN planned_talk_ms INTEGER;
ALTER TABLE attempts ADD COLUMN cancel_after_s INTEGER;
