"""``/v3/papay``: contracts of merchants' programs; and the payer's and the operator's side."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from backend.guard import Guard
from backend.mandates.schemas import Signature
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import (
    CONTRACT_CODE_CHARS_MAX,
    MANDATE_ID_CHARS_MAX,
    OUT_TRADE_NO_CHARS_MAX,
)
from backend.merchant_api.orders.desk import OrderDesk
from backend.merchant_api.papay.desk import ContractDesk
from backend.merchant_api.papay.model import sign_page
from backend.merchant_api.papay.schemas import (
    NewContract,
    NewDebit,
    NewDebitNotice,
    NewPlan,
    Termination,
)
from backend.merchant_api.wire.gate import caller_of
from backend.payments.services import Services
from backend.wallet.desk import WalletDesk
from backend.wallet.routes import bearer_token

_Caller = Annotated[Account, Depends(caller_of)]
_PlanId = Annotated[int, Path(gt=0, le=2**63 - 1)]
_Code = Annotated[str, Path(min_length=1, max_length=CONTRACT_CODE_CHARS_MAX)]
_ContractId = Annotated[str, Path(min_length=1, max_length=MANDATE_ID_CHARS_MAX)]
_Number = Annotated[str, Path(min_length=1, max_length=OUT_TRADE_NO_CHARS_MAX)]
_MchId = Annotated[str, Query(min_length=1, max_length=32)]
_MINI_PROGRAM, _MINI_PATH = "gh_papay", "pages/sign"
_CONTRACT = "/papay/sign/contracts/plan-id/{plan_id}/out-contract-code/{out_contract_code}"


def add_routes(routes: APIRouter, desk: ContractDesk, orders: OrderDesk) -> None:
    """Propose, look, end, announce, debit."""

    @routes.post("/papay/sign/contracts/pre-entrust-sign")
    async def propose(caller: _Caller, body: NewContract) -> dict[str, str]:
        contract = await desk.propose(caller, body)
        return opening(contract["contract_id"], is_app=body.sign_scene == "SIGN_SCENE_APP")

    @routes.get(_CONTRACT)
    async def by_code(
        caller: _Caller, plan_id: _PlanId, out_contract_code: _Code
    ) -> dict[str, Any]:
        return await desk.by_code(caller, plan_id, out_contract_code)

    @routes.post(_CONTRACT + "/terminate", status_code=204)
    async def terminate(
        caller: _Caller, plan_id: _PlanId, out_contract_code: _Code, body: Termination
    ) -> Response:
        remark = body.contract_termination_remark
        await desk.terminate(caller, plan_id, out_contract_code, remark)
        return Response(status_code=204)

    @routes.post("/papay/contracts/{contract_id}/notify", status_code=204)
    async def announce(caller: _Caller, contract_id: _ContractId, body: NewDebitNotice) -> Response:
        await desk.announce(caller, contract_id, body)
        return Response(status_code=204)

    @routes.post("/papay/pay/transactions/apply")
    async def debit(caller: _Caller, body: NewDebit) -> dict[str, Any]:
        order = await desk.debit(caller, body)
        return {
            "appid": order["appid"],
            "mchid": order["mchid"],
            "out_trade_no": order["out_trade_no"],
            "amount": body.amount.model_dump(),
        }

    @routes.get("/papay/pay/transactions/out-trade-no/{out_trade_no}")
    async def debit_by_number(
        caller: _Caller, out_trade_no: _Number, mchid: _MchId
    ) -> dict[str, Any]:
        return await orders.by_number(caller, out_trade_no, mchid)

    @routes.get("/papay/pay/transactions/id/{transaction_id}")
    async def debit_by_id(
        caller: _Caller, transaction_id: _Number, mchid: _MchId
    ) -> dict[str, Any]:
        return await orders.by_transaction(caller, transaction_id, mchid)


def opening(contract_id: str, *, is_app: bool) -> dict[str, str]:
    """What opens the payer's wallet at a proposal: from an app, or by a code that is scanned."""
    found = {"pre_entrustweb_id": contract_id}
    if is_app:
        path = f"{_MINI_PATH}?{urlencode(found)}"
        return found | {"mini_program_username": _MINI_PROGRAM, "mini_program_path": path}
    return found | {"redirect_url": sign_page(contract_id)}


def add_wallet_routes(routes: APIRouter, services: Services, desk: ContractDesk) -> None:
    """``/wallet/v1/contracts``: see and sign. A signed one is stopped as its mandate is."""
    wallet = WalletDesk(services)

    async def payer_of(request: Request) -> str:
        return await wallet.authenticate(bearer_token(request))

    payer = Annotated[str, Depends(payer_of)]

    @routes.get("/contracts")
    async def contracts(payer_id: payer) -> dict[str, Any]:
        return {"contracts": await desk.of_payer(payer_id)}

    @routes.get("/contracts/{contract_id}")
    async def contract(payer_id: payer, contract_id: _ContractId) -> dict[str, Any]:
        return await desk.shown_to(payer_id, contract_id)

    @routes.post("/contracts/{contract_id}/sign")
    async def sign(payer_id: payer, contract_id: _ContractId, body: Signature) -> dict[str, Any]:
        return await desk.sign(payer_id, contract_id, body)


def operator_router(desk: ContractDesk, operator_only: Guard) -> APIRouter:
    """``/operator/v1/merchant-api/plans``: operators say on which terms a merchant may ask."""
    routes = APIRouter(
        prefix="/operator/v1/merchant-api",
        tags=["operator"],
        dependencies=[Depends(operator_only)],
    )

    @routes.post("/plans", status_code=201)
    async def add_plan(body: NewPlan) -> dict[str, Any]:
        return await desk.add_plan(body)

    return routes
