-- Payment channels. An order that was reversed before it came is there without token and amount:
-- its tombstone. A settled day takes no reversal.
CREATE TABLE IF NOT EXISTS channel_token (
    channel TEXT NOT NULL,
    token   TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES account(number),
    PRIMARY KEY (channel, token)
) STRICT;
CREATE TABLE IF NOT EXISTS channel_order (
    channel      TEXT NOT NULL,
    order_id     TEXT NOT NULL,
    token        TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    currency     TEXT NOT NULL,
    day          TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('succeeded', 'refused', 'reversed')),
    reason       TEXT NOT NULL,
    PRIMARY KEY (channel, order_id)
) STRICT;
-- What was taken that nobody asked for: its number, and what the day's file calls it.
CREATE TABLE IF NOT EXISTS channel_stray (
    channel  TEXT NOT NULL,
    order_id TEXT NOT NULL,
    said     TEXT NOT NULL,
    PRIMARY KEY (channel, order_id)
) STRICT;
CREATE TABLE IF NOT EXISTS channel_refund (
    channel      TEXT NOT NULL,
    refund_id    TEXT NOT NULL,
    order_id     TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency     TEXT NOT NULL,
    day          TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('succeeded', 'refused')),
    reason       TEXT NOT NULL,
    PRIMARY KEY (channel, refund_id)
) STRICT;
CREATE TABLE IF NOT EXISTS channel_chargeback (
    channel      TEXT NOT NULL,
    case_id      TEXT NOT NULL,
    order_id     TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency     TEXT NOT NULL,
    day          TEXT NOT NULL,
    PRIMARY KEY (channel, case_id)
) STRICT;
CREATE TABLE IF NOT EXISTS channel_settlement (
    channel   TEXT NOT NULL,
    day       TEXT NOT NULL,
    net_minor INTEGER NOT NULL,
    PRIMARY KEY (channel, day)
) STRICT;
