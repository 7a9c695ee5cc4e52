"""Bounds of the kill switches."""

REASON_CHARS_MIN = 3
REASON_CHARS_MAX = 200
SWITCHES_SHOWN_MAX = 1_000
