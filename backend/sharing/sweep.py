"""The clock's part: shares whose channel has paid are paid, and what nobody has shared in thirty
days is released."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import chart
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.ledger.tables import ACCOUNT
from backend.merchants.tables import MERCHANT
from backend.payments.limits import EXPIRY_SWEEP_MS
from backend.payments.model import PaymentRules
from backend.payments.services import Services
from backend.payments.tables import PAYMENT
from backend.sagas.tables import SAGA
from backend.sharing.limits import LOOK_AGAIN_MS
from backend.sharing.model import SharingState, released
from backend.sharing.paying import (
    channel_reads,
    held_share,
    is_channel_settled,
    pay_share,
    release_rest,
    release_sample,
)
from backend.sharing.repository import SharingRepository
from backend.sharing.tables import SHARE, SHARE_ROUND, SHARED_PAYMENT
from protocol.errors import OperatingError

_log = structlog.get_logger()
RoundKey = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOnSharing:
    """Do what is due of a payment that is shared. ``waiting`` are its shares that were pending a
    moment ago: the round's key, and the share's number. Answers whether anything moved."""

    payment_id: str
    round_count: int
    """How many rounds there were then: with one more, ``waiting`` is not all of it, and the payment
    stays due."""
    waiting: tuple[tuple[RoundKey, str, int], ...]
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        found: list[Read] = [
            (SHARED_PAYMENT, self.payment_id), (PAYMENT, self.payment_id), (SAGA, self.payment_id)
        ]  # fmt: skip
        for key, round_id, number in self.waiting:
            found += [(SHARE_ROUND, key), (SHARE, (round_id, number))]
        return found

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is None:
            return []
        found: list[Read] = [(ACCOUNT, chart.shared(self.payment_id, payment["currency"]))]
        found += channel_reads(ws, payment)
        found += ledger.reads(release_sample(payment, self.payment_id), is_new=True)
        for _, round_id, number in self.waiting:
            share = ws.get(SHARE, (round_id, number))
            if share is not None:
                found.append((MERCHANT, share["receiver_id"]))
                found += ledger.reads(self._posted(share, payment, ""))
        return found

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        shared, payment = ws.get(SHARED_PAYMENT, self.payment_id), ws.get(PAYMENT, self.payment_id)
        if shared is None or payment is None:
            return False
        if shared["due_at_ms"] is None or shared["due_at_ms"] > now_ms:
            return False
        if shared["round_count"] != self.round_count:
            return False
        date = self.rules.business_date(now_ms)
        is_settled = is_channel_settled(ws, payment)
        if is_settled:
            self._pay(ws, payment, date, now_ms)
        changes: Row = {}
        is_over = shared["state"] == SharingState.RELEASED
        if not is_over and now_ms >= shared["release_at_ms"]:
            changes["state"] = released(SharingState(shared["state"])).value
            is_over = True
        rest = 0
        if is_over:
            event_id = f"{self.payment_id}.released.{now_ms}"
            rest = release_rest(ws, payment, event_id, date, now_ms)
        is_waiting = bool(self.waiting) and not is_settled
        if is_waiting or (is_over and payment["refunding_minor"]):
            changes["due_at_ms"] = now_ms + LOOK_AGAIN_MS
        else:
            changes["due_at_ms"] = None if is_over else shared["release_at_ms"]
        ws.update(SHARED_PAYMENT, self.payment_id, **changes)
        return bool(rest or (self.waiting and is_settled))

    def _pay(self, ws: WorkingSet, payment: Row, date: str, now_ms: int) -> None:
        for key, round_id, number in self.waiting:
            share, found = ws.get(SHARE, (round_id, number)), ws.get(SHARE_ROUND, key)
            assert share is not None
            assert found is not None
            if share["done_at_ms"] is None:
                ledger.post(ws, self._posted(share, payment, date), now_ms)
                pay_share(ws, found, (round_id, number), now_ms)

    def _posted(self, share: Row, payment: Row, date: str) -> list[Transfer]:
        held_on = self.rules.business_date(share["created_at_ms"])
        hold = held_share(share, payment["currency"], held_on)
        event_id = f"{share['round_id']}.{share['number']}.posted"
        return posting.share_posted(posting.Event(event_id, payment["currency"], date), hold)


async def carry_on_sharing(services: Services) -> int:
    """One sweep; of how many payments anything moved."""
    repository = SharingRepository(services.reader)
    due = await services.run_read(lambda: repository.due(services.clock.now_ms()))
    commands = [
        CarryOnSharing(
            payment_id=payment_id, round_count=count, waiting=waiting, rules=services.rules
        )
        for payment_id, count, waiting in due
    ]
    return sum(await asyncio.gather(*map(services.submit, commands)))


async def run_sharing(services: Services) -> None:
    """Sweep until cancelled."""
    while True:
        try:
            moved = await carry_on_sharing(services)
        except OperatingError as error:
            _log.warning("sharing_paused", code=error.code)
        else:
            if moved:
                _log.info("shared", payments=moved)
        await asyncio.sleep(EXPIRY_SWEEP_MS / 1000)
