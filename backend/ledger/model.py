"""Accounts, transfers and what a transfer does to balances. Pure.

Rule 1: a transfer names one debit account, one credit account and one positive amount; so it
        cannot be unbalanced. Both accounts are of one book and one currency.
Rule 2: transfers posted together are linked: all of them happen or none does. Floors are checked
        when the whole chain has been applied.
Rule 3: a hold is a *pending* transfer. It ends once: *post* (all or a part; the rest is released),
        *void* or *expire*. Each of these is a transfer of its own; nothing is ever changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from protocol.money import AMOUNT_MINOR_MAX

Side = Literal["debit", "credit"]
Kind = Literal["posted", "pending", "post", "void", "expire"]
KINDS: tuple[Kind, ...] = ("posted", "pending", "post", "void", "expire")
BALANCES = ("debits_posted", "credits_posted", "debits_pending", "credits_pending")

Effect = tuple[int, int]
"""What a transfer adds to (pending, posted), on the debit and the credit account alike."""


@dataclass(frozen=True, slots=True)
class Account:
    """What never changes about an account. The balances live in its row."""

    id: str
    book: str
    code: str
    owner: str
    currency: str
    side: Side
    floor_minor: int | None


class Transfer(NamedTuple):
    """One movement of money. A tuple, because it is also the row that is written."""

    id: str
    """``<event id>:<leg>``; the event's maker makes it, so a repeated post is recognised."""
    link: int
    """The leg number of the first transfer of the linked chain this one belongs to."""
    debit: str
    credit: str
    amount_minor: int
    currency: str
    rule: str
    kind: Kind
    refers_to: str | None
    """The transfer that this one ends (a hold), undoes (a reversal) or returns (a refund)."""
    expires_at_ms: int | None
    business_date: str

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> "Transfer":
        """The transfer that a stored row begins with."""
        return cls._make(row[: len(cls._fields)])

    @property
    def event_id(self) -> str:
        """The event that caused it."""
        return self.id.rpartition(":")[0]

    @property
    def leg(self) -> int:
        """The number of this transfer within its event."""
        return int(self.id.rpartition(":")[2])


def effect(kind: Kind, amount_minor: int, held_minor: int = 0) -> Effect:
    """(pending, posted) differences of a transfer; ``held_minor`` is its pending transfer's amount.

    A partial post releases the whole hold and posts the part.
    """
    if kind == "posted":
        return (0, amount_minor)
    if kind == "pending":
        return (amount_minor, 0)
    if kind == "post":
        return (-held_minor, amount_minor)
    return (-held_minor, 0)


def is_amount(value: object) -> bool:
    """Whether a transfer may carry it: a positive integer within the limit of money."""
    return type(value) is int and 0 < value <= AMOUNT_MINOR_MAX


def balance(row: Mapping[str, Any]) -> int:
    """The posted balance, positive on the account's own side."""
    net: int = row["debits_posted"] - row["credits_posted"]
    return net if row["side"] == "debit" else -net


def available(row: Mapping[str, Any]) -> int:
    """The balance less what holds may still take away."""
    left: int
    if row["side"] == "debit":
        left = row["debits_posted"] - row["credits_posted"] - row["credits_pending"]
    else:
        left = row["credits_posted"] - row["debits_posted"] - row["debits_pending"]
    return left


def is_below_floor(row: Mapping[str, Any]) -> bool:
    """Whether the account has less available than its floor allows."""
    floor: int | None = row["floor_minor"]
    return floor is not None and available(row) < floor
