"""``/v3/refund/domestic/refunds``: giving orders' money back."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query

from backend.merchant_api.keys.desk import Account
from backend.merchant_api.keys.fields import opened
from backend.merchant_api.keys.ring import KeyRing
from backend.merchant_api.limits import OUT_REFUND_NO_CHARS_MAX, SERIAL_CHARS_MAX
from backend.merchant_api.partners.desk import Appointments
from backend.merchant_api.refunds.desk import RefundDesk
from backend.merchant_api.refunds.schemas import NewRefund, Settle
from backend.merchant_api.wire.asked import NUMBER_IN_PATH
from backend.merchant_api.wire.gate import caller_of

_Number = Annotated[
    str, Path(pattern=NUMBER_IN_PATH, min_length=1, max_length=OUT_REFUND_NO_CHARS_MAX)
]
_Serial = Annotated[str, Header(alias="Wechatpay-Serial", max_length=SERIAL_CHARS_MAX)]
_SubMchId = Annotated[str | None, Query(min_length=1, max_length=32)]
_Caller = Annotated[Account, Depends(caller_of)]


def add_routes(
    routes: APIRouter, desk: RefundDesk, ring: KeyRing, appointments: Appointments
) -> None:
    """Ask for a refund, and how it stands; settle one that the payer's bank has refused."""

    @routes.post("/refund/domestic/refunds")
    async def create(caller: _Caller, body: NewRefund) -> dict[str, Any]:
        return await desk.create(await appointments.acting(caller, body.sub_mchid), body)

    @routes.post("/refund/domestic/refunds/{refund_id}/apply-abnormal-refund")
    async def settle(
        caller: _Caller, refund_id: _Number, body: Settle, serial: _Serial = ""
    ) -> dict[str, Any]:
        names = {}
        if body.bank_account is not None and body.real_name is not None:
            await opened(ring, caller.suite, serial, body.bank_account, "/bank_account")
            names["real_name"] = await opened(
                ring, caller.suite, serial, body.real_name, "/real_name"
            )
        actor = await appointments.acting(caller, body.sub_mchid)
        return await desk.settle(actor, refund_id, body, **names)

    @routes.get("/refund/domestic/refunds/{out_refund_no}")
    async def by_number(
        caller: _Caller, out_refund_no: _Number, sub_mchid: _SubMchId = None
    ) -> dict[str, Any]:
        return await desk.by_number(await appointments.acting(caller, sub_mchid), out_refund_no)
