"""Red packets' commands (posting rule 18). Each is safe to repeat.

Rule 1: the money leaves the sender's balance when the packet is sent, and stands in one account of
        client money until it is claimed or goes back.
Rule 2: a payer claims once. The same claim again gets the same share.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.payments.model import PaymentRules
from backend.red_packets.limits import LIFE_MS, WISH_CHARS_MAX
from backend.red_packets.model import (
    TRANSITIONS,
    RedPacketKind,
    RedPacketState,
    RedPacketStep,
    SenderKind,
    check_split,
    split,
)
from backend.red_packets.tables import CLAIM, RED_PACKET
from backend.wallet.service import payer_row
from backend.wallet.tables import PAYER
from protocol.errors import CallerError
from protocol.ids import is_id
from protocol.money import positive


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRedPacket:
    """Put money into a red packet. The wallet mints the id: the same content again changes nothing.
    ``seed`` cuts a lucky packet; the first one counts. Answers the packet's row."""

    red_packet_id: str
    sender_id: str
    kind: RedPacketKind
    total_minor: int
    share_count: int
    currency: str
    wish: str
    seed: bytes = field(repr=False)
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [
            (RED_PACKET, self.red_packet_id),
            (PAYER, self.sender_id),
            *ledger.reads(self._transfers(""), is_new=True),
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        content = {
            "sender_id": self.sender_id,
            "kind": self.kind.value,
            "total_minor": self.total_minor,
            "share_count": self.share_count,
            "currency": self.currency,
            "wish": self.wish,
        }
        known = ws.get(RED_PACKET, self.red_packet_id)
        if known is not None:
            if any(known[name] != value for name, value in content.items()):
                raise CallerError("idempotency_conflict", "red_packet_id")
            return known
        self._check(ws)
        ledger.post(ws, self._transfers(self.rules.business_date(now_ms)), now_ms, is_new=True)
        shares = split(self.total_minor, self.share_count, self.kind, seed=self.seed)
        ws.insert(
            RED_PACKET,
            {
                **content,
                "red_packet_id": self.red_packet_id,
                "shares": json.dumps(shares, separators=(",", ":")),
                "left_minor": self.total_minor,
                "left_count": self.share_count,
                "state": RedPacketState.OPEN.value,
                "created_at_ms": now_ms,
                "expires_at_ms": now_ms + LIFE_MS,
            },
        )
        row = ws.get(RED_PACKET, self.red_packet_id)
        assert row is not None
        return row

    def _check(self, ws: WorkingSet) -> None:
        if not is_id(self.red_packet_id, prefix="rpk"):
            raise CallerError("id_invalid", "red_packet_id")
        if len(self.wish) > WISH_CHARS_MAX:
            raise CallerError("field_invalid", "wish")
        positive(self.total_minor, self.currency)
        check_split(self.total_minor, self.share_count)
        if payer_row(ws, self.sender_id)["status"] != "active":
            raise CallerError("payer_frozen")

    def _transfers(self, date: str) -> list[Transfer]:
        event = posting.Event(self.red_packet_id, self.currency, date)
        return posting.red_packet_sent(event, user_id=self.sender_id, amount_minor=self.total_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRedPacket:
    """Take the next share. Answers the claim's row."""

    red_packet_id: str
    payer_id: str
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        claim = (self.red_packet_id, self.payer_id)
        return [(RED_PACKET, self.red_packet_id), (PAYER, self.payer_id), (CLAIM, claim)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        packet = ws.get(RED_PACKET, self.red_packet_id)
        if packet is None:
            return []
        return ledger.reads(self._transfers(packet, 1, 1, ""), is_new=True)

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        packet = ws.get(RED_PACKET, self.red_packet_id)
        if packet is None or packet["receiver_id"] not in {None, self.payer_id}:
            raise CallerError("red_packet_not_found", self.red_packet_id)
        claimed = ws.get(CLAIM, (self.red_packet_id, self.payer_id))
        if claimed is not None:
            return claimed
        self._check(ws, packet, now_ms)
        number = packet["share_count"] - packet["left_count"] + 1
        amount_minor: int = json.loads(packet["shares"])[number - 1]
        date = self.rules.business_date(now_ms)
        transfers = self._transfers(packet, number, amount_minor, date)
        ledger.post(ws, transfers, now_ms, is_new=True)
        packet = ws.update(
            RED_PACKET,
            self.red_packet_id,
            left_minor=packet["left_minor"] - amount_minor,
            left_count=packet["left_count"] - 1,
        )
        if not packet["left_count"]:
            _end(ws, packet, RedPacketStep.TAKE_LAST, now_ms)
        row = {
            "red_packet_id": self.red_packet_id,
            "payer_id": self.payer_id,
            "number": number,
            "amount_minor": amount_minor,
            "at_ms": now_ms,
        }
        ws.insert(CLAIM, row)
        return row

    def _check(self, ws: WorkingSet, packet: Row, now_ms: int) -> None:
        if payer_row(ws, self.payer_id)["status"] != "active":
            raise CallerError("payer_frozen")
        if packet["share_count"] == 1 and packet["sender_id"] == self.payer_id:
            raise CallerError("red_packet_own")
        if packet["state"] == RedPacketState.TAKEN:
            raise CallerError("red_packet_taken")
        if packet["state"] != RedPacketState.OPEN or now_ms >= packet["expires_at_ms"]:
            raise CallerError("red_packet_expired")

    def _transfers(self, packet: Row, number: int, amount_minor: int, date: str) -> list[Transfer]:
        event = posting.Event(f"{self.red_packet_id}.{number}", packet["currency"], date)
        return posting.red_packet_claimed(event, user_id=self.payer_id, amount_minor=amount_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireRedPacket:
    """The clock's command: a packet's time is over, what is left goes back to its sender. Answers
    whether it went back now."""

    red_packet_id: str
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(RED_PACKET, self.red_packet_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        packet = ws.get(RED_PACKET, self.red_packet_id)
        return ledger.reads(_returned(packet, ""), is_new=True) if packet else []

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        packet = ws.get(RED_PACKET, self.red_packet_id)
        if packet is None or packet["state"] != RedPacketState.OPEN:
            return False
        if now_ms < packet["expires_at_ms"]:
            return False
        date = self.rules.business_date(now_ms)
        ledger.post(ws, _returned(packet, date), now_ms, is_new=True)
        _end(ws, packet, RedPacketStep.EXPIRE, now_ms)
        return True


def _returned(packet: Row, date: str) -> list[Transfer]:
    event = posting.Event(f"{packet['red_packet_id']}.expired", packet["currency"], date)
    sender_id, left_minor = packet["sender_id"], packet["left_minor"]
    if packet["sender_kind"] == SenderKind.MERCHANT:
        return posting.merchant_packet_expired(
            event, merchant_id=sender_id, amount_minor=left_minor
        )
    return posting.red_packet_expired(event, user_id=sender_id, amount_minor=left_minor)


def _end(ws: WorkingSet, packet: Row, step: RedPacketStep, now_ms: int) -> None:
    """What is left stays in the row: of a returned packet, it is what went back."""
    state = TRANSITIONS[RedPacketState(packet["state"]), step]
    ws.update(RED_PACKET, packet["red_packet_id"], state=state.value, ended_at_ms=now_ms)
