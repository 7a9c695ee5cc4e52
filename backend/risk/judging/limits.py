"""The maxima of judging."""

REBUILT_DAYS_MAX = 31
"""How far back decisions are told again at the start: as far as the widest window looks."""

DECISIONS_PER_PAGE_MAX = 2_000
"""Decisions that are read at once."""

PAYMENTS_REMEMBERED_MAX = 500_000
"""Judged payments that a label may still name; the oldest are forgotten first."""

DECISIONS_PER_PAYMENT_MAX = 100
"""Decisions of one payment that are shown."""
