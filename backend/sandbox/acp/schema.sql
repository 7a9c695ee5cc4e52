CREATE TABLE IF NOT EXISTS acp_merchant (
    mer_id TEXT PRIMARY KEY,
    certificate BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS acp_payer (
    payer TEXT PRIMARY KEY,
    password_free_minor INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS acp_transaction (
    mer_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    txn_time TEXT NOT NULL,
    query_id TEXT NOT NULL UNIQUE,
    txn_type TEXT NOT NULL,
    state TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    payer TEXT NOT NULL,
    made_at_ms INTEGER NOT NULL,
    original TEXT NOT NULL,
    qr_code TEXT NOT NULL,
    day TEXT NOT NULL,
    PRIMARY KEY (mer_id, order_id, txn_time)
) STRICT;
CREATE INDEX IF NOT EXISTS ix_acp_transaction_day ON acp_transaction (mer_id, day);
CREATE TABLE IF NOT EXISTS acp_day (
    day TEXT PRIMARY KEY,
    net_minor INTEGER NOT NULL
) STRICT;
