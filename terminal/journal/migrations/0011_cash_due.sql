-- Whether the draft is being paid in cash: the payer was told how much, and the notes are counted.
ALTER TABLE draft ADD COLUMN is_cash_due INTEGER NOT NULL DEFAULT 0;
