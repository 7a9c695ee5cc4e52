"""``/v3/fund-app/mch-transfer/transfer-bills``: money for payers."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path

from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import OUT_BILL_NO_CHARS_MAX, SERIAL_CHARS_MAX
from backend.merchant_api.transfers.desk import TransferDesk
from backend.merchant_api.transfers.schemas import NewTransfer
from backend.merchant_api.wire.gate import caller_of

_Caller = Annotated[Account, Depends(caller_of)]
_Serial = Annotated[str, Header(alias="Wechatpay-Serial", max_length=SERIAL_CHARS_MAX)]
_Number = Annotated[str, Path(min_length=1, max_length=OUT_BILL_NO_CHARS_MAX)]
_BillNumber = Annotated[str, Path(min_length=1, max_length=64)]
_BILLS = "/fund-app/mch-transfer/transfer-bills"


def add_routes(routes: APIRouter, desk: TransferDesk) -> None:
    """Make one, give it up, ask how it stands."""

    @routes.post(_BILLS)
    async def make(caller: _Caller, body: NewTransfer, serial: _Serial = "") -> dict[str, str]:
        return await desk.make(caller, body, serial)

    @routes.post(_BILLS + "/out-bill-no/{out_bill_no}/cancel")
    async def cancel(caller: _Caller, out_bill_no: _Number) -> dict[str, str]:
        return await desk.cancel(caller, out_bill_no)

    @routes.get(_BILLS + "/out-bill-no/{out_bill_no}")
    async def by_number(caller: _Caller, out_bill_no: _Number) -> dict[str, Any]:
        return await desk.by_number(caller, out_bill_no)

    @routes.get(_BILLS + "/transfer-bill-no/{transfer_bill_no}")
    async def by_bill(caller: _Caller, transfer_bill_no: _BillNumber) -> dict[str, Any]:
        return await desk.by_bill(caller, transfer_bill_no)
