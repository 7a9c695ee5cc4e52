-- The bank's own books. An account's balance is the sum of its movements; nothing is updated
-- but an instruction's answer, and nothing is deleted.
CREATE TABLE IF NOT EXISTS account (
    number   TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    currency TEXT NOT NULL,
    is_own   INTEGER NOT NULL DEFAULT 0   -- the bank's own accounts may go below zero
) STRICT;
CREATE TABLE IF NOT EXISTS movement (
    reference    TEXT PRIMARY KEY,
    day          TEXT NOT NULL,
    debit        TEXT NOT NULL REFERENCES account(number),
    credit       TEXT NOT NULL REFERENCES account(number),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    info         TEXT NOT NULL,
    CHECK (debit <> credit)
) STRICT;
CREATE INDEX IF NOT EXISTS movement_debit  ON movement (debit, day);
CREATE INDEX IF NOT EXISTS movement_credit ON movement (credit, day);
CREATE TABLE IF NOT EXISTS instruction (
    message_id TEXT PRIMARY KEY,
    digest     BLOB NOT NULL,
    answer     BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS topup (
    topup_id     TEXT PRIMARY KEY,
    account      TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency     TEXT NOT NULL,
    day          TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('succeeded', 'failed')),
    reason       TEXT NOT NULL
) STRICT;
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
