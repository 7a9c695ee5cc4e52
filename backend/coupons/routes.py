"""HTTP about coupons: operators issue and void them, payers see them and choose one."""

from typing import Any

from fastapi import APIRouter, Depends

from backend.coupons.model import CouponState
from backend.coupons.repository import CouponRepository
from backend.coupons.schemas import ChosenCoupon, NewCoupon
from backend.coupons.service import ChooseCoupon, IssueCoupon, VoidCoupon
from backend.db.tables import Row
from backend.guard import Guard
from backend.payments.services import Services
from backend.wallet.repository import WalletRepository
from protocol.errors import CallerError

_HIDDEN = frozenset({"event_count"})


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/coupons``."""
    coupons = CouponRepository(services.reader)
    routes = APIRouter(
        prefix="/operator/v1/coupons", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.post("", status_code=201)
    async def issue_coupon(body: NewCoupon) -> dict[str, Any]:
        return _shown(await services.submit(IssueCoupon(**body.model_dump())))

    @routes.get("")
    async def coupons_of(payer_id: str, state: CouponState | None = None) -> dict[str, Any]:
        wanted = state.value if state else None
        rows = await services.run_read(lambda: coupons.of_payer(payer_id, state=wanted))
        return {"coupons": [_shown(row) for row in rows]}

    @routes.get("/{coupon_id}")
    async def coupon(coupon_id: str) -> dict[str, Any]:
        row = await services.run_read(lambda: coupons.coupon(coupon_id))
        if row is None:
            raise CallerError("coupon_not_found", coupon_id)
        timeline = await services.run_read(lambda: coupons.timeline(coupon_id))
        return _shown(row) | {"timeline": timeline}

    @routes.post("/{coupon_id}/void")
    async def void_coupon(coupon_id: str) -> dict[str, Any]:
        return _shown(await services.submit(VoidCoupon(coupon_id=coupon_id)))

    return routes


def add_wallet_routes(routes: APIRouter, services: Services, payer: Any) -> None:  # noqa: ANN401  # an annotation
    """Add to the wallet's router what a payer does with coupons."""
    coupons, payers = CouponRepository(services.reader), WalletRepository(services.reader)

    @routes.get("/coupons")
    async def list_coupons(payer_id: payer, state: CouponState | None = None) -> dict[str, Any]:
        wanted = state.value if state else None
        rows = await services.run_read(lambda: coupons.of_payer(payer_id, state=wanted))
        found = await services.run_read(lambda: payers.payer(payer_id))
        return {"coupons": [_shown(row) for row in rows], "chosen": found["chosen_coupon_id"]}

    @routes.post("/coupons/chosen")
    async def choose_coupon(payer_id: payer, body: ChosenCoupon) -> dict[str, Any]:
        command = ChooseCoupon(payer_id=payer_id, coupon_id=body.coupon_id)
        return {"chosen": await services.submit(command)}


def _shown(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _HIDDEN}
