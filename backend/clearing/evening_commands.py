"""The commands of the day's end that keep what is not money on its way."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.clearing import window
from backend.clearing.costs import Accrual, accrue
from backend.clearing.evening_tables import CARRY, COST, INTEREST, RESERVE_TEST, WINDOW
from backend.clearing.interest import parts_of
from backend.clearing.stated import FollowEntry
from backend.clearing.window import WindowState, WindowStep
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import rules
from backend.ledger import service as ledger
from backend.ledger.model import Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveWindow:
    """Bring a channel's day to where the facts are. Closing it opens the next day's window."""

    channel_id: str
    settlement_date: str
    next_date: str
    is_reconciled: bool
    is_settled: bool
    net_minor: int
    settled_minor: int

    def reads(self) -> Iterable[Read]:
        return [(WINDOW, self._key), (WINDOW, (self.channel_id, self.next_date))]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = ws.get(WINDOW, self._key) or _opened(ws, self._key, now_ms)
        before = WindowState(row["state"])
        steps = window.steps_to(
            before, is_over=True, is_reconciled=self.is_reconciled, is_settled=self.is_settled
        )
        state = before
        for step in steps:
            state = window.next_state(state, step)
        if WindowStep.CLOSE in steps and ws.get(WINDOW, (self.channel_id, self.next_date)) is None:
            _opened(ws, (self.channel_id, self.next_date), now_ms)
        changes = {
            "state": state.value,
            "net_minor": self.net_minor,
            "settled_minor": self.settled_minor,
        }
        if all(row[name] == value for name, value in changes.items()):
            return row
        return ws.update(WINDOW, self._key, **changes, updated_at_ms=now_ms)

    @property
    def _key(self) -> tuple[str, str]:
        return (self.channel_id, self.settlement_date)


def _opened(ws: WorkingSet, key: tuple[str, str], now_ms: int) -> Row:
    channel_id, settlement_date = key
    ws.insert(
        WINDOW,
        {
            "channel_id": channel_id,
            "settlement_date": settlement_date,
            "state": WindowState.OPEN.value,
            "net_minor": 0,
            "settled_minor": 0,
            "opened_at_ms": now_ms,
            "updated_at_ms": now_ms,
        },
    )
    row = ws.get(WINDOW, key)
    assert row is not None
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class AccrueCost:
    """Count a day's items of a channel, and post the whole minor units of what they cost. Again:
    what was found since."""

    channel_id: str
    day: str
    items: int
    cost_micro: int
    """Of all the day's items so far."""
    currency: str
    business_date: str

    def reads(self) -> Iterable[Read]:
        return [(COST, self._key), (CARRY, self.channel_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        return ledger.reads(self._transfers(self._found(ws)))

    def decide(self, ws: WorkingSet, now_ms: int) -> Accrual:
        found = self._found(ws)
        if not self._new_micro(ws):
            return found
        transfers = self._transfers(found)
        if transfers:
            ledger.post(ws, transfers, now_ms, is_new=True)
        self._keep(ws, found, now_ms)
        return found

    @property
    def _key(self) -> tuple[str, str]:
        return (self.channel_id, self.day)

    def _new_micro(self, ws: WorkingSet) -> int:
        known = ws.get(COST, self._key)
        return max(self.cost_micro - (known["cost_micro"] if known is not None else 0), 0)

    def _found(self, ws: WorkingSet) -> Accrual:
        carry = ws.get(CARRY, self.channel_id)
        return accrue(
            carried_micro=carry["carried_micro"] if carry is not None else 0,
            cost_micro=self._new_micro(ws),
        )

    def _transfers(self, found: Accrual) -> list[Transfer]:
        event_id = f"cost.{self.channel_id}.{self.day}.{self.cost_micro}"
        event = rules.Event(event_id, self.currency, self.business_date)
        if not found.whole_minor:
            return []
        return rules.channel_cost_accrued(event, cost_minor=found.whole_minor)

    def _keep(self, ws: WorkingSet, found: Accrual, now_ms: int) -> None:
        known = ws.get(COST, self._key)
        if known is None:
            ws.insert(
                COST,
                {
                    "channel_id": self.channel_id,
                    "business_date": self.day,
                    "items": self.items,
                    "cost_micro": self.cost_micro,
                    "whole_minor": found.whole_minor,
                    "updated_at_ms": now_ms,
                },
            )
        else:
            ws.update(
                COST,
                self._key,
                items=self.items,
                cost_micro=self.cost_micro,
                whole_minor=known["whole_minor"] + found.whole_minor,
                updated_at_ms=now_ms,
            )
        if ws.get(CARRY, self.channel_id) is None:
            ws.insert(CARRY, {"channel_id": self.channel_id, "carried_micro": found.carried_micro})
        else:
            ws.update(CARRY, self.channel_id, carried_micro=found.carried_micro)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccrueInterest:
    """Keep what a day's closing balance of the reserve earns. Once; again it changes nothing."""

    day: str
    balance_minor: int
    rate_bps: int

    def reads(self) -> Iterable[Read]:
        return [(INTEREST, self.day)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        if ws.get(INTEREST, self.day) is None:
            ws.insert(
                INTEREST,
                {
                    "business_date": self.day,
                    "balance_minor": self.balance_minor,
                    "rate_bps": self.rate_bps,
                    "parts": parts_of(self.balance_minor, self.rate_bps),
                    "at_ms": now_ms,
                },
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmInterest(FollowEntry):
    """The reserve bank's statement shows interest (rule 24)."""

    def _transfers(self, event: rules.Event, amount_minor: int) -> list[Transfer]:
        return rules.reserve_interest_paid(event, amount_minor=amount_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepReserveTest:
    """Keep the next signed test of a day, once; answers the row that is kept."""

    day: str
    last_number: int
    passed: bool
    note: str
    key: str
    stamp: bytes

    def reads(self) -> Iterable[Read]:
        return [(RESERVE_TEST, (self.day, self.last_number + 1))]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        number = self.last_number + 1
        newer = ws.get(RESERVE_TEST, (self.day, number))
        if newer is not None:
            return newer
        row = {
            "business_date": self.day,
            "number": number,
            "passed": int(self.passed),
            "note": self.note,
            "key": self.key,
            "stamp": self.stamp,
            "at_ms": now_ms,
        }
        ws.insert(RESERVE_TEST, row)
        return row
