"""Bounds of labels."""

LABELS_PER_PAGE_MAX = 5_000
LABELS_PER_PAYMENT_MAX = 100
"""Labels of one payment that are shown, the latest."""
REASON_CHARS_MAX = 200
PERSON_CHARS_MAX = 64
