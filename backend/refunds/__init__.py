"""Refunds: part or all of a captured payment, back to its payer."""
