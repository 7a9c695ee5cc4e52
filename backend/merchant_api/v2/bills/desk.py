"""A day's bills by XML: asked for and downloaded in one call; the papers are the newer
interface's, byte for byte.
"""

from collections.abc import Mapping

from backend.bills.service import SpooledPaper
from backend.merchant_api.bills.desk import MerchantBills
from backend.merchant_api.faults import (
    NO_AUTH,
    NO_STATEMENT_EXIST,
    STATEMENT_CREATING,
    ApiError,
    Fault,
)
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.orders.engine import Engine
from backend.merchant_api.v2.bills.schemas import DownloadBill, DownloadFundFlow
from backend.merchant_api.v2.faults import (
    BILL_CREATING,
    NO_BILL_EXIST,
    SIGNERROR,
    V2Error,
    V2Fault,
)
from backend.merchant_api.v2.gate import File
from backend.merchant_api.v2.signing import SignType
from backend.merchant_api.wire.files import gzipped

_FAULTS: Mapping[Fault, V2Fault] = {
    NO_STATEMENT_EXIST: NO_BILL_EXIST,
    STATEMENT_CREATING: BILL_CREATING,
}
_NONE_NOW = {"error_code": "20002"}


class V2BillDesk:
    """Serves merchants' programs. One per process."""

    def __init__(self, bills: MerchantBills, engine: Engine) -> None:
        self._bills = bills
        self._engine = engine

    async def trade(self, account: Account, wanted: DownloadBill) -> File:
        """The trade bill."""
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.appid)
        try:
            paper = await self._bills.trade(account, wanted.bill_date, wanted.bill_type)
        except ApiError as error:
            raise _older(error) from error
        return _file(paper, wanted.tar_type)

    async def fund_flow(self, account: Account, wanted: DownloadFundFlow) -> File:
        """The fund-flow bill."""
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.appid)
        if wanted.sign_type is not SignType.HMAC_SHA256:
            raise V2Error(SIGNERROR, "sign_type: HMAC-SHA256")
        if account.sub_mchid:  # who sells for a merchant does not see what else it earns
            raise ApiError(NO_AUTH, "服务商不能下载特约商户的资金账单")
        try:
            if wanted.account_type != "Basic":
                raise ApiError(NO_STATEMENT_EXIST)
            paper = await self._bills.fund_flow(account, wanted.bill_date, "BASIC")
        except ApiError as error:
            raise _older(error) from error
        return _file(paper, wanted.tar_type)


def _older(error: ApiError) -> ApiError | V2Error:
    fault = _FAULTS.get(error.fault)
    return error if fault is None else V2Error(fault, more=_NONE_NOW)


def _file(paper: SpooledPaper, packing: str | None) -> File:
    """``Digest`` is of the bytes before they are packed."""
    is_packed = packing is not None
    return File(
        chunks=gzipped(paper.chunks()) if is_packed else paper.chunks(),
        media_type="application/gzip" if is_packed else "text/plain; charset=utf-8",
        headers={"Digest": f"SHA={paper.sha1}"},
    )
