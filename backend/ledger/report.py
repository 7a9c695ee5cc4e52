"""What a verification has found."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from backend.ledger.limits import VERIFY_BREAKS_MAX


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that does not hold: its kind, where, and why."""

    kind: str
    where: str
    why: str


@dataclass(slots=True)
class Report:
    """What was read and what is broken."""

    groups: int = 0
    transfers: int = 0
    accounts: int = 0
    holds: int = 0
    balances: int = 0
    checkpoints: int = 0
    breaks: list[Break] = field(default_factory=list)
    ends: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Per chain: the last group's number and hash. Keep it: it is a checkpoint."""
    first_bad_transfer: str | None = None
    """The first one, in the order of posting, that is not what was sealed."""

    @property
    def is_whole(self) -> bool:
        """Whether everything holds."""
        return not self.breaks

    def add(self, kind: str, where: str, why: str) -> None:
        """Note a break; after ``VERIFY_BREAKS_MAX`` the rest are not listed."""
        where, why = _printable(where), _printable(why)
        if kind == "transfer" and self.first_bad_transfer is None:
            self.first_bad_transfer = where
        if len(self.breaks) < VERIFY_BREAKS_MAX:
            self.breaks.append(Break(kind, where, why))

    def put_first(self, listed: Sequence[str], *, since: int) -> None:
        """Of the transfers named in the breaks since, the one that this group lists first is the
        first bad one; of one event's, the one that was named first."""
        places: dict[str, int] = {}
        for at, transfer_id in enumerate(listed):
            places.setdefault(_event_of(_printable(transfer_id)), at)
        named = [one.where for one in self.breaks[since:] if one.kind == "transfer"]
        if named:
            self.first_bad_transfer = min(
                named, key=lambda where: places.get(_event_of(where), len(listed))
            )


def _event_of(transfer_id: str) -> str:
    return transfer_id.rpartition(":")[0]


def _printable(text: str) -> str:
    """What was changed may be anything: nothing in it commands the reader's screen."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
