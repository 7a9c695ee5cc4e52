"""Bounds of reports of suspicious transactions."""

PAYMENTS_PER_REPORT_MAX = 500
EVENTS_PER_REPORT_MAX = 100
WORDS_CHARS_MAX = 4_000
REASON_CHARS_MAX = 120
PERSON_CHARS_MAX = 64
SUBJECT_CHARS_MAX = 128
RECEIPT_CHARS_MAX = 64
"""What the AML centre answers with."""
ROWS_PER_LIST_MAX = 200
LARGEST_TOLD_MAX = 5
"""Payments that the narrative names one by one."""
