CREATE TABLE IF NOT EXISTS alipay_app (
    app_id TEXT PRIMARY KEY,
    public_key BLOB NOT NULL,
    cert_sn TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS alipay_buyer (
    buyer TEXT PRIMARY KEY,
    password_free_minor INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS alipay_trade (
    app_id TEXT NOT NULL,
    out_trade_no TEXT NOT NULL,
    trade_no TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    buyer TEXT NOT NULL,
    made_at_ms INTEGER NOT NULL,
    paid_at_ms INTEGER NOT NULL,
    qr_code TEXT NOT NULL,
    cancel_action TEXT NOT NULL,
    day TEXT NOT NULL,
    notify_url TEXT NOT NULL,
    PRIMARY KEY (app_id, out_trade_no)
) STRICT;
CREATE TABLE IF NOT EXISTS alipay_refund (
    trade_no TEXT NOT NULL,
    out_request_no TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL,
    day TEXT NOT NULL,
    PRIMARY KEY (trade_no, out_request_no)
) STRICT;
CREATE TABLE IF NOT EXISTS alipay_notice (
    notify_id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    notice TEXT NOT NULL,
    tries INTEGER NOT NULL,
    due_ms INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS ix_alipay_notice_due ON alipay_notice (due_ms);
CREATE INDEX IF NOT EXISTS ix_alipay_trade_day ON alipay_trade (app_id, day);
CREATE INDEX IF NOT EXISTS ix_alipay_refund_day ON alipay_refund (day);
CREATE TABLE IF NOT EXISTS alipay_day (
    day TEXT PRIMARY KEY,
    net_minor INTEGER NOT NULL
) STRICT;
