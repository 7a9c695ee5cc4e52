"""A merchant's command: a red packet for one payer, of the merchant's settled money (posting rule
18). Who receives it takes it as any other; what is not taken in a day goes back to the merchant.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.disputes.cover import collect, collect_reads
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.merchants.tables import MERCHANT
from backend.payments.model import PaymentRules
from backend.red_packets.limits import (
    GIFT_WISH_CHARS_MAX,
    LIFE_MS,
    SENDER_NAME_CHARS_MAX,
)
from backend.red_packets.model import RedPacketKind, RedPacketState, SenderKind, check_gift
from backend.red_packets.tables import RED_PACKET
from backend.wallet.service import payer_row
from backend.wallet.tables import PAYER
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveRedPacket:
    """A packet under a fresh id; who calls keeps it from being given twice. Answers its row.
    ``merchant_balance_short`` where the settled money does not cover it, once the merchant has
    repaid what it owes us."""

    red_packet_id: str
    merchant_id: str
    receiver_id: str
    amount_minor: int
    currency: str
    sender_name: str
    wish: str
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [
            (MERCHANT, self.merchant_id),
            (PAYER, self.receiver_id),
            *ledger.reads(self._transfers(""), is_new=True),
            *collect_reads(self.merchant_id, self.currency),
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        self._check(ws)
        date = self.rules.business_date(now_ms)
        event = posting.Event(f"{self.red_packet_id}.cover", self.currency, date)
        collect(ws, event, self.merchant_id, now_ms)
        ledger.post(ws, self._transfers(date), now_ms, is_new=True)
        ws.insert(
            RED_PACKET,
            {
                "red_packet_id": self.red_packet_id,
                "sender_id": self.merchant_id,
                "sender_kind": SenderKind.MERCHANT.value,
                "sender_name": self.sender_name,
                "receiver_id": self.receiver_id,
                "kind": RedPacketKind.EQUAL.value,
                "total_minor": self.amount_minor,
                "share_count": 1,
                "currency": self.currency,
                "wish": self.wish,
                "shares": json.dumps([self.amount_minor]),
                "left_minor": self.amount_minor,
                "left_count": 1,
                "state": RedPacketState.OPEN.value,
                "created_at_ms": now_ms,
                "expires_at_ms": now_ms + LIFE_MS,
            },
        )
        row = ws.get(RED_PACKET, self.red_packet_id)
        assert row is not None
        return row

    def _check(self, ws: WorkingSet) -> None:
        check_gift(self.amount_minor)
        if len(self.wish) > GIFT_WISH_CHARS_MAX or len(self.sender_name) > SENDER_NAME_CHARS_MAX:
            raise CallerError("field_invalid", "wish or name")
        merchant = ws.get(MERCHANT, self.merchant_id)
        if merchant is None or merchant["status"] != "active":
            raise CallerError("merchant_unknown", self.merchant_id)
        if payer_row(ws, self.receiver_id)["status"] != "active":
            raise CallerError("payer_frozen")

    def _transfers(self, date: str) -> list[Transfer]:
        event = posting.Event(self.red_packet_id, self.currency, date)
        return posting.merchant_packet_sent(
            event, merchant_id=self.merchant_id, amount_minor=self.amount_minor
        )
