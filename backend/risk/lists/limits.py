"""Bounds of the lists."""

VALUE_CHARS_MAX = 128
OWNER_CHARS_MAX = 64
REASON_CHARS_MAX = 120
PERSON_CHARS_MAX = 64
ALLOW_DAYS_MAX = 366
"""Trust ends by itself: an entry of the allow list lives no longer."""
ENTRIES_PER_PAGE_MAX = 200
EVENTS_PER_ENTRY_SHOWN_MAX = 200
