"""The clock's task: codes, coupons, their stocks, red packets, merchants' transfers and offline
vouchers whose time has passed expire; a code's till is told, and what is left in a red packet, a
stock or a voucher, or was not taken, goes back.
"""

import asyncio

import structlog

from backend.coupons.repository import CouponRepository
from backend.coupons.service import ExpireCoupon
from backend.coupons.stocks.repository import StockRepository
from backend.coupons.stocks.service import EndStock
from backend.merchant_transfers.model import TransferStep
from backend.merchant_transfers.repository import TransferRepository
from backend.merchant_transfers.service import EndTransfer
from backend.offline.repository import OfflineRepository
from backend.offline.service import CloseVoucher
from backend.payments.limits import EXPIRY_SWEEP_MS
from backend.payments.repository import PaymentRepository
from backend.payments.service import ExpirePayment
from backend.payments.services import Services
from backend.red_packets.repository import RedPacketRepository
from backend.red_packets.service import ExpireRedPacket
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


async def expire_red_packets(services: Services) -> int:
    """One sweep; how many red packets went back now."""
    repository = RedPacketRepository(services.reader)
    overdue = await services.run_read(lambda: repository.overdue(services.clock.now_ms()))
    commands = [ExpireRedPacket(red_packet_id=one, rules=services.rules) for one in overdue]
    expired = await asyncio.gather(*(services.submit(command) for command in commands))
    return sum(expired)


async def expire_transfers(services: Services) -> int:
    """One sweep; how many merchants' transfers went back now."""
    repository = TransferRepository(services.reader)
    overdue = await services.run_read(lambda: repository.overdue(services.clock.now_ms()))
    for one in overdue:
        step = EndTransfer(transfer_id=one, step=TransferStep.EXPIRE, by="", rules=services.rules)
        await services.submit(step)
    return len(overdue)


async def end_stocks(services: Services) -> int:
    """One sweep; how many merchants' stocks of coupons ended, or gave their rest back, now."""
    repository = StockRepository(services.reader)
    due = await services.run_read(lambda: repository.due(services.clock.now_ms()))
    ended = [
        await services.submit(EndStock(stock_id=one, is_clear=is_clear, rules=services.rules))
        for one, is_clear in due
    ]
    return sum(ended)


async def close_vouchers(services: Services) -> int:
    """One sweep; how many offline vouchers ended now."""
    repository = OfflineRepository(services.reader)
    now_ms = services.clock.now_ms()
    due = await services.run_read(lambda: repository.due(now_ms))
    date = services.rules.business_date(now_ms)
    for one in due:
        await services.submit(CloseVoucher(voucher_id=one, business_date=date))
    return len(due)


async def run_expiry(services: Services) -> None:
    """Sweep until cancelled."""
    while True:
        try:
            payments, coupons = await expire_overdue(services), await expire_coupons(services)
            packets = await expire_red_packets(services)
            transfers, stocks = await expire_transfers(services), await end_stocks(services)
            vouchers = await close_vouchers(services)
        except OperatingError as error:
            _log.warning("expiry_paused", code=error.code)
        else:
            if payments or coupons or packets or transfers or stocks or vouchers:
                _log.info("expired", payments=payments, coupons=coupons, red_packets=packets,
                          transfers=transfers, stocks=stocks, vouchers=vouchers)  # fmt: skip
        await asyncio.sleep(EXPIRY_SWEEP_MS / 1000)
