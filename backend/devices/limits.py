"""Bounds of the device registry."""

DEVICES_PER_STORE_MAX = 2_000
KEYS_CACHED_MAX = 100_000
STORES_CACHED_MAX = 10_000
REASON_CHARS_MAX = 120
HISTORY_ROWS_MAX = 200
NAME_CHARS_MAX = 80
TAGS_PER_DEVICE_MAX = 16
FLEET_PAGE_ROWS = 200
SEARCH_CHARS_MAX = 64
SELECTED_DEVICES_MAX = 2_000
STORES_PER_LIST_MAX = 1_000
KEY_OVERLAP_MS = 10 * 60 * 1000
"""So long after a rotation the key before is still taken: what is on its way, and a program that
has not been started anew."""
