"""Ends that a charger says before their beginning, which one with a queue may do (2.0.1, against
E04). Pure.

Rule 1: such an end is kept until its beginning comes, and believed then: the charge is over in the
        step that makes it. Where energy flowed, or a card was shown, a person is told of it
        meanwhile.
Rule 2: where the beginning stays away, a person may settle it: whose card it was and what the meter
        showed, or that nobody pays. That word stands, whatever the charger says later.
"""

from dataclasses import dataclass, replace
from typing import Any

from hub.ocpp.limits import WH_MAX
from hub.ocpp.model import Charge
from protocol.errors import CallerError

Read = tuple[int, int]
"""What the meter showed, in Wh, and when."""
WAIVED = "waived"


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyEnd:
    """The end of a transaction that has not begun. ``at_ms`` is as it was believed when it came."""

    charger: str
    key: str
    at_ms: int
    reason: str
    connector: int = 0
    tag: str = ""
    first: Read | None = None
    last: Read | None = None
    """None: it does not say what the meter showed. One reading is both."""
    said: str = ""
    """Its words, as they are kept for a person; empty: they are not."""
    is_settled: bool = False
    """Whether a person has said all that was missing."""

    @property
    def wh(self) -> int | None:
        """What the meter showed at the end."""
        return self.last[0] if self.last else None

    @property
    def start(self) -> Read | None:
        """What the meter showed before the end, if it says that."""
        return self.first if self.first != self.last else None

    @property
    def is_complete(self) -> bool:
        """Whether it says all by itself: whose card, and both readings."""
        return bool(self.tag) and self.start is not None and self.last is not None

    @property
    def is_waived(self) -> bool:
        """Whether a person has said that nobody pays."""
        return self.is_settled and not self.tag

    def read(self, begun: Charge) -> Charge:
        """The charge that it ends, from the reading that it began at, where only the end says."""
        return (
            begun if self.start is None else begun.begin_at(self.start[0], at_ms=begun.began_at_ms)
        )

    def settled(
        self, *, tag: str, start_wh: int | None = None, end_wh: int | None = None
    ) -> "EarlyEnd":
        """As a person completes it. What it says itself stands: ``field_invalid`` for another
        card or reading, for one that is missing, and for one that is lower at the end."""
        whole = replace(
            self,
            tag=_only(self.tag, tag, "card"),
            first=_reading(self.start, start_wh, self.at_ms, "start_wh"),
            last=_reading(self.last, end_wh, self.at_ms, "end_wh"),
            is_settled=True,
        )
        assert whole.first is not None
        assert whole.last is not None
        if whole.last[0] < whole.first[0]:
            raise CallerError("field_invalid", "end_wh: lower than start_wh")
        return whole

    def waived(self) -> "EarlyEnd":
        """Nobody pays."""
        return replace(self, tag="", reason=WAIVED, is_settled=True)


def shown_end(early: EarlyEnd) -> dict[str, Any]:
    """An end as people are shown it; the card stays out."""
    return {
        "charger": early.charger,
        "connector": early.connector,
        "transaction": early.key,
        "state": "settled" if early.is_settled else "waiting",
        "at_ms": early.at_ms,
        "has_card": bool(early.tag),
        "start_wh": early.start[0] if early.start else None,
        "end_wh": early.wh,
        "reason": early.reason,
    }


def is_somebodys(readings: list[Read], tag: str) -> bool:
    """Whether somebody has something to pay for it."""
    return bool(tag) or (bool(readings) and readings[-1][0] > readings[0][0])


def _only(known: str, said: str, name: str) -> str:
    if not (known or said) or (known and said and known != said):
        raise CallerError("field_invalid", f"{name}: {'another' if known else 'missing'}")
    return known or said


def _reading(known: Read | None, wh: int | None, at_ms: int, name: str) -> Read:
    if wh is not None and not 0 <= wh <= WH_MAX:
        raise CallerError("field_invalid", name)
    if known is not None:
        if wh not in (None, known[0]):
            raise CallerError("field_invalid", f"{name}: the charger said {known[0]}")
        return known
    if wh is None:
        raise CallerError("field_invalid", f"{name}: missing")
    return wh, at_ms
