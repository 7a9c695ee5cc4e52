"""Bounds of the risk rules."""

RECENT_PAYMENTS_MAX = 64
"""How many times of attempts are kept per payer; the velocity rule can count no further."""
VERDICTS_REMEMBERED_MAX = 256
"""Whose texts are kept at hand; there is one a rule and version."""
TABLE_BYTES_MAX = 4_000_000_000
"""Of a CSV or Parquet file that a command reads."""
TABLE_TEXT_BYTES_MAX = 200
"""Of one value of text in such a file."""
TABLE_INTEGER_MAX = 2**53
"""Whole numbers up to here are exact in every tool that may have written the file."""
