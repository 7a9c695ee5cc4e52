"""Bounds of mandates."""

MANDATE_VALID_MS_MAX = 3 * 366 * 24 * 3600 * 1000
MANDATES_PER_LIST_MAX = 100
SIGNED_BYTES_MAX = 4_096
NOTICE_VALID_MS = 7 * 24 * 3600 * 1000
"""How long after the payer's hours an announced debit may come."""
NOTICES_OPEN_MAX = 8
"""Of one mandate: each is read with every debit."""
ROWS_PER_LIST_MAX = 200
