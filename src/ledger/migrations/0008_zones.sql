-- Where contacts are, as far as time goes. Contacts that may be in the same zones are a class. Who waits stands in the
-- indexes by class, so that a plan takes the next ones of those zones alone in which it is time to call.

CREATE TABLE zone_classes (
    id    INTEGER PRIMARY KEY,
    -- IANA names with a blank between them; '' for the zone of the campaign.
    zones TEXT NOT NULL UNIQUE
) STRICT;

INSERT INTO zone_classes (id, zones) VALUES (1, '');

-- 0: not known yet; it is found out before the contact is called, if its campaign has legal hours.
ALTER TABLE contacts ADD COLUMN zone_class INTEGER NOT NULL DEFAULT 0;

DROP INDEX contacts_fresh;
DROP INDEX contacts_due;
CREATE INDEX contacts_fresh ON contacts (campaign, zone_class, priority, place, id) WHERE state = 'waiting' AND due_at IS NULL;
CREATE INDEX contacts_due ON contacts (campaign, zone_class, priority, due_at, id)
    WHERE state = 'waiting' AND due_at IS NOT NULL;

-- on, off, or hours of its own in place of the server's.
ALTER TABLE campaigns ADD COLUMN legal_hours TEXT NOT NULL DEFAULT 'on';
