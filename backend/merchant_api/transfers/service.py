"""The transfers' command.

Rule: a number means one transfer; a refused one leaves nothing behind, so that the same number may
      be tried again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchant_api.faults import (
    NOT_ENOUGH,
    OPENID_MISMATCH,
    RE_ENTRY,
    ApiError,
    wrong_field,
)
from backend.merchant_api.orders.model import transaction_number
from backend.merchant_api.payers.tables import OPENID
from backend.merchant_api.transfers.tables import API_TRANSFER
from backend.merchant_transfers.service import MakeTransfer
from backend.merchant_transfers.tables import MERCHANT_TRANSFER
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferByProgram:
    """Make a transfer under a merchant's number. Answers what is kept of it and the transfer."""

    make: MakeTransfer
    """With a fresh id, which goes unused if the number is known, and no receiver yet."""
    mchid: str
    out_bill_no: str
    appid: str
    openid: str
    scene_id: str
    content_hash: bytes

    def reads(self) -> Iterable[Read]:
        return [(API_TRANSFER, (self.mchid, self.out_bill_no)), (OPENID, self.openid)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        known = ws.get(API_TRANSFER, (self.mchid, self.out_bill_no))
        if known is not None:
            return [(MERCHANT_TRANSFER, known["transfer_id"])]
        payer = ws.get(OPENID, self.openid)
        return [] if payer is None else self._to(payer).reads()

    def decide(self, ws: WorkingSet, now_ms: int) -> tuple[Row, Row]:
        known = ws.get(API_TRANSFER, (self.mchid, self.out_bill_no))
        if known is not None:
            if known["content_hash"] != self.content_hash:
                raise ApiError(RE_ENTRY, "商户单号重复，且参数与原请求不一致")
            transfer = ws.get(MERCHANT_TRANSFER, known["transfer_id"])
            assert transfer is not None, "transfers are never removed"
            return known, transfer
        payer = ws.get(OPENID, self.openid)
        if payer is None:
            raise wrong_field("/openid", "无效的 openid")
        if payer["appid"] != self.appid:
            raise ApiError(OPENID_MISMATCH)
        try:
            transfer = self._to(payer).decide(ws, now_ms)
        except CallerError as error:
            if error.code == "merchant_balance_short":
                raise ApiError(NOT_ENOUGH, "商户可用余额不足") from None
            raise
        said = {
            "mchid": self.mchid,
            "out_bill_no": self.out_bill_no,
            "transfer_id": self.make.transfer_id,
            "number": transaction_number("1330000071100", self.make.transfer_id, now_ms),
            "appid": self.appid,
            "openid": self.openid,
            "scene_id": self.scene_id,
            "content_hash": self.content_hash,
            "created_at_ms": now_ms,
        }
        ws.insert(API_TRANSFER, said)
        return said, transfer

    def _to(self, payer: Row) -> MakeTransfer:
        return replace(self.make, receiver_id=payer["payer_id"])
