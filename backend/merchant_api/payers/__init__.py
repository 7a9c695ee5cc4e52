"""Payers as merchants' apps know them."""
