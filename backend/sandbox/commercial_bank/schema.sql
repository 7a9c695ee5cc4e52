-- Beside accounts and movements: what came in and what became of it, what goes back, what customers
-- asked for.
CREATE TABLE IF NOT EXISTS account_state (
    number TEXT PRIMARY KEY REFERENCES account(number),
    reason TEXT NOT NULL   -- AC04 closed, AC06 blocked
) STRICT;
CREATE TABLE IF NOT EXISTS incoming (
    message_id TEXT PRIMARY KEY,
    digest     BLOB NOT NULL,
    answer     BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS credit (
    end_to_end_id TEXT PRIMARY KEY,
    account       TEXT NOT NULL,
    amount_minor  INTEGER NOT NULL,
    currency      TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS giving_back (
    end_to_end_id TEXT PRIMARY KEY REFERENCES credit(end_to_end_id),
    message       BLOB NOT NULL,   -- the pacs.004
    state         TEXT NOT NULL CHECK (state IN ('waiting', 'settled', 'refused'))
) STRICT;
CREATE TABLE IF NOT EXISTS outgoing (
    message_id    TEXT NOT NULL,
    position      INTEGER NOT NULL,
    digest        BLOB NOT NULL,
    at_ms         INTEGER NOT NULL,
    end_to_end_id TEXT NOT NULL,
    debtor        TEXT NOT NULL,
    amount_minor  INTEGER NOT NULL,
    currency      TEXT NOT NULL,
    info          TEXT NOT NULL,
    message       BLOB NOT NULL,   -- the pacs.008; empty: the creditor's account is here
    state         TEXT NOT NULL CHECK (state IN ('asked', 'settled', 'refused')),
    reason        TEXT NOT NULL,
    PRIMARY KEY (message_id, position)
) STRICT;
CREATE TABLE IF NOT EXISTS answered_recall (
    case_id TEXT PRIMARY KEY,
    answer  BLOB NOT NULL
) STRICT;
