CREATE TABLE IF NOT EXISTS cup_session (
    tid TEXT PRIMARY KEY,
    wrapped BLOB NOT NULL -- the working keys under the terminal's master key
) STRICT;
CREATE TABLE IF NOT EXISTS cup_trace (
    rrn INTEGER PRIMARY KEY AUTOINCREMENT,
    tid TEXT NOT NULL,
    batch INTEGER NOT NULL,
    stan INTEGER NOT NULL,
    local_day TEXT NOT NULL,
    kind TEXT NOT NULL,
    own_id TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    token TEXT NOT NULL,
    original INTEGER, -- the rrn of the transaction this one is about
    code TEXT NOT NULL,
    day TEXT NOT NULL,
    is_undone INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tid, batch, stan, local_day)
) STRICT;
CREATE INDEX IF NOT EXISTS cup_trace_own ON cup_trace (own_id);
CREATE TABLE IF NOT EXISTS cup_batch (
    tid TEXT NOT NULL,
    batch INTEGER NOT NULL,
    balance TEXT NOT NULL, -- 1 balanced, 2 not
    uploaded INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tid, batch)
) STRICT;
CREATE TABLE IF NOT EXISTS cup_upload (
    tid TEXT NOT NULL,
    batch INTEGER NOT NULL,
    stan INTEGER NOT NULL,
    kind TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    PRIMARY KEY (tid, batch, stan, kind)
) STRICT;
