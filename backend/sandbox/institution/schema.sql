-- An institution's own books. An account's balance is the sum of its movements; nothing is deleted.
CREATE TABLE IF NOT EXISTS account (
    number   TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    currency TEXT NOT NULL,
    is_own   INTEGER NOT NULL DEFAULT 0   -- the institution's own accounts may go below zero
) STRICT;
CREATE TABLE IF NOT EXISTS movement (
    reference    TEXT PRIMARY KEY,
    day          TEXT NOT NULL,
    debit        TEXT NOT NULL REFERENCES account(number),
    credit       TEXT NOT NULL REFERENCES account(number),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    info         TEXT NOT NULL,
    CHECK (debit <> credit)
) STRICT;
CREATE INDEX IF NOT EXISTS movement_debit  ON movement (debit, day);
CREATE INDEX IF NOT EXISTS movement_credit ON movement (credit, day);
-- How far the institution's clock runs before the machine's: one row, so a restart keeps the day.
CREATE TABLE IF NOT EXISTS clock (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    offset_ms INTEGER NOT NULL CHECK (offset_ms >= 0)
) STRICT;
