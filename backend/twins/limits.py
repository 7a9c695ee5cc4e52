"""Bounds of the settings of devices."""

GROUP_DEVICES_MAX = 2_000
"""Devices that one request may set at once."""
HISTORY_ROWS_MAX = 200
PERSON_CHARS_MAX = 64
REASON_CHARS_MAX = 200
