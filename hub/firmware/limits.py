"""Bounds of the hub's firmware."""

STORE_BYTES_MAX = 256 * 1024 * 1024
"""What is kept; the file that was asked for longest ago goes first."""
FETCHES_MAX = 4
"""Files that are fetched at a time."""
STOP_S = 2
READ_BYTES = 64 * 1024
CONNECTIONS_MAX = 64
