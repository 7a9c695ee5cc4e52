"""The daily test of the reserve: is there at least as much as clients have? Pure.

    <name>/reserve                   the origin, which is also the signing key's name
    day 2026-11-23                   the business day that it closes
    at <epoch milliseconds>
    statement 2026-11-24 <minor>     the reserve's closing balance, by the bank's own statement
    books <minor>                    the reserve by our books
    in-transit <minor>               confirmed by channels and not settled yet, and e-CNY
    liabilities <minor>              what clients have
    promised-later <minor>           own money promised for days after this one
    short <minor>                    短款 that own money has not covered
    strange <count>                  movements of the reserve that are none of the known kinds
    passed                           or: failed

Rule 1: statement + in transit + promised later ≥ liabilities; the books say what the statement
        says (so nothing counts twice); no short; no movement but the known kinds.
Rule 2: the verdict follows from the numbers above it: a text that says another is no test.
"""

import re
from dataclasses import dataclass

from protocol.errors import CallerError
from protocol.signed_note import NoteKey, open_note

MOVES_RESERVE = frozenset(
    {
        "channel_settled", "channel_settled_net", "payout_confirmed", "payout_returned",
        "customer_withdrawal_confirmed", "fees_swept", "own_funds_injected",
        "reserve_interest_paid", "exchange_bought",
    }
)  # fmt: skip
"""The kinds that may move the reserve: clients' money by channels and payouts, interest, and of our
own money the sweep and the injection only."""
_LINES = re.compile(
    r"(?P<origin>[!-~]+)/reserve\nday (?P<day>[0-9-]{10})\nat (?P<at_ms>[0-9]+)\n"
    r"statement (?P<statement_date>[0-9-]{10}) (?P<statement_minor>-?[0-9]+)\n"
    r"books (?P<books_minor>-?[0-9]+)\nin-transit (?P<in_transit_minor>-?[0-9]+)\n"
    r"liabilities (?P<liabilities_minor>-?[0-9]+)\n"
    r"promised-later (?P<promised_later_minor>-?[0-9]+)\nshort (?P<short_minor>-?[0-9]+)\n"
    r"strange (?P<strange>[0-9]+)\n(?P<verdict>passed|failed)\n"
).fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveTest:
    """One test, as it is signed."""

    origin: str
    day: str
    at_ms: int
    statement_date: str
    statement_minor: int
    books_minor: int
    in_transit_minor: int
    liabilities_minor: int
    promised_later_minor: int
    short_minor: int
    strange: int

    @property
    def missing_minor(self) -> int:
        """How much the reserve is short of what clients have."""
        there = self.statement_minor + self.in_transit_minor + self.promised_later_minor
        return max(self.liabilities_minor - there, 0)

    @property
    def passed(self) -> bool:
        """Whether the reserve holds what it must."""
        return (
            not self.missing_minor
            and self.books_minor == self.statement_minor
            and not self.short_minor
            and not self.strange
        )

    def to_text(self) -> str:
        """The note's text."""
        return (
            f"{self.origin}/reserve\nday {self.day}\nat {self.at_ms}\n"
            f"statement {self.statement_date} {self.statement_minor}\nbooks {self.books_minor}\n"
            f"in-transit {self.in_transit_minor}\nliabilities {self.liabilities_minor}\n"
            f"promised-later {self.promised_later_minor}\nshort {self.short_minor}\n"
            f"strange {self.strange}\n{'passed' if self.passed else 'failed'}\n"
        )

    @classmethod
    def from_text(cls, text: str) -> "ReserveTest":
        """Read ``to_text``; ``CallerError("proof_invalid")`` for anything else."""
        found = _LINES(text)
        if found is None:
            raise CallerError("proof_invalid", "not a reserve test")
        read = cls(
            origin=found["origin"],
            day=found["day"],
            at_ms=int(found["at_ms"]),
            statement_date=found["statement_date"],
            statement_minor=int(found["statement_minor"]),
            books_minor=int(found["books_minor"]),
            in_transit_minor=int(found["in_transit_minor"]),
            liabilities_minor=int(found["liabilities_minor"]),
            promised_later_minor=int(found["promised_later_minor"]),
            short_minor=int(found["short_minor"]),
            strange=int(found["strange"]),
        )
        if read.to_text() != text:
            raise CallerError("proof_invalid", "the verdict does not follow from the numbers")
        return read


def open_reserve_test(note: str, key: NoteKey) -> ReserveTest:
    """The test, once this key's signature holds. ``signature_invalid``, ``proof_invalid``."""
    found = ReserveTest.from_text(open_note(note, key))
    if f"{found.origin}/reserve" != key.name:
        raise CallerError("signature_invalid", "the key is another's")
    return found


def same_but_for_the_time(note: str, other: str) -> bool:
    """Whether two notes of one key say the same numbers."""
    return _numbers(note) == _numbers(other)


def _numbers(note: str) -> list[str]:
    text, _, _ = note.rpartition("\n\n")
    return [line for line in text.splitlines() if not line.startswith("at ")]
