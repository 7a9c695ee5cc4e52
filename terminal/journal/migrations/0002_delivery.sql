-- What became of the goods of a sale, in the words of terminal/domain/delivery.py. The old flag was
-- set when the motor was told; those sales are long over.
ALTER TABLE sales ADD COLUMN delivery TEXT NOT NULL DEFAULT 'none';
UPDATE sales SET delivery = 'given' WHERE is_dispensed = 1;
ALTER TABLE sales DROP COLUMN is_dispensed;
CREATE INDEX sales_delivery ON sales (delivery);
