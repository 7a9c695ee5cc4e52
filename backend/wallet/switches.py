"""Switches by which a tester makes a payer's own payments fail, each for a reason of its own.

Rule 1: they are there only where ``[wallet] failure_switches`` is set, which is off by default.
Rule 2: what can be provoked for real is: a frozen payer is frozen, the PIN is asked because the
        payer's limit without it is zero, a bank declines because it is asked for an agreement that
        it does not know, and what is dropped has been carried out. Of an empty balance the payment
        sees that it is empty.
Rule 3: turning a switch off puts back what turning it on has changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.wallet.model import WalletRules
from backend.wallet.service import payer_row
from backend.wallet.tables import PAYER, PIN_FREE, SWITCHES
from protocol.errors import CallerError

UNKNOWN_AGREEMENT = "agr_switched_to_decline"
"""A token that no channel knows."""
_CURRENCY = "CNY"


class Switch(StrEnum):
    """What goes wrong while it is on."""

    EMPTY = "empty"
    """The balance counts as empty: ``insufficient_balance``."""
    SLOW = "slow"
    """The phone's payment is answered late."""
    PIN = "pin"
    """The PIN is always asked."""
    DROP = "drop"
    """It is paid, and the phone's connection is cut before the answer."""
    FROZEN = "frozen"
    """The payer is frozen: ``payer_frozen``."""
    BANK = "bank"
    """The bank behind a card declines: ``channel_declined``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSwitch:
    """Turn a switch of one payer. Safe to repeat. Answers the switches that are on."""

    payer_id: str
    switch: Switch
    is_on: bool

    def reads(self) -> Iterable[Read]:
        return [
            (PAYER, self.payer_id),
            (SWITCHES, self.payer_id),
            (PIN_FREE, (self.payer_id, _CURRENCY)),
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> frozenset[Switch]:
        payer_row(ws, self.payer_id)
        row = ws.get(SWITCHES, self.payer_id)
        if row is None:
            first = {"payer_id": self.payer_id, "switched_on": "", "updated_at_ms": now_ms}
            ws.insert(SWITCHES, first)
        before = switches_of(ws, self.payer_id)
        after = before | {self.switch} if self.is_on else before - {self.switch}
        if after != before:
            self._carry_out(ws)
            text = ",".join(sorted(after))
            ws.update(SWITCHES, self.payer_id, switched_on=text, updated_at_ms=now_ms)
        return after

    def _carry_out(self, ws: WorkingSet) -> None:
        if self.switch is Switch.FROZEN:
            if self.is_on and payer_row(ws, self.payer_id)["status"] != "active":
                raise CallerError("payer_frozen")
            ws.update(PAYER, self.payer_id, status="frozen" if self.is_on else "active")
        elif self.switch is Switch.PIN:
            self._ask_pin(ws)

    def _ask_pin(self, ws: WorkingSet) -> None:
        key = (self.payer_id, _CURRENCY)
        row = ws.get(PIN_FREE, key)
        if row is None:
            ws.insert(PIN_FREE, {"payer_id": self.payer_id, "currency": _CURRENCY})
        if self.is_on:
            kept_minor = None if row is None else row["chosen_minor"]
            ws.update(SWITCHES, self.payer_id, kept_pin_free_minor=kept_minor)
            ws.update(PIN_FREE, key, chosen_minor=0)
            return
        kept = ws.get(SWITCHES, self.payer_id)
        assert kept is not None, "a switch that is on has its row"
        ws.update(PIN_FREE, key, chosen_minor=kept["kept_pin_free_minor"])


def switch_reads(payer_id: str, rules: WalletRules) -> list[Read]:
    """What ``switches_in_force`` reads."""
    return [(SWITCHES, payer_id)] if rules.failure_switches else []


def switches_in_force(ws: WorkingSet, payer_id: str, rules: WalletRules) -> frozenset[Switch]:
    """The payer's switches that are on; none where there are no switches."""
    return switches_of(ws, payer_id) if rules.failure_switches else frozenset()


def switches_of(ws: WorkingSet, payer_id: str) -> frozenset[Switch]:
    """The payer's switches that are on."""
    row = ws.get(SWITCHES, payer_id)
    return parse_switches("" if row is None else row["switched_on"])


def parse_switches(text: str) -> frozenset[Switch]:
    """The switches that a row names."""
    return frozenset(Switch(name) for name in text.split(",") if name)
