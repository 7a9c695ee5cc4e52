-- Beside accounts and movements: who has an account and why, what waits for cover, what was asked of
-- a creditor's bank.
CREATE TABLE IF NOT EXISTS member (
    number     TEXT PRIMARY KEY REFERENCES account(number),
    kind       TEXT NOT NULL CHECK (kind IN ('reserve', 'settlement')),
    line_minor INTEGER NOT NULL CHECK (line_minor >= 0)   -- how far below zero, against cover
) STRICT;
CREATE TABLE IF NOT EXISTS route (
    prefix TEXT PRIMARY KEY,   -- of an account number
    bank   TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS entry (
    number     INTEGER PRIMARY KEY,   -- the order of arrival
    message_id TEXT NOT NULL UNIQUE,
    digest     BLOB NOT NULL,
    any_time   INTEGER NOT NULL,      -- it may wait past the close of the window
    info       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'settled', 'refused')),
    reason     TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entry_waiting ON entry (state, number);
CREATE TABLE IF NOT EXISTS leg (
    entry        INTEGER NOT NULL REFERENCES entry(number),
    position     INTEGER NOT NULL,
    reference    TEXT NOT NULL,
    debtor       TEXT NOT NULL,
    creditor     TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency     TEXT NOT NULL,
    PRIMARY KEY (entry, position)
) STRICT;
CREATE TABLE IF NOT EXISTS instruction (
    message_id TEXT PRIMARY KEY,
    digest     BLOB NOT NULL,
    at_ms      INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS transfer (
    message_id    TEXT NOT NULL REFERENCES instruction(message_id),
    position      INTEGER NOT NULL,
    end_to_end_id TEXT NOT NULL,
    debtor        TEXT NOT NULL,
    creditor      TEXT NOT NULL,          -- the account that the money goes to here
    bank          TEXT NOT NULL,          -- empty: the creditor's account is here
    amount_minor  INTEGER NOT NULL,
    currency      TEXT NOT NULL,
    info          TEXT NOT NULL,
    message       BLOB NOT NULL,          -- the pacs.008 to the creditor's bank
    state         TEXT NOT NULL CHECK (state IN ('asked', 'settled', 'refused')),
    reason        TEXT NOT NULL,
    PRIMARY KEY (message_id, position)
) STRICT;
CREATE INDEX IF NOT EXISTS transfer_id    ON transfer (end_to_end_id);
CREATE INDEX IF NOT EXISTS transfer_state ON transfer (state, debtor);
CREATE TABLE IF NOT EXISTS recall (
    case_id TEXT PRIMARY KEY,
    digest  BLOB NOT NULL,
    answer  BLOB NOT NULL
) STRICT;
