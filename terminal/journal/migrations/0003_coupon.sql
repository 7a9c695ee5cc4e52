-- The part of a paid amount that a coupon paid.
ALTER TABLE sales ADD COLUMN coupon_minor INTEGER NOT NULL DEFAULT 0;
