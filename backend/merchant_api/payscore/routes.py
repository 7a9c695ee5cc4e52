"""``/v3/payscore/serviceorder``: services paid when they are done; and the payer's side."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from backend.mandates.schemas import Signature
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import (
    APPID_CHARS_MAX,
    CONTRACT_CODE_CHARS_MAX,
    MANDATE_ID_CHARS_MAX,
    OPENID_CHARS_MAX,
    OUT_ORDER_NO_CHARS_MAX,
)
from backend.merchant_api.payscore.desk import ServiceDesk
from backend.merchant_api.payscore.permissions import PermissionDesk
from backend.merchant_api.payscore.schemas import (
    Cancel,
    Complete,
    EndPermission,
    Modify,
    NewPermission,
    NewService,
    OfService,
    ServiceId,
    Sync,
)
from backend.merchant_api.wire.gate import caller_of
from backend.payments.services import Services
from backend.wallet.desk import WalletDesk
from backend.wallet.routes import bearer_token

_Caller = Annotated[Account, Depends(caller_of)]
_Number = Annotated[str, Path(min_length=1, max_length=OUT_ORDER_NO_CHARS_MAX)]
_OutOrderNo = Annotated[str, Query(min_length=1, max_length=OUT_ORDER_NO_CHARS_MAX)]
_ServiceId = Annotated[str, Query(min_length=1, max_length=32)]
_AppId = Annotated[str, Query(min_length=1, max_length=APPID_CHARS_MAX)]
_OrderId = Annotated[str, Path(min_length=1, max_length=MANDATE_ID_CHARS_MAX)]
_Code = Annotated[str, Path(min_length=1, max_length=CONTRACT_CODE_CHARS_MAX)]
_OpenId = Annotated[str, Path(min_length=1, max_length=OPENID_CHARS_MAX)]
_Service = Annotated[ServiceId, Query()]
_BY_CODE = "/payscore/permissions/authorization-code/{code}"
_BY_OPENID = "/payscore/permissions/openid/{openid}"
_ORDERS = "/payscore/serviceorder"
_ORDER = _ORDERS + "/{out_order_no}"


def add_routes(routes: APIRouter, desk: ServiceDesk) -> None:
    """Ask, look, give up, complete, collect; and the permissions to begin without asking."""
    _add_permissions(routes, desk.permissions)

    @routes.post(_ORDERS)
    async def create(caller: _Caller, body: NewService) -> dict[str, Any]:
        order = await desk.create(caller, body)
        return order | {"package": urlencode({"order_id": order["order_id"]})}

    @routes.get(_ORDERS)
    async def by_number(
        caller: _Caller, out_order_no: _OutOrderNo, service_id: _ServiceId, appid: _AppId
    ) -> dict[str, Any]:
        return await desk.query(caller, out_order_no, service_id=service_id, appid=appid)

    @routes.post(_ORDER + "/cancel")
    async def cancel(caller: _Caller, out_order_no: _Number, body: Cancel) -> dict[str, Any]:
        return await desk.cancel(caller, out_order_no, body)

    @routes.post(_ORDER + "/complete")
    async def complete(caller: _Caller, out_order_no: _Number, body: Complete) -> dict[str, Any]:
        return await desk.complete(caller, out_order_no, body)

    @routes.post(_ORDER + "/modify")
    async def modify(caller: _Caller, out_order_no: _Number, body: Modify) -> dict[str, Any]:
        return await desk.modify(caller, out_order_no, body)

    @routes.post(_ORDER + "/pay")
    async def pay(caller: _Caller, out_order_no: _Number, body: OfService) -> dict[str, Any]:
        return await desk.pay(caller, out_order_no, body)

    @routes.post(_ORDER + "/sync")
    async def sync(caller: _Caller, out_order_no: _Number, body: Sync) -> dict[str, Any]:
        return await desk.sync(caller, out_order_no, body)


def _add_permissions(routes: APIRouter, desk: PermissionDesk) -> None:
    """Ask for a payer's permission, look, give it back."""

    @routes.post("/payscore/permissions")
    async def apply(caller: _Caller, body: NewPermission) -> dict[str, str]:
        return {"apply_permissions_token": await desk.apply(caller, body)}

    @routes.get(_BY_CODE)
    async def by_code(caller: _Caller, code: _Code, service_id: _Service) -> dict[str, Any]:
        return await desk.by_code(caller, code, service_id)

    @routes.post(_BY_CODE + "/terminate", status_code=204)
    async def end(caller: _Caller, code: _Code, body: EndPermission) -> Response:
        await desk.end(caller, code, body)
        return Response(status_code=204)

    @routes.get(_BY_OPENID)
    async def by_openid(caller: _Caller, openid: _OpenId, service_id: _Service) -> dict[str, Any]:
        return await desk.by_openid(caller, openid, service_id)

    @routes.post(_BY_OPENID + "/terminate", status_code=204)
    async def end_of_openid(caller: _Caller, openid: _OpenId, body: EndPermission) -> Response:
        await desk.end_of_openid(caller, openid, body)
        return Response(status_code=204)


def add_wallet_routes(routes: APIRouter, services: Services, desk: ServiceDesk) -> None:
    """``/wallet/v1/services``: see and agree."""
    wallet = WalletDesk(services)

    async def payer_of(request: Request) -> str:
        return await wallet.authenticate(bearer_token(request))

    payer = Annotated[str, Depends(payer_of)]

    @routes.get("/services")
    async def services_of_payer(payer_id: payer) -> dict[str, Any]:
        return {"services": await desk.of_payer(payer_id)}

    @routes.get("/services/{order_id}")
    async def service(payer_id: payer, order_id: _OrderId) -> dict[str, Any]:
        return await desk.shown_to(payer_id, order_id)

    @routes.post("/services/{order_id}/confirm")
    async def confirm(payer_id: payer, order_id: _OrderId, body: Signature) -> dict[str, Any]:
        return await desk.confirm(payer_id, order_id, body)
