"""Coupons: our own money, given to a payer for a part of a price (posting rule 17)."""
