"""The withdrawals' command.

Rule 1: the money goes to the merchant's own filed account and to no other.
Rule 2: a refused withdrawal leaves nothing behind, so the same number may be tried again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.clearing.payouts import PayOut, start_withdrawal, withdrawal_reads
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchant_api.faults import NO_AUTH, NOT_ENOUGH, RE_ENTRY, ApiError
from backend.merchant_api.funds.tables import API_WITHDRAWAL
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawFunds:
    """Pay settled money out to the merchant. Answers what is kept of it."""

    payout: PayOut
    """With a fresh id, which goes unused if the number is known."""
    mchid: str
    out_request_no: str
    remark: str
    bank_memo: str
    content_hash: bytes

    def reads(self) -> Iterable[Read]:
        number = (self.mchid, self.out_request_no)
        return [(API_WITHDRAWAL, number), *withdrawal_reads(self.payout)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(API_WITHDRAWAL, (self.mchid, self.out_request_no))
        if known is not None:
            if known["content_hash"] != self.content_hash:
                raise ApiError(RE_ENTRY, "商户提现单号重复，且参数与原请求不一致")
            return known
        try:
            start_withdrawal(ws, self.payout, now_ms)
        except CallerError as error:
            if error.code == "merchant_balance_short":
                raise ApiError(NOT_ENOUGH, "商户可用余额不足") from None
            if error.code == "destination_not_allowed":
                raise ApiError(NO_AUTH, "商户结算账户未备案") from None
            raise
        row = {
            "mchid": self.mchid,
            "out_request_no": self.out_request_no,
            "payout_id": self.payout.payout_id,
            "remark": self.remark,
            "bank_memo": self.bank_memo,
            "content_hash": self.content_hash,
            "created_at_ms": now_ms,
        }
        ws.insert(API_WITHDRAWAL, row)
        return row
