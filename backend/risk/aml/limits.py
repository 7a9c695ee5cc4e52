"""The maxima of anti-money-laundering."""

REPORT_BUSINESS_DAYS_MAX = 5
"""A large-value report is due so many business days after its transaction (PBOC order [2016] 3,
article 8)."""

TREES_MAX = 200
"""Steps of the boosted model."""

HONEST_ROWS_A_LAUNDERING_ROW_MAX = 25
"""Account-days without a case that the model learns from, for each one with a case."""

HONEST_ROWS_MIN = 50_000
"""And so many where cases are few, or most innocent look-alikes would not be among them."""

LEDGER_TRANSFERS_MAX = 5_000_000
"""Movements of one report's days; some 200 bytes each."""
