"""The red packets' command.

Rule: a number means one packet; a refused one leaves nothing behind, so that the same number may be
      tried again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchant_api.orders.model import transaction_number
from backend.merchant_api.v2.faults import FATAL_ERROR, V2Error
from backend.merchant_api.v2.red_packets.tables import API_RED_PACKET
from backend.red_packets.giving import GiveRedPacket


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveByProgram:
    """Give a red packet under a merchant's number. Answers what is kept of it."""

    give: GiveRedPacket
    """With a fresh id, which goes unused if the number is known."""
    mchid: str
    mch_billno: str
    openid: str
    act_name: str
    remark: str
    content_hash: bytes

    def reads(self) -> Iterable[Read]:
        return [(API_RED_PACKET, (self.mchid, self.mch_billno)), *self.give.reads()]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(API_RED_PACKET, (self.mchid, self.mch_billno))
        if known is not None:
            if known["content_hash"] != self.content_hash:
                raise V2Error(FATAL_ERROR)
            return known
        self.give.decide(ws, now_ms)
        row = {
            "mchid": self.mchid,
            "mch_billno": self.mch_billno,
            "red_packet_id": self.give.red_packet_id,
            "number": transaction_number("10000", self.give.red_packet_id, now_ms),
            "openid": self.openid,
            "act_name": self.act_name,
            "remark": self.remark,
            "content_hash": self.content_hash,
            "created_at_ms": now_ms,
        }
        ws.insert(API_RED_PACKET, row)
        return row
