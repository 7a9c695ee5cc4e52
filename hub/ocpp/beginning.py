"""A transaction's beginning as a charger says it, and which charge it is. Pure but for the journal
that it is looked up in.

Rule: a beginning that is said again is the charge that it was, unless that one can be told to be
over (``Beginning.may_recur``).
"""

from dataclasses import dataclass, replace

from hub.ocpp.early import EarlyEnd
from hub.ocpp.journal import ChargeJournal
from hub.ocpp.model import Charge, ChargeState, believed_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a charger says when a transaction begins. ``key`` is the same when it is said again."""

    connector: int
    key: str
    tag: str
    wh: int | None
    """None: it does not say what the meter shows."""
    at_ms: int
    may_recur: bool = False
    """Whether another beginning can have the same ``key``: 1.6 names none, so what two say is the
    same where nothing had flowed and the charger's clock stands still or began anew."""


def beginning_of(early: EarlyEnd) -> Beginning:
    """What the charger would have said of what ended so."""
    wh, at_ms = early.first or (None, early.at_ms)
    return Beginning(
        connector=early.connector,
        key=early.key,
        tag=early.tag,
        wh=wh,
        at_ms=min(at_ms, early.at_ms),
    )


def funded(journal: ChargeJournal, charger: str, tag: str) -> Charge | None:
    """The charge that was paid ahead for this tag and has not begun."""
    for charge in journal.open_charges():
        is_it = (charge.charger, charge.tag) == (charger, tag)
        if is_it and charge.state is ChargeState.FUNDED:
            return charge
    return None


def recurs(journal: ChargeJournal, known: Charge, said: Beginning) -> bool:
    """Whether a beginning that was heard before is a new one now: the charge that it began is over,
    has used nothing, and its connector is free."""
    is_used_up = known.ended_at_ms and not known.energy_wh and not known.prepaid_minor
    return bool(said.may_recur and is_used_up) and not any(
        one.is_flowing
        for one in journal.open_charges()
        if (one.charger, one.connector) == (known.charger, said.connector)
    )


def started(charge: Charge, said: Beginning, now_ms: int) -> Charge:
    """The charge that begins so."""
    at_ms = believed_ms(said.at_ms, now_ms)
    return replace(
        charge,
        key=said.key,
        connector=said.connector,
        start_wh=said.wh,
        last_wh=said.wh or 0,
        began_at_ms=at_ms,
        last_at_ms=at_ms,
        heard_at_ms=now_ms,
    )
