-- Which contact has a number, apart from the contacts: an import fills this one in the order of the numbers
-- and the contacts in the order of the file, and so jumps about in neither.
-- The number first: `why NUMBER` looks over all campaigns.
CREATE TABLE contact_numbers (
    number   TEXT    NOT NULL,
    campaign INTEGER NOT NULL,
    contact  INTEGER NOT NULL,
    PRIMARY KEY (number, campaign)
) STRICT, WITHOUT ROWID;

INSERT INTO contact_numbers (number, campaign, contact) SELECT number, campaign, id FROM contacts ORDER BY number, campaign;

DROP INDEX contacts_by_number;

CREATE TRIGGER contacts_deleted AFTER DELETE ON contacts BEGIN
    DELETE FROM contact_numbers WHERE number = old.number AND campaign = old.campaign;
END;
