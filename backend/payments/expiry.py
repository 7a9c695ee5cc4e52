"""The clock's task: codes, coupons, their stocks, red packets, merchants' transfers and offline
vouchers whose time has passed expire; a code's till is told, and what is left in a red packet, a
stock or a voucher, or was not taken, goes back.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog

from backend.coupons.repository import CouponRepository
from backend.coupons.service import ExpireCoupon
from backend.coupons.stocks.repository import StockRepository
from backend.coupons.stocks.service import EndStock
from backend.db.command import Command
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
from protocol.errors import OperatingError, TillwayError

_log = structlog.get_logger()


async def expire_overdue(services: Services) -> int:
    """One sweep; how many payments expired now."""
    repository = PaymentRepository(services.reader)
    overdue = await services.run_read(lambda: repository.overdue(services.clock.now_ms()))
    commands = {one: ExpirePayment(payment_id=one) for one in overdue}
    return sum(await _done(services, "payment", commands))


async def expire_coupons(services: Services) -> int:
    """One sweep; how many coupons expired now."""
    repository = CouponRepository(services.reader)
    overdue = await services.run_read(lambda: repository.overdue(services.clock.now_ms()))
    commands = {one: ExpireCoupon(coupon_id=one) for one in overdue}
    return sum(await _done(services, "coupon", commands))


async def expire_red_packets(services: Services) -> int:
    """One sweep; how many red packets went back now."""
    repository = RedPacketRepository(services.reader)
    overdue = await services.run_read(lambda: repository.overdue(services.clock.now_ms()))
    commands = {one: ExpireRedPacket(red_packet_id=one, rules=services.rules) for one in overdue}
    return sum(await _done(services, "red_packet", commands))


async def expire_transfers(services: Services) -> int:
    """One sweep; how many merchants' transfers went back now."""
    repository = TransferRepository(services.reader)
    overdue = await services.run_read(lambda: repository.overdue(services.clock.now_ms()))
    expire = partial(EndTransfer, step=TransferStep.EXPIRE, by="", rules=services.rules)
    commands = {one: expire(transfer_id=one) for one in overdue}
    return len(await _done(services, "merchant_transfer", commands))


async def end_stocks(services: Services) -> int:
    """One sweep; how many merchants' stocks of coupons ended, or gave their rest back, now."""
    repository = StockRepository(services.reader)
    due = await services.run_read(lambda: repository.due(services.clock.now_ms()))
    commands = {
        one: EndStock(stock_id=one, is_clear=is_clear, rules=services.rules)
        for one, is_clear in due
    }
    return sum(await _done(services, "coupon_stock", commands))


async def close_vouchers(services: Services) -> int:
    """One sweep; how many offline vouchers ended now."""
    repository = OfflineRepository(services.reader)
    now_ms = services.clock.now_ms()
    due = await services.run_read(lambda: repository.due(now_ms))
    date = services.rules.business_date(now_ms)
    commands = {one: CloseVoucher(voucher_id=one, business_date=date) for one in due}
    return len(await _done(services, "offline_voucher", commands))


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


async def _done(services: Services, what: str, commands: Mapping[str, Command]) -> list[Any]:
    """The answers of those that were carried out. One that cannot be, now or ever, holds up no
    other of its kind or of another: it is said, and looked at again with the next sweep."""
    answers = await asyncio.gather(
        *(services.submit(command) for command in commands.values()), return_exceptions=True
    )
    done, refused = [], []
    for subject, answer in zip(commands, answers, strict=True):
        if isinstance(answer, TillwayError):
            refused.append((subject, answer.code))
        elif isinstance(answer, BaseException):
            raise answer
        else:
            done.append(answer)
    if refused:
        subject, code = refused[0]
        _log.warning("expiry_refused", what=what, count=len(refused), first=subject, code=code)
    return done
