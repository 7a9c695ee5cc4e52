"""What charges under one mandate leave each other of its room. Pure.

Rule 1: the room is told for one payment and is no hold, so charges that run at once share it as if
        there were no more: the wire does not say which of the mandate's limits made it.
Rule 2: what a running charge takes of it is its cost, a stop's time ahead, and not its whole limit:
        so a second car may begin, and all stop when together they reach the room.
Rule 3: what one asks at its end leaves out what others ask already, whatever was metered meanwhile:
        together they never ask for more than the room, also where no stop came through.
Rule 4: a room that is told while a debit is on its way may have it out already. So who begins asks
        what became of it first (``Keeper.hear_of_debits``), and then for the room.
"""

from collections.abc import Iterable
from dataclasses import replace

from hub.ocpp.limits import BESIDE_AHEAD_MS_MAX
from hub.ocpp.model import Charge, ChargeState


def beside_minor(
    charges: Iterable[Charge], mandate_id: str | None, now_ms: int, *, but: str = ""
) -> int:
    """What charges under a mandate take of its room, but for the one of this payment id."""
    others = _under(charges, mandate_id, but)
    return sum(one.amount_minor if is_owed(one) else _ahead_minor(one, now_ms) for one in others)


def reaches_limit(charge: Charge, charges: Iterable[Charge], now_ms: int) -> bool:
    """Whether a charge must stop, beside the others."""
    beside = beside_minor(charges, charge.mandate_id, now_ms, but=charge.payment_id)
    return charge.reaches_limit(now_ms, beside_minor=beside)


def capped(charge: Charge, charges: Iterable[Charge]) -> Charge:
    """A charge that is about to end: its limit is what the others have not asked for (rule 3)."""
    owed = _owed_minor(charge, charges)
    if charge.limit_minor is None or not owed:
        return charge
    return replace(charge, limit_minor=max(charge.limit_minor - owed, 0))


def retold(charge: Charge, charges: Iterable[Charge], room_minor: int) -> Charge:
    """A charge whose mandate's room was told again. Where a debit under it is on its way, nobody
    knows whether it is out of that room already: then the room only falls."""
    if charge.limit_minor is None:
        return replace(charge, limit_minor=room_minor)
    owed = _owed_minor(charge, charges)
    limit = min(charge.limit_minor, room_minor + owed) if owed else room_minor
    return replace(charge, limit_minor=limit)


def after_debit(before: Charge, after: Charge, charges: Iterable[Charge]) -> list[Charge]:
    """The running charges that a debit has left less of the room, until it is told again."""
    if not (is_owed(before) and after.state is ChargeState.PAID):
        return []
    return [
        replace(one, limit_minor=max(one.limit_minor - after.amount_minor, 0))
        for one in _under(charges, after.mandate_id, after.payment_id)
        if one.limit_minor is not None and one.state is ChargeState.RUNNING
    ]


def is_owed(charge: Charge) -> bool:
    """Whether its debit under a mandate is on its way."""
    return charge.mandate_id is not None and charge.state is ChargeState.OWED


def _owed_minor(charge: Charge, charges: Iterable[Charge]) -> int:
    others = _under(charges, charge.mandate_id, charge.payment_id)
    return sum(one.amount_minor for one in others if is_owed(one))


def _under(charges: Iterable[Charge], mandate_id: str | None, but: str) -> list[Charge]:
    """Those that take of the room. What waits for its payer's word does not: that is beside all
    limits."""
    if mandate_id is None:
        return []
    return [
        one
        for one in charges
        if one.mandate_id == mandate_id
        and one.payment_id != but
        and one.state in {ChargeState.RUNNING, ChargeState.OWED}
    ]


def _ahead_minor(charge: Charge, now_ms: int) -> int:
    """One whose charger has gone silent goes on for a while only: it may have lost its end."""
    return charge.cost_ahead_minor(min(now_ms, charge.heard_at_ms + BESIDE_AHEAD_MS_MAX))
