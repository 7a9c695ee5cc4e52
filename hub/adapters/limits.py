"""Bounds of the line to the backend. Units stand last in the names."""

CONNECTIONS_MAX = 8
CONNECT_TIMEOUT_S = 5
CLOSE_TIMEOUT_S = 2
BATCH_TIMEOUT_S = 5
POLL_GRACE_S = 10
"""How much longer than the asked wait a long poll may take."""
KEEP_ALIVE_S = 75
ANSWERS_BYTES_MAX = 2 * 1024 * 1024
PUSHES_BYTES_MAX = 8 * 1024 * 1024
DEVICES_BYTES_MAX = 8 * 1024 * 1024
READ_CHUNK_BYTES = 64 * 1024
