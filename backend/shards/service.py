"""Charging a payment that crosses, crediting those that arrive, settling those that have ended.

Rule 1: the payer's commit is the point of no return: with it the crossing is written, and the relay
        carries it until the payee's shard has credited or refused it. Nobody else ends it.
Rule 2: the cursor of a lane moves in the commit that credits, so a crossing that is carried twice
        is credited once; the payment's id on the payee's shard stands guard a second time.
Rule 3: a shard posts to its own accounts only (``PlaceGuard``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read, Seal
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import chart
from backend.ledger.model import Transfer
from backend.ledger.service import LedgerSeal, post, reads
from backend.ledger.tables import TRANSFER
from backend.shards.limits import CROSSINGS_UNDER_WAY_MAX, DETAILS_CHARS_MAX
from backend.shards.model import Crossing, Order, Place, Refusal
from backend.shards.ports import Payee
from backend.shards.rules import crossing_charged, crossing_credited, crossing_returned
from backend.shards.tables import CROSSING, LANE, REFUSAL
from protocol.errors import CallerError, OperatingError

_DEBIT, _CREDIT = Transfer._fields.index("debit"), Transfer._fields.index("credit")


def charge_reads(place: Place, order: Order) -> list[Read]:
    """What ``charge`` will read, for a command's ``reads`` or ``follow``."""
    peer = place.map.shard_of(order.owner)
    transfers = crossing_charged(order, peer)
    return [(CROSSING, order.event_id), (LANE, peer), *reads(transfers, is_new=True)]


def charge(ws: WorkingSet, place: Place, order: Order, now_ms: int) -> Crossing:
    """Take the money from the payer and write the crossing; the first one again for a repetition.

    Raises ``CallerError``: ``idempotency_conflict`` for other content under the same id, what
    ``post`` refuses (``insufficient_balance``), and at once what the payee's shard would refuse:
    ``account_unknown``, ``amount_invalid``, ``field_invalid``; ``OperatingError("busy")`` while too
    much is under way to that shard. Then nothing has been changed.
    """
    found = ws.get(CROSSING, order.event_id)
    if found is not None:
        first = Crossing(**found)
        if first.order != order:
            raise CallerError("idempotency_conflict", order.event_id)
        return first
    peer = place.map.shard_of(order.owner)
    assert peer != place.number, "payer and payee live together: nothing crosses"
    _check(order)
    lane = _lane(ws, peer)
    seq = lane["sent_seq"] + 1
    if seq - lane["settled_seq"] > CROSSINGS_UNDER_WAY_MAX:
        raise OperatingError("busy", f"shard {peer} does not take its crossings")
    post(ws, crossing_charged(order, peer), now_ms, is_new=True)
    crossing = Crossing(
        order.event_id, peer, seq, order.user_id, order.owner, order.amount_minor,
        order.fee_minor, order.currency, order.business_date, order.details, now_ms,
    )  # fmt: skip
    ws.insert(CROSSING, crossing._asdict())
    ws.update(LANE, peer, sent_seq=seq)
    return crossing


@dataclass(frozen=True, slots=True)
class Charge:
    """Charge an order, and nothing else. A business command calls ``charge`` itself."""

    place: Place
    order: Order

    def reads(self) -> list[Read]:
        """The crossing, the lane and the two accounts."""
        return charge_reads(self.place, self.order)

    def decide(self, ws: WorkingSet, now_ms: int) -> Crossing:
        """The crossing."""
        return charge(ws, self.place, self.order, now_ms)


@dataclass(frozen=True, slots=True)
class Receive:
    """Credit what a peer has charged, in the order of its numbers. Make it with ``receive``."""

    payee: Payee
    sender: int
    arrivals: tuple[tuple[Crossing, list[Transfer]], ...]

    def reads(self) -> Iterable[Read]:
        """The lane; for every crossing its transfers, their accounts, and the payee's rows."""
        found: list[Read] = [(LANE, self.sender)]
        for crossing, transfers in self.arrivals:
            found += reads(transfers)
            found += self.payee.reads(crossing)
        return found

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        """How far the lane has come."""
        lane = _lane(ws, self.sender)
        received, refused = lane["received_seq"], lane["refused_seq"]
        for crossing, transfers in self.arrivals:
            if crossing.seq <= received:
                continue
            if crossing.seq != received + 1:
                raise OperatingError("internal", f"shard {self.sender}: a gap after {received}")
            received = crossing.seq
            if not self._is_credited(ws, crossing, transfers, now_ms):
                refused = received
        ws.update(LANE, self.sender, received_seq=received, refused_seq=refused)
        return int(received)

    def _is_credited(
        self, ws: WorkingSet, crossing: Crossing, transfers: list[Transfer], now_ms: int
    ) -> bool:
        mark = ws.mark()
        try:
            if post(ws, transfers, now_ms):
                self.payee.credit(ws, crossing, now_ms)
        except CallerError as refusal:
            ws.undo(mark)
            ws.insert(
                REFUSAL,
                {
                    "sender": self.sender,
                    "seq": crossing.seq,
                    "event_id": crossing.event_id,
                    "code": refusal.code,
                    "at_ms": now_ms,
                },
            )
            return False
        return True


def receive(payee: Payee, sender: int, crossings: Iterable[Crossing]) -> Receive:
    """The command that credits these crossings."""
    return Receive(payee, sender, tuple((one, crossing_credited(one, sender)) for one in crossings))


@dataclass(frozen=True, slots=True)
class Settle:
    """Note how our crossings to a peer ended, and give back what it refused."""

    peer: int
    up_to: int
    refusals: tuple[Refusal, ...]

    def reads(self) -> Iterable[Read]:
        """The lane and the refused crossings."""
        yield LANE, self.peer
        for refusal in self.refusals:
            yield CROSSING, refusal.event_id

    def follow(self, ws: WorkingSet) -> list[Read]:
        """The accounts of those that get their money back."""
        found: list[Read] = []
        for refusal in self.refusals:
            row = ws.get(CROSSING, refusal.event_id)
            if row is not None:
                found += reads(crossing_returned(Crossing(**row)), is_new=True)
        return found

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        """How far our lane is settled. ``OperatingError`` if the peer knows more than we do: then
        this database is older than the peer's, and a person must look."""
        lane = _lane(ws, self.peer)
        settled: int = lane["settled_seq"]
        if self.up_to > lane["sent_seq"]:
            raise OperatingError("internal", f"shard {self.peer} has more than we ever sent")
        for refusal in self.refusals:
            if settled < refusal.seq <= self.up_to:
                row = ws.get(CROSSING, refusal.event_id)
                assert row is not None, "a refusal names a crossing of ours"
                post(ws, crossing_returned(Crossing(**row)), now_ms, is_new=True)
        settled = max(settled, self.up_to)
        ws.update(LANE, self.peer, settled_seq=settled)
        return settled


class PlaceGuard:
    """Refuses a group that posts to an account of another shard. Implements ``Seal``."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def prepare(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002  # the protocol's shape
        """A bug in routing is met here, before anything is written; there is nothing to add."""
        for account_id in _touched(ws.batches(TRANSFER)):
            home = self._place.map.shard_of_account(account_id)
            assert home in (None, self._place.number), f"{account_id} lives on shard {home}"


def seals_of(place: Place) -> tuple[Seal, ...]:
    """What a shard's writer seals its groups with: a chain of its own name. A single shard pays
    for nothing."""
    if place.map.count == 1:
        return (LedgerSeal(),)
    return (PlaceGuard(place), LedgerSeal(f"shard-{place.number}"))


def _touched(batches: Iterable[Sequence[Sequence[Any]]]) -> set[str]:
    return {row[side] for batch in batches for row in batch for side in (_DEBIT, _CREDIT)}


def _lane(ws: WorkingSet, peer: int) -> Row:
    if ws.get(LANE, peer) is None:
        ws.insert(LANE, {"peer": peer})
    lane = ws.get(LANE, peer)
    assert lane is not None
    return lane


def _check(order: Order) -> None:
    chart.account(chart.merchant_pending(order.owner, order.currency))
    if not 0 <= order.fee_minor <= order.amount_minor:
        raise CallerError("amount_invalid", order.event_id)
    if len(order.details) > DETAILS_CHARS_MAX:
        raise CallerError("field_invalid", "details")
