"""A backend in small that loses its power at a named boundary: a process of its own, by SIGKILL.

Run as a program it reads one job a line and forks a child for each, so that a real process dies
and the interpreter is started once. A *boundary* lies before the first act (a commit, or a call to
the channel) and after each: just after the one is just before the next. A job with ``die_at`` dies
at the boundary of that number, one without counts them.
"""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import structlog

from backend.channel_parts import resolvers
from backend.channels.facts import ChannelFacts
from backend.channels.model import CUP, NUCC, ChannelAnswer, PayOrder, PayoutOrder, RefundOrder
from backend.channels.netsunion import NetsUnion
from backend.channels.ports import ChannelPort
from backend.channels.signed_http import read_key
from backend.channels.unionpay import TerminalKey, UnionPay
from backend.channels.unionpay_line import Line
from backend.clock import SystemClock
from backend.db.command import Command
from backend.observability.flows import FlowMeter
from backend.payments.model import DeviceRequest
from backend.payments.repository import PaymentRepository
from backend.reconciliation.repository import ReconciliationRepository
from backend.refunds.repository import RefundRepository
from backend.sagas.repository import SagaRepository
from backend.sagas.runner import SagaRunner
from backend.topups.service import OrderTopUp
from backend.unionpay_trace.repository import TraceRepository
from backend.unionpay_trace.store import SqlTraces
from backend.withdrawals.service import OrderWithdrawal
from protocol.crypto.keys import SigningKey
from protocol.money import Money
from tests.support.shop import START_MS, Shop

ROUNDS_MAX = 60
PAUSE_MS = 61_000
"""Between two rounds in which nothing is due: longer than a lease or a pause between tries."""
AMOUNT_MINOR, REFUND_MINOR = 10_000, 4_000
TOPUP_MINOR, WITHDRAWN_MINOR = 2_500, 1_700


@dataclass
class Power:
    """Counts boundaries, and goes off at one."""

    die_at: int | None
    passed: int = 0

    def boundary(self) -> None:
        self.passed += 1
        if self.passed == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)


class DyingChannel:
    """``ChannelPort`` with a boundary after every call."""

    def __init__(self, channel: ChannelPort, power: Power) -> None:
        self._channel = channel
        self._power = power

    async def pay(self, order: PayOrder) -> ChannelAnswer:
        return await self._call(self._channel.pay(order))

    @property
    def facts(self) -> ChannelFacts:
        return self._channel.facts

    async def query(self, order: PayOrder) -> ChannelAnswer | None:
        return await self._call(self._channel.query(order))

    async def reverse(self, order: PayOrder) -> ChannelAnswer:
        return await self._call(self._channel.reverse(order))

    async def refund(self, order: RefundOrder) -> ChannelAnswer:
        return await self._call(self._channel.refund(order))

    async def find(self, order: RefundOrder) -> ChannelAnswer | None:
        return await self._call(self._channel.find(order))

    async def query_refund(self, order: RefundOrder) -> ChannelAnswer | None:
        return await self._call(self._channel.query_refund(order))

    async def payout(self, order: PayoutOrder) -> ChannelAnswer:
        return await self._call(self._channel.payout(order))

    async def query_payout(self, order: PayoutOrder) -> ChannelAnswer | None:
        return await self._call(self._channel.query_payout(order))

    async def settle(self, day: date) -> None:
        await self._channel.settle(day)

    async def day_file(self, day: date) -> Any:
        return await self._channel.day_file(day)

    async def _call(self, calling: Awaitable[Any]) -> Any:
        try:
            return await calling
        finally:
            self._power.boundary()


class NoFiles:
    """Where no day file is asked for."""

    async def fetch(self, day: date) -> Any:
        raise AssertionError(day)


class Life:
    """One run of the small backend, and of the till that keeps asking the same things of it."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.power = Power(job["die_at"])
        self.shop = Shop(f"sqlite:///{job['database']}", first_id=job["first_id"])
        self.job = job
        self.channel = self._clearing_house(job["url"])
        self.witness = self._clearing_house(job["witness_url"])
        self.card = self._card_network()
        self.runner = SagaRunner(
            submit=self.submit,
            run_read=self._read,
            repository=SagaRepository(self.shop.reader),
            channels={
                NUCC: DyingChannel(self.channel, self.power),
                CUP: DyingChannel(self.card, self.power),
            },
            resolvers=resolvers(self.shop.rules),
            taken=ReconciliationRepository(self.shop.reader).taken,
            clock=self.shop.clock,
            flows=FlowMeter(),
        )
        self.payer = job["payer"]
        self.shop.routes[self.payer] = job["route"]
        self.payment_id, self.refund_id = self.shop.id("pay"), self.shop.id("rfd")
        self.topup_id, self.withdrawal_id = self.shop.id("top"), self.shop.id("wdr")
        self.create = self._create()
        self.shop.clock.at_ms += job["later_ms"]

    def _clearing_house(self, url: str) -> NetsUnion:
        return NetsUnion(
            url=lambda: url,
            key=SigningKey.from_private("ES256", bytes.fromhex(self.job["key"])),
            peer=read_key(self.job["peer"]),
            clock=SystemClock(),
        )

    def _card_network(self) -> UnionPay:
        host, port = self.job["switch"]
        traces = SqlTraces(
            submit=self.submit,
            run_read=self._read,
            repository=TraceRepository(self.shop.reader),
            tid=self.job["terminal"],
            mid=self.job["merchant"],
        )
        return UnionPay(
            line=Line(lambda: (host, port)),
            traces=traces,
            key=TerminalKey(bytes.fromhex(self.job["master_key"])),
            clock=SystemClock(),
            files=NoFiles(),
        )

    async def submit(self, command: Command) -> Any:
        result = self.shop.do(command)
        self.power.boundary()
        return result

    async def _read(self, read: Callable[[], Any]) -> Any:
        return read()

    def _create(self) -> DeviceRequest:
        body = self.shop.create_body(
            "pay_code",
            AMOUNT_MINOR,
            pay_code=self.shop.code(self.payer),
            payment_id=self.payment_id,
        )
        return self.shop.request("payment.create", body)

    def request(self, message_type: str, body: dict[str, Any]) -> DeviceRequest:
        """The same request in every life."""
        request = self.shop.request(message_type, body, request_id=self.shop.id("req"))
        return replace(request, received_at_ms=START_MS)

    async def ask(self, request: DeviceRequest) -> dict[str, Any]:
        answer: tuple[str, dict[str, Any]] = await self.submit(self.shop.command(request))
        return answer[1]

    async def settle(self) -> None:
        """Carry on until no conversation is open."""
        for _ in range(ROUNDS_MAX):
            if not await self.runner.settle(date.max):
                return
            self.shop.clock.at_ms += PAUSE_MS
        raise AssertionError("a conversation does not end")

    async def told(self) -> dict[str, Any]:
        """What the books, our tables and the channel say in the end."""
        shop, payments = self.shop, PaymentRepository(self.shop.reader)
        payment = payments.payment(self.payment_id)
        amount = Money(AMOUNT_MINOR, "CNY")
        order = await self.witness.query(PayOrder(self.payment_id, "", amount))
        refund = await self.witness.query_refund(
            RefundOrder(self.refund_id, self.payment_id, amount)
        )
        own = shop.rows("SELECT topup_id AS id, state FROM topup") + shop.rows(
            "SELECT withdrawal_id AS id, state FROM withdrawal"
        )
        report = shop.verify()
        return {
            "payment": payment["state"] if payment else None,
            "channel": payment["channel_id"] if payment else None,
            "own": {row["id"]: row["state"] for row in own},
            "topup_id": self.topup_id,
            "withdrawal_id": self.withdrawal_id,
            "payment_events": payments.timeline(self.payment_id),
            "sagas": [
                saga
                for about in (self.payment_id, self.topup_id, self.withdrawal_id)
                for saga in SagaRepository(shop.reader).of_payment(about)
            ],
            "refunds": [
                row["state"] for row in RefundRepository(shop.reader).of_payment(self.payment_id)
            ],
            "order": order.state if order else None,
            "refund_at_channel": refund.state if refund else None,
            "is_whole": report.is_whole,
            "pending": len(shop.rows("SELECT id FROM ledger_hold WHERE state = 'pending'")),
            "accounts": {
                row["id"]: row["debits_posted"] - row["credits_posted"]
                for row in shop.rows("SELECT * FROM ledger_account")
            },
        }

    async def close(self) -> None:
        await self.channel.close()
        await self.witness.close()
        await self.card.close()
        self.shop.close()


async def pay(life: Life) -> None:
    """The till asks for the payment; it ends as the channel says."""
    await life.ask(life.create)
    await life.settle()


async def reverse_under_way(life: Life) -> None:
    """The till loses patience while the payment is under way."""
    reversal = life.request("payment.reverse", {"payment_id": life.payment_id})
    await life.ask(life.create)
    await life.runner.run_due()
    await life.ask(reversal)
    await life.settle()


async def reverse_paid(life: Life) -> None:
    """The till undoes what was paid."""
    reversal = life.request("payment.reverse", {"payment_id": life.payment_id})
    await life.ask(life.create)
    await life.settle()
    await life.ask(reversal)
    await life.settle()


async def refund(life: Life) -> None:
    """The till gives back a part of what was paid."""
    body = {
        "refund_id": life.refund_id,
        "payment_id": life.payment_id,
        "amount_minor": REFUND_MINOR,
        "currency": "CNY",
        "till": "till-1",
    }
    asked = life.request("refund.create", body)
    await life.ask(life.create)
    await life.settle()
    await life.ask(asked)
    await life.settle()


async def top_up(life: Life) -> None:
    """The payer fills the balance from a bank account."""
    order = OrderTopUp(
        topup_id=life.topup_id,
        payer_id=life.payer,
        bank_account=life.job["token"],
        amount=Money(TOPUP_MINOR, "CNY"),
        rules=life.shop.rules,
    )
    await life.submit(order)
    await life.settle()


async def withdraw(life: Life) -> None:
    """The payer takes money out, to the own bank account."""
    order = OrderWithdrawal(
        withdrawal_id=life.withdrawal_id,
        payer_id=life.payer,
        instrument_id=life.job["instrument"],
        amount=Money(WITHDRAWN_MINOR, "CNY"),
        rules=life.shop.rules,
    )
    await life.submit(order)
    await life.settle()


SCRIPTS = {"pay": pay, "reverse_under_way": reverse_under_way, "reverse_paid": reverse_paid,
           "refund": refund, "top_up": top_up, "withdraw": withdraw}  # fmt: skip


async def live(job: dict[str, Any]) -> dict[str, Any]:
    """One life from beginning to end, and what is true then."""
    life = Life(job)
    life.power.boundary()
    await SCRIPTS[job["script"]](life)
    told = {"boundaries": life.power.passed, **await life.told()}
    await life.close()
    return told


def main() -> None:
    """A child for every line; how each ended, a line. The first life is lived here and does not
    end: what it compiled and imported, every child is born with."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(live(json.loads(sys.stdin.readline())))
    assert threading.active_count() == 1, "a child is born of one thread"
    _say(0)
    for line in sys.stdin:
        _say(_end_of_child(json.loads(line)))


def _say(ended: int) -> None:
    sys.stdout.write(f"{ended}\n")
    sys.stdout.flush()


def _end_of_child(job: dict[str, Any]) -> int:
    """0, or the signal that ended it, negative."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            Path(job["result"]).write_text(json.dumps(asyncio.run(live(job))))
            status = 0
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(ended)


if __name__ == "__main__":
    main()
