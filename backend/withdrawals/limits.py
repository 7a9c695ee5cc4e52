"""Bounds of the withdrawals."""

FEE_BPS_MAX = 100
WITHDRAWAL_MINOR_MAX = 5_000_000
"""Of one withdrawal."""
ROWS_PER_LIST_MAX = 200
"""How many an operator sees at once."""
