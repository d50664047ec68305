-- A contact is more than its number: a priority, a place within it, an expiry; and where it has them, a name, a zone, a
-- caller id, variables and further numbers, in tables of their own, so that a plain list costs nothing for them.

-- Higher priorities are called first, then lower places. The place is 0 in the order of import, and a key that looks
-- random in random order: so one index serves both, and no query sorts a list.
ALTER TABLE contacts ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
-- No start at or after this instant.
ALTER TABLE contacts ADD COLUMN expires_at INTEGER;
-- Why it was excluded; NULL for any that was not.
ALTER TABLE contacts ADD COLUMN excluded TEXT;

DROP INDEX contacts_fresh;
DROP INDEX contacts_due;
CREATE INDEX contacts_fresh ON contacts (campaign, priority, place, id) WHERE state = 'waiting' AND due_at IS NULL;
CREATE INDEX contacts_due ON contacts (campaign, priority, due_at, id) WHERE state = 'waiting' AND due_at IS NOT NULL;
-- Over all campaigns: whoever has expired is found in no time.
CREATE INDEX contacts_expiring ON contacts (expires_at) WHERE state = 'waiting' AND expires_at IS NOT NULL;

-- Only of contacts that have any of these.
CREATE TABLE contact_details (
    contact       INTEGER PRIMARY KEY,
    name          TEXT,
    time_zone     TEXT,
    caller_number TEXT,
    caller_name   TEXT,
    -- JSON: an object of texts.
    variables     TEXT
) STRICT;

-- Only of contacts with several numbers, or with a kind of number: all of their numbers, by their places from 1.
-- `contacts.number` is the one that is called next, and `contacts.strikes` are its own.
CREATE TABLE contact_lines (
    contact INTEGER NOT NULL,
    place   INTEGER NOT NULL,
    number  TEXT    NOT NULL,
    kind    TEXT,
    state   TEXT    NOT NULL,
    strikes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (contact, place)
) STRICT, WITHOUT ROWID;

ALTER TABLE campaigns ADD COLUMN calling_order TEXT NOT NULL DEFAULT 'sequential';
ALTER TABLE campaigns ADD COLUMN next_number_after_s INTEGER NOT NULL DEFAULT 10;

-- The contact's, frozen when the call was planned. JSON; NULL for none.
ALTER TABLE attempts ADD COLUMN variables TEXT;

CREATE TABLE imports (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign  INTEGER NOT NULL,
    file      TEXT    NOT NULL,
    began_at  INTEGER NOT NULL,
    imported  INTEGER NOT NULL DEFAULT 0,
    undone_at INTEGER
) STRICT;

CREATE INDEX imports_by_campaign ON imports (campaign, id);

-- Which contacts an import brought: spans of ids, of which each is of one transaction or of several in a row.
CREATE TABLE import_spans (
    last_contact  INTEGER PRIMARY KEY,
    first_contact INTEGER NOT NULL,
    import        INTEGER NOT NULL
) STRICT;

CREATE INDEX import_spans_by_import ON import_spans (import);

DROP TRIGGER contacts_deleted;

CREATE TRIGGER contacts_deleted AFTER DELETE ON contacts BEGIN
    DELETE FROM contact_numbers WHERE number = old.number AND campaign = old.campaign;
    UPDATE attempts SET contact = NULL WHERE number = old.number AND contact = old.id AND closed_at IS NOT NULL;
    UPDATE attempts SET contact = NULL WHERE number = old.number AND contact = old.id AND closed_at IS NULL;
    DELETE FROM contact_details WHERE contact = old.id;
    DELETE FROM contact_lines WHERE contact = old.id;
END;

CREATE TRIGGER contact_lines_deleted AFTER DELETE ON contact_lines BEGIN
    DELETE FROM contact_numbers WHERE number = old.number AND contact = old.contact;
    UPDATE attempts SET contact = NULL WHERE number = old.number AND contact = old.contact AND closed_at IS NOT NULL;
    UPDATE attempts SET contact = NULL WHERE number = old.number AND contact = old.contact AND closed_at IS NULL;
END;
