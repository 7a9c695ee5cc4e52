"""Merchants' coupons, as their programs see them."""
