"""Bounds of the clearing."""

ISO_ID_CHARS_MAX = 35
"""Max35Text of ISO 20022: message and end-to-end ids."""
BANK_DAYS_PER_RUN_MAX = 100
"""How many statements one run reads at the most."""
