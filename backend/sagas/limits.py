"""Bounds of the conversations with channels."""

PAY_PATIENCE_MS = 60_000
"""From planning a payment until it is given up and reversed at the channel."""
LEASE_MS = 30_000
"""How long a claimed conversation belongs to its runner: longer than one exchange may take."""
RETRY_DELAY_MS = 1_000
RETRY_DELAY_MS_MAX = 60_000
WAITING_DELAY_MS = 3_000
"""Between two questions about an order whose payer is to confirm or to scan: people wait."""
QUERIES_BEFORE_GIVING_UP_MIN = 1
CONVERSATIONS_PER_CHANNEL_MAX = 32
"""At once: a channel that hangs takes its own places only."""
POLL_MS = 500
ROUNDS_PER_SETTLING_MAX = 64
ROWS_PER_LIST_MAX = 200
ALARM_TRIES = 20
"""A conversation that was tried so often is logged as an error for somebody to look at."""
DETAIL_CHARS_MAX = 400
ERROR_CHARS_MAX = 80
