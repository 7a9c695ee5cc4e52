-- The bank's instructions and top-ups, beside its accounts; nothing is updated or deleted.
CREATE TABLE IF NOT EXISTS instruction (
    message_id TEXT PRIMARY KEY,
    digest     BLOB NOT NULL,
    answer     BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS topup (
    topup_id     TEXT PRIMARY KEY,
    account      TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency     TEXT NOT NULL,
    day          TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('succeeded', 'failed')),
    reason       TEXT NOT NULL
) STRICT;
