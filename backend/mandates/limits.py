"""Bounds of mandates."""

MANDATE_VALID_MS_MAX = 3 * 366 * 24 * 3600 * 1000
MANDATES_PER_LIST_MAX = 100
SIGNED_BYTES_MAX = 4_096
NOTICE_VALID_MS = 7 * 24 * 3600 * 1000
"""How long after the payer's hours an announced debit may come."""
NOTICES_OPEN_MAX = 8
"""Of one mandate: each is read with every debit."""
ROWS_PER_LIST_MAX = 200
STOPPED_DEBIT_MS_MAX = 24 * 3600 * 1000
"""After a stop, how long the payer may be asked for what was under way."""
USUAL_AFTER_USES = 5
UNUSUAL_FACTOR = 4
"""A debit above so many times the mean of the debits before, once there were that many."""
