-- What was accepted offline: the number and the money of a voucher are spent here once.
CREATE TABLE offline_sales (
    payment_id TEXT PRIMARY KEY,
    voucher_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    accepted_at_ms INTEGER NOT NULL,
    UNIQUE (voucher_id, number)
) STRICT;

-- The hub's latest signed word with its limits, for a till that starts without its hub.
CREATE TABLE hub_word (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL
) STRICT;
