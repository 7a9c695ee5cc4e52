"""A shift: what went through the till, and how much cash must lie in the drawer.

Rule 1: X only reads; Z is the X of a closed shift with what was counted, and nothing follows it.
Rule 2: whoever counts does not see what is expected; a difference needs a reason.
Rule 3: integers of minor units only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from protocol.errors import CallerError
from terminal.domain.card_sale import CardKind
from terminal.domain.mark import MarkedAs


class CashKind(StrEnum):
    """Why cash moved."""

    SALE = "cash_sale"
    REFUND = "cash_refund"
    PAY_IN = "pay_in"
    PAY_OUT = "pay_out"


_SIGNS = {CashKind.SALE: 1, CashKind.REFUND: -1, CashKind.PAY_IN: 1, CashKind.PAY_OUT: -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One shift, open or closed."""

    shift_id: int
    opened_at_ms: int
    opened_by: str
    float_minor: int
    closed_at_ms: int | None = None
    closed_by: str | None = None
    counted_minor: int | None = None
    reason: str | None = None
    approved_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashMovement:
    """Cash in or out of the drawer."""

    movement_id: int
    shift_id: int
    kind: CashKind
    amount_minor: int
    currency: str
    reason: str
    by_name: str
    at_ms: int
    tendered_minor: int | None = None
    approved_by: str | None = None
    refund_of: int | None = None
    refunded_minor: int = 0
    """Of a cash sale: what was given back since."""

    @property
    def number(self) -> str:
        """What staff call it: its own series, apart from that of cards."""
        return cash_number(self.movement_id)

    @property
    def change_minor(self) -> int:
        """What the payer got back of the note."""
        return (self.tendered_minor or self.amount_minor) - self.amount_minor


def cash_number(movement_id: int) -> str:
    """The number of cash that moved, as slips and pages show it."""
    return f"CASH-{movement_id:06d}"


@dataclass(frozen=True, slots=True)
class Tally:
    """So many, and their sum."""

    count: int = 0
    minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """X or Z. ``by_method``: paid sales that went to the backend; ``cash``: by kind; ``cards``:
    what the PIN pad approved, by kind; ``unknown``: open outcomes that nobody has signed for;
    ``marked``: sales that a supervisor took for something in this shift, ``marked_refunds``:
    refunds; ``contradicted``: outcomes that became known in this shift, against their mark;
    ``offline``: what was accepted offline in this shift and has not come back."""

    shift: Shift
    at_ms: int
    currency: str
    by_method: Mapping[str, Tally] = field(default_factory=dict)
    refunds: Tally = Tally()
    cash: Mapping[CashKind, Tally] = field(default_factory=dict)
    cards: Mapping[CardKind, Tally] = field(default_factory=dict)
    unknown: Tally = Tally()
    marked: Mapping[MarkedAs, Tally] = field(default_factory=dict)
    marked_refunds: Mapping[MarkedAs, Tally] = field(default_factory=dict)
    contradicted: Tally = Tally()
    offline: Tally = Tally()

    @property
    def sales(self) -> Tally:
        """Everything that was sold, cash and cards included."""
        beside = [
            self.cash.get(CashKind.SALE, Tally()),
            self.cards.get(CardKind.SALE, Tally()),
        ]
        return tally_of([*self.by_method.values(), *beside])

    @property
    def refunded(self) -> Tally:
        """Everything that was given back, cash and cards included."""
        beside = [
            self.cash.get(CashKind.REFUND, Tally()),
            self.cards.get(CardKind.REFUND, Tally()),
        ]
        return tally_of([self.refunds, *beside])

    @property
    def net_minor(self) -> int:
        """Sales less refunds."""
        return self.sales.minor - self.refunded.minor

    @property
    def expected_minor(self) -> int:
        """What must lie in the drawer."""
        moved = sum(_SIGNS[kind] * tally.minor for kind, tally in self.cash.items())
        return self.shift.float_minor + moved

    @property
    def difference_minor(self) -> int | None:
        """Counted less expected; None while nobody has counted."""
        counted = self.shift.counted_minor
        return None if counted is None else counted - self.expected_minor


def check_close(report: Report, *, counted_minor: int, reason: str, is_approved: bool) -> None:
    """Whether a shift may be closed: ``shift_unsettled`` while outcomes are open and nobody signs,
    ``shift_reason_needed`` where the count differs and nobody says why."""
    if report.unknown.count and not is_approved:
        raise CallerError("shift_unsettled", f"{report.unknown.count} open")
    if counted_minor != report.expected_minor and not reason.strip():
        raise CallerError("shift_reason_needed")


def tally_of(tallies: Sequence[Tally]) -> Tally:
    """Several together."""
    return Tally(sum(each.count for each in tallies), sum(each.minor for each in tallies))
