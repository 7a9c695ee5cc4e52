"""Merchants' transfers to payers, as their programs see them."""
