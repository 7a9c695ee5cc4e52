"""Bounds of the conversations with channels."""

PAY_PATIENCE_MS = 60_000
"""From planning a payment until it is given up and reversed at the channel."""
LEASE_MS = 15_000
"""How long a claimed conversation belongs to its runner: longer than one call may take."""
RETRY_DELAY_MS = 1_000
RETRY_DELAY_MS_MAX = 60_000
QUERIES_BEFORE_GIVING_UP_MIN = 1
CONVERSATIONS_AT_ONCE_MAX = 32
DUE_PER_ROUND_MAX = 256
POLL_MS = 500
ROUNDS_PER_SETTLING_MAX = 64
ROWS_PER_LIST_MAX = 200
ALARM_TRIES = 20
"""A conversation that was tried so often is logged as an error for somebody to look at."""
DETAIL_CHARS_MAX = 400
ERROR_CHARS_MAX = 80
