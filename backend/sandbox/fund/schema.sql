-- Whose accounts hold units, and which trading days' income has been given.
CREATE TABLE IF NOT EXISTS fund_investor (
    number TEXT PRIMARY KEY REFERENCES account(number)
) STRICT;
CREATE TABLE IF NOT EXISTS fund_published (
    day        TEXT PRIMARY KEY,
    per_10k_e4 INTEGER NOT NULL CHECK (per_10k_e4 >= 0),
    days       INTEGER NOT NULL CHECK (days > 0)
) STRICT;
