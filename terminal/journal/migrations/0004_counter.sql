-- What people do at the till beside payments. Money is integers of minor units; times are
-- milliseconds since 1970. A PIN is kept as a salted slow hash only.
CREATE TABLE staff (
    staff_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    salt BLOB NOT NULL,
    digest BLOB NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    locked_until_ms INTEGER NOT NULL DEFAULT 0,
    is_active INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE session (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    staff_id INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    touched_at_ms INTEGER NOT NULL,
    is_locked INTEGER NOT NULL,
    is_training INTEGER NOT NULL
) STRICT;

-- What is being keyed in. It is spent once, by the payment or the cash sale it became.
CREATE TABLE draft (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    draft_id TEXT NOT NULL,
    digits TEXT NOT NULL,
    note TEXT NOT NULL,
    spent_by TEXT
) STRICT;

CREATE TABLE shifts (
    shift_id INTEGER PRIMARY KEY,
    opened_at_ms INTEGER NOT NULL,
    opened_by TEXT NOT NULL,
    float_minor INTEGER NOT NULL CHECK (float_minor >= 0),
    closed_at_ms INTEGER,
    closed_by TEXT,
    counted_minor INTEGER,
    reason TEXT,
    approved_by TEXT
) STRICT;
CREATE UNIQUE INDEX shifts_one_open ON shifts (closed_at_ms IS NULL) WHERE closed_at_ms IS NULL;

CREATE TABLE cash_movements (
    movement_id INTEGER PRIMARY KEY,
    shift_id INTEGER NOT NULL REFERENCES shifts (shift_id),
    kind TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    tendered_minor INTEGER,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    by_name TEXT NOT NULL,
    approved_by TEXT,
    at_ms INTEGER NOT NULL,
    draft_id TEXT UNIQUE,
    refund_of INTEGER
) STRICT;
CREATE INDEX cash_movements_shift ON cash_movements (shift_id, kind);
CREATE INDEX cash_movements_refund ON cash_movements (refund_of);
CREATE INDEX sales_settled ON sales (settled_at_ms);
