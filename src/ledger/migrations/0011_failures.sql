-- Why a contact was given up, as long as its state is 'failed'; NULL when that was before this was kept.
ALTER TABLE contacts ADD COLUMN failed TEXT;
