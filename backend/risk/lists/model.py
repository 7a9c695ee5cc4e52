"""The lists' rules. Pure.

Rule 1: a value is on one list at a time. Putting it on another moves it, so nobody is trusted and
        blocked at once and no order of lists must be known.
Rule 2: an entry counts until its end and not at it; an entry of the allow list has an end.
Rule 3: no card number is kept: a card is named by its instrument, and a text of digits that could
        be a card number is refused whatever its kind; as a card also one whose check digit is
        wrong, because some issuers have none.
Rule 4: a kind that no payment tells is on no list: it would seem to stop somebody.
Rule 5: a value that was copied with what stands around it names whom it seems to name: an id has no
        blanks at its ends, and one with a character that nobody sees is refused.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from backend.risk.lists.limits import (
    ALLOW_DAYS_MAX,
    OWNER_CHARS_MAX,
    REASON_CHARS_MAX,
    VALUE_CHARS_MAX,
)
from protocol.clock import DAY_MS
from protocol.errors import CallerError

_PAN_DIGITS = range(13, 20)
"""ISO/IEC 7812-1: a card number has at most 19 digits; the shortest in use have 13."""
_SEPARATORS = str.maketrans("", "", " -")


class ListName(StrEnum):
    """What is said of a value."""

    ALLOW = "allow"
    BLOCK = "block"
    GREY = "grey"
    """Watched: rules may be stricter."""


class ListKind(StrEnum):
    """What a value names."""

    PAYER = "payer"
    CARD = "card"
    """By its instrument's id."""
    DEVICE = "device"
    MERCHANT = "merchant"
    STORE = "store"
    ADDRESS = "address"
    NAME = "name"


_WRITTEN_FREELY = frozenset({ListKind.NAME, ListKind.ADDRESS})
_UNTOLD = {
    ListKind.ADDRESS: (
        "a payment does not tell from which network address it was made",
        "付款不带网络地址，列入名单也拦不住任何人",
    ),
    ListKind.NAME: (
        "a payment does not tell a name; tillway risk screen looks through names",
        "付款不带姓名，列入名单也拦不住任何人；姓名请用 tillway risk screen 筛查",
    ),
}
"""Kinds of entries that there were once: they can be looked at and taken off."""
_KIND_TEXTS = {kind: kind.value for kind in ListKind}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A value on a list. ``until_ms`` 0: until it is taken off."""

    list_name: ListName
    kind: ListKind
    value: str
    reason: str
    owner: str
    until_ms: int = 0

    def check(self, now_ms: int) -> None:
        """``field_invalid`` for an entry that cannot be, with the field."""
        texts = (
            ("value", self.value, VALUE_CHARS_MAX),
            ("reason", self.reason, REASON_CHARS_MAX),
            ("owner", self.owner, OWNER_CHARS_MAX),
        )
        if self.kind in _UNTOLD:
            en, zh = _UNTOLD[self.kind]
            raise CallerError("field_invalid", f"kind: {en}", detail_zh=f"kind：{zh}")
        for name, text, chars_max in texts:
            if not 0 < len(text.strip()) <= len(text) <= chars_max:
                raise CallerError("field_invalid", name)
        if self.kind not in _WRITTEN_FREELY and not self.value.strip().isprintable():
            raise CallerError("field_invalid", "value: it has a character that nobody sees")
        if is_card_number(self.value) or (
            self.kind is ListKind.CARD and _has_its_length(self.value)
        ):
            raise CallerError("field_invalid", "value: a card is named by its instrument")
        if self.until_ms and self.until_ms <= now_ms:
            raise CallerError("field_invalid", "until_ms is over")
        if self.list_name is ListName.ALLOW:
            latest_ms = now_ms + ALLOW_DAYS_MAX * DAY_MS
            if not now_ms < self.until_ms <= latest_ms:
                raise CallerError("field_invalid", f"until_ms: at most {ALLOW_DAYS_MAX} days")


def list_key(kind: ListKind, value: str) -> tuple[str, str]:
    """Where a value is kept: names and addresses in any width, case and spacing are one. A payment
    asks for a dozen of these, so that the kinds stand in tables."""
    if kind in _WRITTEN_FREELY:
        value = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    return _KIND_TEXTS[kind], value.strip()


def counts_at(until_ms: int, now_ms: int) -> bool:
    """Whether an entry with this end counts now (rule 2)."""
    return not until_ms or now_ms < until_ms


def is_card_number(value: str) -> bool:
    """Whether a text could be a card number, by the check digit of ISO/IEC 7812-1 annex B."""
    if not _has_its_length(value):
        return False
    digits = _digits(value)
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _has_its_length(value: str) -> bool:
    digits = _digits(value)
    return len(digits) in _PAN_DIGITS and digits.isascii() and digits.isdigit()


def _digits(value: str) -> str:
    return unicodedata.normalize("NFKC", value).translate(_SEPARATORS)
