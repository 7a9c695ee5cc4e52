"""Bounds of disputes."""

EVIDENCE_CHARS_MAX = 2_000
EVIDENCES_PER_DISPUTE_MAX = 20
SETTLEMENT_DAYS_AWAY_MAX = 90
"""How far from today a channel keeps a lost dispute's money back; a run reaches further."""
REASON_CHARS_MAX = 64
REFERENCE_CHARS_MAX = 64
ROWS_PER_LIST_MAX = 200
