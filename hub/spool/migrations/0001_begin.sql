-- Rowids are never reused (AUTOINCREMENT): a row number names one envelope for ever.
CREATE TABLE uplink (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    boot_epoch INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    transport TEXT NOT NULL,
    envelope BLOB NOT NULL,
    received_at_ms INTEGER NOT NULL,
    answer BLOB,
    answered_at_ms INTEGER
) STRICT;

CREATE TABLE position (
    device TEXT PRIMARY KEY,
    boot_epoch INTEGER NOT NULL,
    counter INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE downlink (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload BLOB NOT NULL,
    since_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE mark (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO mark VALUES ('boot_epoch', 0), ('push_cursor', 0);
