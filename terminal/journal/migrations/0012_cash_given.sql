-- The notes that were keyed while the draft is being paid in cash.
ALTER TABLE draft ADD COLUMN given TEXT NOT NULL DEFAULT '';
