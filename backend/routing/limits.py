"""Bounds of a channel's circuit breaker."""

SILENCES_TO_OPEN = 5
"""So many unanswered calls in a row, and nothing new is sent."""
SILENCE_MEMORY_MS = 300_000
"""A silence that long ago does not count with the next one."""
OPEN_MS = 30_000
"""How long a breaker stays open the first time; twice as long each time after a failed probe."""
OPEN_MS_MAX = 600_000
PROBE_MS = 60_000
"""A probe that has not come back after so long lets another one go."""
REASON_CHARS_MAX = 80
"""Of what an operator is told about a channel's last silence."""
DECISIONS_PER_PAYMENT_MAX = 4
"""A payment is routed once, and again for each channel that certainly did not take it."""
