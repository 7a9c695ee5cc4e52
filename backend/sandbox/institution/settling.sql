-- Net amounts that an institution has to have settled at the reserve bank, until it says what became
-- of them.
CREATE TABLE IF NOT EXISTS settlement_order (
    reference    TEXT PRIMARY KEY,
    debtor       TEXT NOT NULL,
    creditor     TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency     TEXT NOT NULL,
    value_date   TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'settled', 'refused')),
    reason       TEXT NOT NULL,
    CHECK (debtor <> creditor)
) STRICT;
CREATE INDEX IF NOT EXISTS settlement_order_waiting ON settlement_order (state, reference);
