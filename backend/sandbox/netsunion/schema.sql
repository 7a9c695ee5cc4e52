-- What the clearing house knows beside its order book: whose accounts are whose, every transaction
-- number it has seen, pay-outs, agreements under way, disputes, and closed days.
CREATE TABLE IF NOT EXISTS nucc_customer (
    account TEXT PRIMARY KEY REFERENCES account(number),
    bank    TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS nucc_trx (
    trx_id TEXT PRIMARY KEY,
    asked  TEXT NOT NULL CHECK (asked IN ('pay', 'refund', 'payout')),
    own_id TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS nucc_verification (
    trx_id  TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    code    TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS nucc_payout (
    payout_id    TEXT PRIMARY KEY,
    trx_id       TEXT NOT NULL,
    account      TEXT NOT NULL,
    holder       TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency     TEXT NOT NULL,
    day          TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('accepted', 'succeeded', 'refused')),
    reason       TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS nucc_dispute (
    case_id      TEXT PRIMARY KEY,
    order_id     TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency     TEXT NOT NULL,
    reason       TEXT NOT NULL,
    day          TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS nucc_day (
    day     TEXT NOT NULL,
    member  TEXT NOT NULL,
    net_minor INTEGER NOT NULL,
    PRIMARY KEY (day, member)
) STRICT;
