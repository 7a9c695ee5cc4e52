"""Pieces of CSV files (RFC 4180) that people open in a spreadsheet."""

import csv
import io
from collections.abc import Sequence

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""What a file begins with, so that a spreadsheet reads it as UTF-8."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """The text, harmless in a spreadsheet: what it would take for a formula gets an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_lines(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as lines of the file, UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
