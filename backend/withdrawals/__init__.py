"""Payers take their own money out: from the balance to a bank account of their own."""
