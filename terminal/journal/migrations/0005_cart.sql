-- Goods in the cart of the keypad, and of what was sold; lines are JSON of terminal/domain/cart.py.
ALTER TABLE draft ADD COLUMN lines TEXT NOT NULL DEFAULT '[]';
CREATE TABLE sold_lines (
    subject TEXT PRIMARY KEY,
    lines TEXT NOT NULL
) STRICT, WITHOUT ROWID;
