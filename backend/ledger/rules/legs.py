"""What every posting rule is made of: the event, its legs, and their numbering into transfers.

Rule 1: an event's id makes the transfers' ids (``<event id>:<leg>``). A step of a longer business
        (a payout confirmed) is an event of its own: ``<payout id>.confirmed``.
Rule 2: all legs of an event are one linked chain: its transfers happen together or not at all.
Rule 3: legs of amount zero (a fee rounded to nothing) are left out before they are numbered, so an
        event's numbers have no gap and ``service.post`` sees a leg too few or too many.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from backend.ledger.chart import client, own
from backend.ledger.model import Kind, Transfer
from protocol.errors import CallerError

Leg = tuple[str, str, int]
"""(debit, credit, amount)."""
_transfer: Callable[[tuple[Any, ...]], Transfer] = partial(tuple.__new__, Transfer)
"""A third of the cost of a call by the class."""
_EVENT_ID = re.compile(r"[A-Za-z0-9_.#-]{1,80}").fullmatch


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: its id, the currency it moves, and the business date it belongs to."""

    id: str
    currency: str
    business_date: str

    def __post_init__(self) -> None:
        if not self.is_id(self.id):
            raise CallerError("id_invalid", self.id)

    @staticmethod
    def is_id(text: str) -> bool:
        """Whether an event may have this id, so that transfers may be named after it."""
        return _EVENT_ID(text) is not None


def posted(
    event: Event,
    rule: str,
    legs: Sequence[Leg],
    *,
    refers_to: str | None = None,
    first_leg: int = 1,
) -> list[Transfer]:
    """The legs as posted transfers, numbered on from ``first_leg``, all of one chain."""
    event_id, currency, business_date = event.id, event.currency, event.business_date
    moving = [leg for leg in legs if leg[2]]
    return [
        _transfer((
            f"{event_id}:{leg}", 1, debit, credit, amount_minor, currency,
            rule, "posted", refers_to, None, business_date,
        ))
        for leg, (debit, credit, amount_minor) in enumerate(moving, first_leg)
    ]  # fmt: skip


def held(event: Event, rule: str, leg: Leg, *, expires_at_ms: int | None) -> Transfer:
    """A leg as a pending transfer; without an expiry somebody must end it."""
    debit, credit, amount_minor = leg
    return Transfer(
        f"{event.id}:1", 1, debit, credit, amount_minor, event.currency,
        rule, "pending", None, expires_at_ms, event.business_date,
    )  # fmt: skip


def ended(
    event: Event, rule: str, hold: Transfer, kind: Kind, amount_minor: int, *, leg: int = 1
) -> Transfer:
    """The transfer of an event that ends a hold."""
    return Transfer(
        f"{event.id}:{leg}", 1, hold.debit, hold.credit, amount_minor, hold.currency,
        rule, kind, hold.id, None, event.business_date,
    )  # fmt: skip


def signed(debit: str, credit: str, amount_minor: int) -> Leg:
    """A leg that runs the other way if the amount is negative."""
    return (debit, credit, amount_minor) if amount_minor >= 0 else (credit, debit, -amount_minor)


def undone(legs: Sequence[Leg]) -> list[Leg]:
    """These legs with debit and credit exchanged."""
    return [(credit, debit, amount_minor) for debit, credit, amount_minor in legs]


def fee_legs(account: str, income: str, fee_minor: int, currency: str) -> list[Leg]:
    """A fee earned from an account of client money: Dr account / Cr UNSWEPT; Dr DUE_CLIENT / Cr
    income. The mirrored pair that keeps UNSWEPT = DUE_CLIENT."""
    return [
        (account, client("UNSWEPT", currency), fee_minor),
        (own("DUE_CLIENT", currency), own(income, currency), fee_minor),
    ]


def own_money_legs(account: str, purpose: str, amount_minor: int, currency: str) -> list[Leg]:
    """Own money promised to an account of client money: Dr OWN_DUE / Cr account; Dr purpose / Cr
    OWN_PAYABLE, where ``purpose`` is the own account that says what for. The mirrored pair that
    keeps OWN_DUE = OWN_PAYABLE. The money itself follows with ``own_funds_injected``, when the
    bank's statement shows it."""
    return [
        (client("OWN_DUE", currency), account, amount_minor),
        (purpose, own("OWN_PAYABLE", currency), amount_minor),
    ]
