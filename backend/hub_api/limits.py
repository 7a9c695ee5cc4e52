"""Bounds of the hub interface."""

BATCHES_OPEN_MAX = 64
BATCHES_OPEN_PER_HUB_MAX = 8
HUB_ROW_AGE_MS_MAX = 250
"""So long another process's word about a hub may go unheard at the door."""
HUB_ROWS_MAX = 10_000
RECEIVED_AGE_MS_MAX = 7 * 24 * 3600 * 1000
VERIFY_CHUNK_ITEMS_MIN = 16
"""Handing fewer to another thread costs more than it saves, where all threads have work."""
POLLS_OPEN_PER_HUB_MAX = 2
"""The eldest of more is let go: its hub has broken off and come back."""
PUSH_RECHECK_S = 5
STATE_ITEMS_MAX = 500
STATE_BYTES_MAX = 64 * 1024
CURSOR_MAX = 2**63 - 1
