"""The clock's task: codes and coupons whose time has passed expire; a code's till is told."""

import asyncio

import structlog

from backend.coupons.repository import CouponRepository
from backend.coupons.service import ExpireCoupon
from backend.payments.limits import EXPIRY_SWEEP_MS
from backend.payments.repository import PaymentRepository
from backend.payments.service import ExpirePayment
from backend.payments.services import Services
from protocol.errors import OperatingError

_log = structlog.get_logger()


async def expire_overdue(services: Services) -> int:
    """One sweep; how many payments expired now."""
    repository = PaymentRepository(services.reader)
    overdue = await services.run_read(lambda: repository.overdue(services.clock.now_ms()))
    expired = await asyncio.gather(
        *(services.submit(ExpirePayment(payment_id=payment_id)) for payment_id in overdue)
    )
    return sum(expired)


async def expire_coupons(services: Services) -> int:
    """One sweep; how many coupons expired now."""
    repository = CouponRepository(services.reader)
    overdue = await services.run_read(lambda: repository.overdue(services.clock.now_ms()))
    expired = await asyncio.gather(
        *(services.submit(ExpireCoupon(coupon_id=coupon_id)) for coupon_id in overdue)
    )
    return sum(expired)


async def run_expiry(services: Services) -> None:
    """Sweep until cancelled."""
    while True:
        try:
            payments, coupons = await expire_overdue(services), await expire_coupons(services)
        except OperatingError as error:
            _log.warning("expiry_paused", code=error.code)
        else:
            if payments or coupons:
                _log.info("expired", payments=payments, coupons=coupons)
        await asyncio.sleep(EXPIRY_SWEEP_MS / 1000)
