"""``/v3/profitsharing``: what a merchant earned of an order goes to several."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query

from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import SERIAL_CHARS_MAX, SHARE_NUMBER_CHARS_MAX
from backend.merchant_api.partners.desk import Appointments
from backend.merchant_api.sharing.desk import SharingDesk
from backend.merchant_api.sharing.schemas import (
    NewReceiver,
    NewReturn,
    NewRound,
    OldReceiver,
    Unfreeze,
)
from backend.merchant_api.wire.gate import caller_of

_Caller = Annotated[Account, Depends(caller_of)]
_Serial = Annotated[str, Header(alias="Wechatpay-Serial", max_length=SERIAL_CHARS_MAX)]
_Number = Annotated[str, Path(min_length=1, max_length=SHARE_NUMBER_CHARS_MAX)]
_Order = Annotated[str, Query(min_length=1, max_length=SHARE_NUMBER_CHARS_MAX)]
_Transaction = Annotated[str, Query(min_length=1, max_length=32)]
_SubMchId = Annotated[str | None, Query(min_length=1, max_length=32)]
_MchId = Annotated[str, Path(min_length=1, max_length=32)]


def add_routes(routes: APIRouter, desk: SharingDesk, appointments: Appointments) -> None:
    """Share, release, give back, look; and who may receive."""

    @routes.post("/profitsharing/orders")
    async def share(caller: _Caller, body: NewRound, serial: _Serial = "") -> dict[str, Any]:
        actor = await appointments.acting(caller, body.sub_mchid)
        return await desk.share(actor, body, serial)

    @routes.post("/profitsharing/orders/unfreeze")
    async def unfreeze(caller: _Caller, body: Unfreeze) -> dict[str, Any]:
        actor = await appointments.acting(caller, body.sub_mchid)
        return await desk.unfreeze(actor, body)

    @routes.get("/profitsharing/orders/{out_order_no}")
    async def by_number(
        caller: _Caller,
        out_order_no: _Number,
        transaction_id: _Transaction,
        sub_mchid: _SubMchId = None,
    ) -> dict[str, Any]:
        actor = await appointments.acting(caller, sub_mchid)
        return await desk.round(actor, out_order_no, transaction_id)

    @routes.post("/profitsharing/return-orders")
    async def give_back(caller: _Caller, body: NewReturn) -> dict[str, Any]:
        actor = await appointments.acting(caller, body.sub_mchid)
        return await desk.give_back(actor, body)

    @routes.get("/profitsharing/return-orders/{out_return_no}")
    async def returned(
        caller: _Caller, out_return_no: _Number, out_order_no: _Order, sub_mchid: _SubMchId = None
    ) -> dict[str, Any]:
        actor = await appointments.acting(caller, sub_mchid)
        return await desk.returned(actor, out_return_no, out_order_no)

    @routes.get("/profitsharing/transactions/{transaction_id}/amounts")
    async def left(caller: _Caller, transaction_id: _Number) -> dict[str, Any]:
        actor = await appointments.acting(caller, await desk.sold_for(caller, transaction_id))
        return await desk.left(actor, transaction_id)

    @routes.get("/profitsharing/merchant-configs/{mchid}")
    async def most(caller: _Caller, mchid: _MchId) -> dict[str, Any]:  # noqa: ARG001  # must be one
        return desk.most(mchid)

    @routes.post("/profitsharing/receivers/add")
    async def add(caller: _Caller, body: NewReceiver, serial: _Serial = "") -> dict[str, Any]:
        actor = await appointments.acting(caller, body.sub_mchid)
        return await desk.add(actor, body, serial)

    @routes.post("/profitsharing/receivers/delete")
    async def remove(caller: _Caller, body: OldReceiver) -> dict[str, Any]:
        actor = await appointments.acting(caller, body.sub_mchid)
        return await desk.remove(actor, body)
