"""Instruments: what a payer may pay with besides the balance: a bank card, a fund account."""
