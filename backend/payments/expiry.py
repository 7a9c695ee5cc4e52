"""The clock's task: codes whose time has passed expire, and their tills are told."""

import asyncio

import structlog

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


async def run_expiry(services: Services) -> None:
    """Sweep until cancelled."""
    while True:
        try:
            count = await expire_overdue(services)
        except OperatingError as error:
            _log.warning("expiry_paused", code=error.code)
        else:
            if count:
                _log.info("payments_expired", count=count)
        await asyncio.sleep(EXPIRY_SWEEP_MS / 1000)
