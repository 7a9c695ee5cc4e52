"""Bounds of the hub's firmware."""

STORE_BYTES_MAX = 256 * 1024 * 1024
"""What is kept, whole or on its way; the file that was asked for longest ago goes first. Room for
``FETCHES_MAX`` of the longest, and more."""
FETCHES_MAX = 4
"""Files that are fetched at a time."""
STOP_S = 2
READ_BYTES = 64 * 1024
