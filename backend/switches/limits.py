"""Bounds of the kill switches."""

REASON_CHARS_MIN = 3
REASON_CHARS_MAX = 200
SWITCHES_SHOWN_MAX = 1_000
SUBJECTS_SHOWN_MAX = 40
"""Of a search for what to stop; who finds more types more."""
FIND_CHARS_MAX = 64
