-- The bank's instructions and top-ups, beside its accounts; nothing is updated or deleted.
CREATE TABLE IF NOT EXISTS instruction (
    message_id TEXT PRIMARY KEY,
    digest     BLOB NOT NULL,
    answer     BLOB NOT NULL
) STRICT;
