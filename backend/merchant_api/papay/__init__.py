"""Contracts of merchants' programs: a payer lets a merchant debit by itself."""
