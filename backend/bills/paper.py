"""How a bill's values stand on its lines: the layout that WeChat Pay documents for its bill files.

Rule 1: UTF-8 with a BOM, lines end in CR LF, the last one, too. Two headers stand bare; before
        every value stands a backtick, so that a spreadsheet takes none for a number or a formula.
Rule 2: values are joined by commas and nothing is quoted. So no value has a comma: one that
        somebody typed becomes the full-width one (U+FF0C). CR and LF become the two characters
        ``\\r`` and ``\\n``, a backtick becomes an apostrophe, other control characters a space.
        A program that cuts lines at ``,`` finds as many values as the header has names.
Rule 3: amounts are in the currency's main unit (yuan) with its own decimals, a fee with five of
        them, a rate in percent with two.
"""

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from protocol.money import Money

BOM = "\ufeff"
_MARK = "`"
_END = "\r\n"
FRAME_LINES = 3
"""Of a bill without a row: names, the summary's names, the summary."""
_FEE_DECIMALS = 5
_TYPED = str.maketrans({",": "\uff0c", "\r": "\\r", "\n": "\\n", _MARK: "'"})
_UNPRINTED = {"Cc", "Cs"}


def header(names: Iterable[str]) -> str:
    """A line of names."""
    return ",".join(names) + _END


def line(values: Iterable[str]) -> str:
    """A line of values, each of which keeps rule 2 (see ``typed``)."""
    return ",".join(_MARK + value for value in values) + _END


def typed(text: str) -> str:
    """What a person has typed, as it may stand on a line."""
    plain = text.translate(_TYPED)
    return "".join(" " if unicodedata.category(one) in _UNPRINTED else one for one in plain)


def yuan(amount_minor: int, currency: str) -> str:
    """``12.80``."""
    return Money(amount_minor, currency).decimal()


def fee(amount_minor: int, currency: str) -> str:
    """``0.07700``."""
    whole, _, decimals = Money(amount_minor, currency).decimal().partition(".")
    return f"{whole}.{decimals:0<{_FEE_DECIMALS}}"


def rate(rate_bps: int) -> str:
    """``0.60%``."""
    whole, hundredths = divmod(rate_bps, 100)
    return f"{whole}.{hundredths:02d}%"


def moment(at_ms: int, offset_ms: int) -> str:
    """``2026-09-30 12:00:00``, by the shop's clock."""
    shown = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at_ms + offset_ms)
    return f"{shown:%Y-%m-%d %H:%M:%S}"
