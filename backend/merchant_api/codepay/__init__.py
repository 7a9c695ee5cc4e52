"""Paying by the payer's code, which the merchant's program has scanned."""
