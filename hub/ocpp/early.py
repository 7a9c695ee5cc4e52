"""Ends that a charger says before their beginning, which one with a queue may do (2.0.1, against
E04). Pure.

Rule: such an end is kept until its beginning comes, and believed then: the charge is over in the
step that makes it. Where energy flowed, or a card was shown, a person is told of it meanwhile.
"""

from dataclasses import dataclass

from hub.ocpp.model import Charge

Read = tuple[int, int]
"""What the meter showed, in Wh, and when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyEnd:
    """The end of a transaction that has not begun. ``at_ms`` is as it was believed when it came."""

    charger: str
    key: str
    at_ms: int
    reason: str
    first: Read | None = None
    last: Read | None = None
    """None: it does not say what the meter showed."""
    said: str = ""
    """Its words, as they are kept for a person; empty: they are not."""

    @property
    def wh(self) -> int | None:
        """What the meter showed at the end."""
        return self.last[0] if self.last else None

    def read(self, begun: Charge) -> Charge:
        """The charge that it ends, from the reading that it began at, where only the end says."""
        return (
            begun if self.first is None else begun.begin_at(self.first[0], at_ms=begun.began_at_ms)
        )


def is_somebodys(readings: list[Read], tag: str) -> bool:
    """Whether somebody has to pay for what ended so."""
    return bool(tag) or (bool(readings) and readings[-1][0] > readings[0][0])
