"""HTTP about merchants, for operators. Creating one is the operator room's route."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends

from backend.db.tables import Row
from backend.guard import Guard
from backend.merchants.model import masked_account
from backend.merchants.repository import MerchantRepository
from backend.merchants.schemas import MerchantChange, NewFeePlan, PayoutAccount
from backend.merchants.service import AddFeePlan, ChangeMerchant, ChangePayoutAccount
from backend.payments.services import Services
from protocol.errors import CallerError


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/merchants``: look at them, change them, add a fee plan."""
    repository = MerchantRepository(services.reader)
    routes = APIRouter(
        prefix="/operator/v1/merchants", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.get("")
    async def merchants() -> dict[str, Any]:
        rows = await services.run_read(repository.merchants)
        return {"merchants": [shown_merchant(row) for row in rows]}

    @routes.get("/{merchant_id}")
    async def merchant(merchant_id: str) -> dict[str, Any]:
        row = await services.run_read(lambda: repository.merchant(merchant_id))
        if row is None:
            raise CallerError("merchant_unknown", merchant_id)
        plans = await services.run_read(lambda: repository.fee_plans(merchant_id))
        cycles = await services.run_read(lambda: repository.cycles(merchant_id))
        return {**shown_merchant(row), "fee_plans": plans, "settlement_cycles": cycles}

    @routes.patch("/{merchant_id}")
    async def change(merchant_id: str, body: MerchantChange) -> dict[str, Any]:
        command = ChangeMerchant(
            merchant_id=merchant_id,
            status=body.status,
            notify_url=body.notify_url,
            category_code=body.category_code,
            biometric_above_minor=body.biometric_above_minor,
            settlement_cycle=body.settlement_cycle,
            pending_shards=body.pending_shards,
            business_date=services.rules.business_date,
        )
        return shown_merchant(await services.submit(command))

    @routes.put("/{merchant_id}/payout-account")
    async def change_payout_account(merchant_id: str, body: PayoutAccount) -> dict[str, Any]:
        command = ChangePayoutAccount(merchant_id=merchant_id, **body.model_dump())
        return shown_merchant(await services.submit(command))

    @routes.post("/{merchant_id}/fee-plans", status_code=201)
    async def add_fee_plan(merchant_id: str, body: NewFeePlan) -> dict[str, Any]:
        command = AddFeePlan(
            merchant_id=merchant_id, fee_bounds=services.fee_bounds, **body.model_dump()
        )
        return asdict(await services.submit(command))

    return routes


def shown_merchant(row: Row) -> dict[str, Any]:
    """A merchant as people may see it: the payout account masked."""
    shown = {name: value for name, value in row.items() if name != "payout_account_no"}
    return shown | {"payout_account_masked": masked_account(row["payout_account_no"])}
