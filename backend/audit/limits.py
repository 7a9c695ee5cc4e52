"""Bounds of the audit log."""

TEXT_CHARS_MAX = 200
SUBJECT_CHARS_MAX = 160
VALUES_CHARS_MAX = 4_000
ACTS_PER_PAGE_MAX = 500
ACTS_PER_READ = 1_000
"""How many acts an export or a proof has in memory."""
EXPORT_ACTS_MAX = 100_000
