-- What makes an account of the books a person's e-CNY wallet.
CREATE TABLE IF NOT EXISTS ecny_wallet (
    number       TEXT PRIMARY KEY REFERENCES account(number),
    wallet_class INTEGER NOT NULL CHECK (wallet_class BETWEEN 1 AND 4)
) STRICT;
