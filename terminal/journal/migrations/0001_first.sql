-- The terminal's own truth. Money is integers of minor units; times are milliseconds since 1970.
CREATE TABLE device (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    tid TEXT NOT NULL,
    boot_epoch INTEGER NOT NULL,
    counter INTEGER NOT NULL
) STRICT;

CREATE TABLE sales (
    payment_id TEXT PRIMARY KEY,
    attempt_id TEXT NOT NULL UNIQUE,
    method TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    description TEXT NOT NULL,
    cashier TEXT,
    state TEXT NOT NULL,
    error_code TEXT,
    code_url TEXT,
    code_expires_at_ms INTEGER,
    payer_masked TEXT,
    paid_at_ms INTEGER,
    ended_as TEXT,
    sent_at_ms INTEGER,
    settled_at_ms INTEGER,
    refunded_minor INTEGER NOT NULL,
    is_recovered INTEGER NOT NULL,
    is_dispensed INTEGER NOT NULL,
    item TEXT
) STRICT;
CREATE INDEX sales_state ON sales (state);

CREATE TABLE refunds (
    refund_id TEXT PRIMARY KEY,
    payment_id TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    error_code TEXT,
    is_recovered INTEGER NOT NULL
) STRICT;
CREATE INDEX refunds_state ON refunds (state);

-- body is NULL once the outcome is known: it may hold a pay code. sealed is the last envelope sent.
CREATE TABLE requests (
    request_id TEXT PRIMARY KEY,
    message_type TEXT NOT NULL,
    subject TEXT NOT NULL,
    body BLOB,
    trace_id TEXT NOT NULL,
    state TEXT NOT NULL,
    sends INTEGER NOT NULL,
    refusals INTEGER NOT NULL,
    sealed BLOB,
    counter INTEGER,
    created_at_ms INTEGER NOT NULL,
    sent_at_ms INTEGER
) STRICT;
CREATE INDEX requests_subject ON requests (subject, message_type);
CREATE INDEX requests_state ON requests (state);

CREATE TABLE answers (
    digest BLOB PRIMARY KEY,
    request_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    message_type TEXT NOT NULL,
    kid BLOB NOT NULL,
    sealed BLOB NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE receipts (
    receipt_id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    facts BLOB NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL,
    error_code TEXT,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX receipts_subject ON receipts (subject);
