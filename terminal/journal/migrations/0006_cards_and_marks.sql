-- Card sales at the PIN pad, whose bank is its own, and what supervisors took unknown outcomes for.
-- Money is integers of minor units; times are milliseconds since 1970. Marks are only added.
CREATE TABLE card_sales (
    card_id INTEGER PRIMARY KEY,
    shift_id INTEGER NOT NULL REFERENCES shifts (shift_id),
    kind TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    note TEXT NOT NULL,
    by_name TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    card TEXT NOT NULL,
    reference TEXT NOT NULL,
    error_code TEXT,
    ended_at_ms INTEGER,
    approved_by TEXT,
    refund_of INTEGER,
    draft_id TEXT UNIQUE
) STRICT;
CREATE INDEX card_sales_shift ON card_sales (shift_id, kind);
CREATE INDEX card_sales_refund ON card_sales (refund_of);
CREATE INDEX card_sales_state ON card_sales (state);

CREATE TABLE marks (
    mark_id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    marked_as TEXT NOT NULL,
    reason TEXT NOT NULL,
    by_name TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL
) STRICT;
CREATE INDEX marks_subject ON marks (subject, mark_id);
CREATE INDEX marks_time ON marks (at_ms);
