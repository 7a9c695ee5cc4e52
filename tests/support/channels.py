"""Channels beside us whose lines a test cuts, and the runner that speaks to them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from backend.channel_parts import resolvers
from backend.channels.day_file import DayFile, DayRow, Spool, open_day_file, write_day_file
from backend.channels.epcc import day_text, ids
from backend.channels.epcc.model import DisputeRow
from backend.channels.facts import DEFAULT_FACTS, ChannelFacts
from backend.channels.model import (
    ADVANCING_BANK,
    CUP,
    FUND,
    NUCC,
    ChannelAnswer,
    PayOrder,
    PayoutOrder,
    RefundOrder,
)
from backend.channels.netsunion import open_day
from backend.channels.ports import ChannelPort, NotSentError
from backend.observability.flows import FlowMeter
from backend.reconciliation.repository import ReconciliationRepository
from backend.sagas.repository import SagaRepository
from backend.sagas.runner import SagaRunner
from backend.sandbox.fund.company import Accounts, FundCompany
from backend.sandbox.institution.faults import Faults
from backend.sandbox.institution.house import House
from backend.sandbox.institution.orders import OVERCHARGES, OrderBook
from backend.sandbox.institution.settling import SettlementOrder, SettlementWord
from backend.sandbox.json_channel import REFUSALS
from backend.sandbox.netsunion.clearing_house import ClearingHouse
from backend.sandbox.netsunion.customers import TRANSIT
from backend.sandbox.netsunion.server import OWN_FAULTS
from backend.sandbox.unionpay import issuers
from protocol.crypto.keys import generate
from protocol.errors import CallerError, OperatingError
from tests.support.institutions import OWN, RESERVE
from tests.support.near_bank import NearBank, NearWorld
from tests.support.shop import Shop

Mishap = Literal["lost", "silent", "late", "unsent"]
"""Never arrives; arrives and its answer is lost; arrives when ``deliver_late`` is called; cannot
even be sent, and we know it."""


@dataclass
class NearChannel:
    """``ChannelPort`` over the sandbox's own order book, without a socket. ``mishaps`` befall the
    coming calls in their order."""

    world: NearWorld
    name: Literal["nucc", "cup", "fund", "advance", "ecny"]
    book: OrderBook
    day: Callable[[], date]
    facts: ChannelFacts
    mishaps: list[Mishap | None] = field(default_factory=list)
    overcharges: Faults = field(default_factory=lambda: Faults(OVERCHARGES))
    """Armed: the channel takes more than it is asked for."""
    refuses: int = 0
    """How many of the coming orders or refunds the issuer refuses."""
    late: list[Callable[[], ChannelAnswer | None]] = field(default_factory=list)
    meanwhile: Callable[[], object] | None = None
    """Happens once, between a call's being carried out and its answer's coming."""

    async def pay(self, order: PayOrder) -> ChannelAnswer:
        def act() -> ChannelAnswer:
            day = self.day()
            answer = self.book.pay(order, day=day, refuse=self._refuses())
            if answer.state == "succeeded":
                self.number(self.book.overcharge(order, self.overcharges, day=day))
            return answer

        return self._sure(act)

    def number(self, strays: list[str]) -> None:
        """Give what was taken by mistake the channel's own numbers."""

    async def query(self, order: PayOrder) -> ChannelAnswer | None:
        return self._call(lambda: self.book.order(order.order_id))

    async def reverse(self, order: PayOrder) -> ChannelAnswer:
        return self._sure(lambda: self.book.reverse(order.order_id, day=self.day()))

    async def find(self, order: RefundOrder) -> ChannelAnswer | None:
        return self._call(lambda: self.book.order(self.order_of(order.order_reference)))

    def order_of(self, number: str) -> str:
        """The order's id behind the channel's own number."""
        return self.book.order_of(number)

    async def refund(self, order: RefundOrder) -> ChannelAnswer:
        if order.is_by_reference:
            order = replace(order, order_id=self.order_of(order.order_reference))
        return self._sure(lambda: self.book.refund(order, day=self.day(), refuse=self._refuses()))

    async def settle(self, day: date) -> None:
        if day >= self.day():
            raise CallerError("day_not_closed", day.isoformat())
        self.book.settle(RESERVE, issuers.TRANSIT, day=day, booked_on=self.world.today())

    async def day_file(self, day: date) -> DayFile:
        rows = self.world.faulty(self.rows(day))
        return open_day_file(Spool.of(write_day_file(day, rows)))

    async def query_refund(self, order: RefundOrder) -> ChannelAnswer | None:
        return self._call(lambda: self.book.refund_result(order.refund_id))

    async def payout(self, order: PayoutOrder) -> ChannelAnswer:
        raise CallerError("channel_unavailable", order.payout_id)

    async def query_payout(self, order: PayoutOrder) -> ChannelAnswer | None:
        raise CallerError("channel_unavailable", order.payout_id)

    def rows(self, day: date) -> list[DayRow]:
        """The channel's own list of a day."""
        return self.book.rows(day)

    def net(self, day: date) -> int:
        """What the channel owes for a day."""
        return self.book.net(day)

    def close_early(self, day: date) -> None:
        """The channel ends a day before its time, and has paid it."""
        self.book.settle(RESERVE, issuers.TRANSIT, day=day, booked_on=day)

    def deliver_late(self) -> list[ChannelAnswer | None]:
        """Let what was kept on the way arrive; the answers reach nobody."""
        late, self.late = self.late, []
        return [act() for act in late]

    def _refuses(self) -> bool:
        is_due = self.refuses > 0
        self.refuses -= is_due
        return is_due

    def _sure(self, act: Callable[[], ChannelAnswer]) -> ChannelAnswer:
        answer = self._call(act)
        assert answer is not None
        return answer

    def _call(self, act: Callable[[], ChannelAnswer | None]) -> ChannelAnswer | None:
        mishap = self.mishaps.pop(0) if self.mishaps else None
        if mishap == "unsent":
            raise NotSentError("refused")
        if mishap == "late":
            self.late.append(act)
        if mishap in {"lost", "late"}:
            raise OperatingError("timeout", "the request was lost")
        answer = act()
        if self.meanwhile is not None:
            self.meanwhile()
            self.meanwhile = None
        if mishap == "silent":
            raise OperatingError("timeout", "the answer was lost")
        return answer


class NearReserveBank:
    """``SettlementAgent`` over the near bank's own books; a reference moves once."""

    def __init__(self, bank: NearBank) -> None:
        self._bank = bank

    async def settle(self, order: SettlementOrder) -> SettlementWord:
        if not self._bank.has_moved(order.reference):
            for account in (order.debtor, order.creditor):
                if self._bank.account(account) is None:
                    self._bank.open_own_account(account)
            self._bank.move(
                order.reference, order.debtor, order.creditor, order.amount, order.value_date,
                "settlement",
            )  # fmt: skip
        return SettlementWord("settled")


@dataclass
class NearNetsUnion(NearChannel):
    """The clearing house, whose members' customers have their accounts at the near bank."""

    def __post_init__(self) -> None:
        world = self.world
        house = House(
            "netsunion", world.bank, world.house.clock, Faults(OWN_FAULTS), generate("ES256"), {}
        )
        self.clearing = ClearingHouse(house)
        self.book, self.day = self.clearing.book, self.clearing.booking_day

    async def settle(self, day: date) -> None:
        self.clearing.close_day(day)
        await self.clearing.outbox.tell(NearReserveBank(self.world.bank))

    async def payout(self, order: PayoutOrder) -> ChannelAnswer:
        if self._refuses():
            self.clearing.house.faults.arm({"refuse_order": 1})
        trx_id = ids.trx_id(order.payout_id, "payout")
        return self._sure(lambda: self.clearing.pay_out(order, trx_id=trx_id, day=self.day()))

    async def query_payout(self, order: PayoutOrder) -> ChannelAnswer | None:
        return self._call(lambda: self.clearing.payout(order.payout_id))

    async def disputes(self, day: date) -> list[DisputeRow]:
        return [
            DisputeRow(
                case_id=case_id, original_trx_id=ids.trx_id(order_id, "pay"),
                original_order_id=order_id, amount=amount, reason=reason,
            )
            for case_id, order_id, amount, reason in self.clearing.disputes(day)
        ]  # fmt: skip

    async def pay(self, order: PayOrder) -> ChannelAnswer:
        return self._numbered(order, await super().pay(order))

    async def query(self, order: PayOrder) -> ChannelAnswer | None:
        found = await super().query(order)
        return None if found is None else self._numbered(order, found)

    async def find(self, order: RefundOrder) -> ChannelAnswer | None:
        found = await super().find(order)
        return None if found is None else replace(found, reference=order.order_reference)

    def _numbered(self, order: PayOrder, answer: ChannelAnswer) -> ChannelAnswer:
        """With the transaction's number, under which the day's file tells it, too."""
        trx_id = ids.trx_id(order.order_id, "pay")
        self.clearing.know(trx_id, "pay", order.order_id)
        return replace(answer, reference=trx_id)

    def number(self, strays: list[str]) -> None:
        for order_id in strays:
            self.clearing.know(ids.of_own_making(order_id, self.day()), "pay", order_id)

    def order_of(self, number: str) -> str:
        known = self.clearing.known(number)
        return super().order_of(number) if known is None else known[1]

    def rows(self, day: date) -> list[DayRow]:
        data = b"".join(
            day_text.write(
                day, ids.INSTITUTION, self.clearing.lines(day), key=self.clearing.house.key
            )
        )
        spool = Spool.of([data])
        with open_day(spool, day=day, key=self.clearing.house.key.public) as file:
            return list(file.rows())

    def net(self, day: date) -> int:
        return self.clearing.net(day)

    def close_early(self, day: date) -> None:
        self.book.settle(RESERVE, TRANSIT, day=day, booked_on=day)


@dataclass
class NearFund(NearChannel):
    """One of a fund company's two channels; its investors have their accounts at the near bank."""

    company: FundCompany | None = None

    async def settle(self, day: date) -> None:
        assert self.company is not None
        await self.company.time_passes()
        if day >= self.day():
            raise CallerError("day_not_closed", day.isoformat())

    def close_early(self, day: date) -> None:
        self.book.close_day(day, lambda _net: None)


def near_fund(world: NearWorld) -> FundCompany:
    """A fund company over the near bank's books."""
    house = House("fund", world.bank, world.house.clock, Faults(REFUSALS), generate("ES256"), {})
    accounts = Accounts(advancer="SETTLE-ADVBANK", reserve=RESERVE, company="FUND-CO", own=OWN)
    return FundCompany(house, accounts=accounts, agent=NearReserveBank(world.bank))


def near_channels(world: NearWorld) -> dict[str, NearChannel]:
    """The clearing house and the card network of a sandbox, its fund with a bank, and the one
    without."""
    bank, facts = world.bank, DEFAULT_FACTS

    def day() -> date:
        return issuers.business_day(world.now_ms())

    fund = near_fund(world)
    return {
        NUCC: NearNetsUnion(world, "nucc", fund.advanced, world.today, facts[NUCC]),
        CUP: NearChannel(world, "cup", OrderBook(bank, issuers.CardTill(bank)), day, facts[CUP]),
        ADVANCING_BANK: NearFund(
            world, "fund", fund.advanced, fund.day, facts[ADVANCING_BANK], company=fund
        ),
        FUND: NearFund(world, "advance", fund.unadvanced, fund.day, facts[FUND], company=fund),
    }


def runner_of(shop: Shop, channels: dict[str, ChannelPort]) -> SagaRunner:
    """The runner on a shop's database."""

    async def submit(command: Any) -> Any:
        return shop.do(command)

    async def run_read(read: Callable[[], Any]) -> Any:
        return read()

    return SagaRunner(
        submit=submit,
        run_read=run_read,
        repository=SagaRepository(shop.reader),
        channels=channels,
        resolvers=resolvers(shop.rules),
        taken=ReconciliationRepository(shop.reader).taken,
        clock=shop.clock,
        flows=FlowMeter(),
    )
