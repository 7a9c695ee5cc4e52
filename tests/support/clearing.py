"""A shop, its institutions, and the run that closes its days: for tests of the clearing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from backend.channels.epcc.ids import dispute_id
from backend.channels.facts import CostTerms
from backend.channels.model import ECNY, NUCC
from backend.channels.ports import BankPort, DayPort
from backend.clearing.calendar import Calendar
from backend.clearing.ecny_repository import WalletBooks
from backend.clearing.evening import Evening, Prices, Signer
from backend.clearing.evening_repository import EveningRepository
from backend.clearing.moves import Accounts
from backend.clearing.ports import NetPositionPort, TimeStamper
from backend.clearing.repository import ClearingRepository
from backend.clearing.run import DayEnd
from backend.clearing.standing import standing
from backend.db.command import Command
from backend.disputes.from_channel import CaseSource, ChannelDisputes
from backend.ledger import rules
from backend.reconciliation.repository import ReconciliationRepository
from backend.reconciliation.service import Reconciliation
from backend.reconciliation.wallet import WalletComparison
from backend.sagas.runner import SagaRunner
from backend.topups.repository import TopUpRepository
from backend.topups.service import TopUps
from protocol.crypto.keys import generate
from protocol.money import Money
from tests.support.books import Post
from tests.support.channels import NearChannel, near_channels, runner_of
from tests.support.ecny import NearEcny
from tests.support.institutions import OWN, RESERVE, NearInstitutions
from tests.support.shop import MERCHANT, START_MS, Shop

SIGNER = generate()
DAY_MS = 86_400_000
SHOP_OFFSET_MS = 8 * 3_600_000


class Entropy:
    """Other bytes at every call, the same in every run."""

    def __init__(self) -> None:
        self.count = 0

    def token_bytes(self, count: int) -> bytes:
        self.count += 1
        return self.count.to_bytes(count, "big")


@dataclass
class World:
    """What a test of the clearing moves and looks at."""

    shop: Shop
    near: NearInstitutions
    channels: dict[str, NearChannel]
    runner: SagaRunner
    topups: TopUps
    day_end: DayEnd
    calendar: Calendar
    killed_after: int | None = None
    entropy: Entropy = field(default_factory=Entropy)
    prices: dict[str, CostTerms] = field(default_factory=dict)
    interest_bps: int = 35
    nets: dict[str, NetPositionPort] = field(default_factory=dict)
    cases: dict[str, CaseSource] = field(default_factory=dict)
    stamper: TimeStamper | None = None

    async def submit(self, command: Command) -> Any:
        """Apply a command; after a given number of them, the power is cut."""
        if self.killed_after is not None:
            if not self.killed_after:
                raise KeyboardInterrupt
            self.killed_after -= 1
        return self.shop.do(command)

    async def fund(self, payer_id: str, amount_minor: int, account: str = "CARD") -> str:
        row = await self.topups.top_up(
            topup_id=self.shop.id("top"),
            payer_id=payer_id,
            bank_account=account,
            amount=Money(amount_minor, "CNY"),
        )
        return str(row["state"])

    async def payer(self, amount_minor: int = 1_000_000) -> str:
        """A payer with money that came through the channel."""
        payer_id = self.shop.add_payer()
        assert await self.fund(payer_id, amount_minor) == "succeeded"
        return payer_id

    async def payer_since_yesterday(self, amount_minor: int = 1_000_000) -> str:
        """A payer whose money has reached the reserve; it is the next day afterwards."""
        payer_id = await self.payer(amount_minor)
        yesterday = self.today
        self.next_day()
        assert (await self.day_end.run(yesterday))["state"] == "closed"
        return payer_id

    def sell(self, payer_id: str, amount_minor: int, merchant_id: str = MERCHANT) -> str:
        """A captured payment's id."""
        body = self.shop.create_body(
            "pay_code",
            amount_minor,
            pay_code=self.shop.code(payer_id),
            merchant_id=merchant_id,
        )
        answer = self.shop.ask("payment.create", body, merchant_id=merchant_id)
        assert answer["state"] == "captured", answer
        return str(answer["payment_id"])

    def give_coupon(self, amount_minor: int, merchant_id: str = MERCHANT) -> None:
        """Our own money pays a part of something (rule 17)."""
        event = rules.Event(self.shop.id("evt"), "CNY", self.today.isoformat())
        transfers = rules.coupon_paid(event, merchant_id=merchant_id, amount_minor=amount_minor)
        self.shop.do(Post(transfers))

    def add_merchant(self, merchant_id: str, cycle: str = "D+1") -> str:
        """A merchant with a bank account of its own; returns the account."""
        account = f"BANK-{merchant_id}"
        self.shop.add_merchant(merchant_id, settlement_cycle=cycle, payout_account_no=account)
        self.near.open(account)
        return account

    def at_bank(self, account: str) -> int:
        return self.near.bank.balance(account).amount_minor

    async def standing(self, merchant_id: str = MERCHANT) -> dict[str, Any]:
        repository = ClearingRepository(self.shop.reader)
        return await standing(repository, self.calendar, merchant_id=merchant_id, today=self.today)

    @property
    def today(self) -> date:
        return self.day_end.today()

    def go_to(self, day: date) -> None:
        """Noon of a day."""
        self.shop.clock.at_ms += (day - self.today).days * DAY_MS

    def next_day(self) -> None:
        self.shop.clock.at_ms += DAY_MS


@contextmanager
def clearing_world(
    url: str, *, calendar: Calendar | None = None, first_day: date | None = None
) -> Iterator[World]:
    """A world with one merchant, on noon of a day."""
    shop = Shop(url)
    if first_day is not None:
        noon = first_day.toordinal() - date(1970, 1, 1).toordinal()
        shop.clock.at_ms = noon * DAY_MS + DAY_MS // 2 - SHOP_OFFSET_MS
    assert (shop.clock.at_ms + SHOP_OFFSET_MS) % DAY_MS == (START_MS + SHOP_OFFSET_MS) % DAY_MS
    shop.add_merchant()
    near = NearInstitutions(shop.clock)
    near.open("CARD", 100_000_000)
    near.open("6222000000001234")
    channels = near_channels(near.world)
    channels[NUCC].book.bind("CARD", "CARD")
    runner = runner_of(shop, {**channels})
    world = World(shop, near, channels, runner, None, None, calendar or Calendar())  # type: ignore[arg-type]
    world.topups = TopUps(
        submit=world.submit,
        carry_on=runner.carry_on,
        repository=TopUpRepository(shop.reader),
        rules=shop.rules,
    )
    world.cases = {NUCC: channels[NUCC]}  # type: ignore[dict-item]  # the near clearing house
    world.day_end = day_end_of(world)
    try:
        yield world
    finally:
        near.close()
        shop.close()


def day_end_of(world: World, bank: BankPort | None = None) -> DayEnd:
    """The program's run, as its bootstrap builds it; with the world's present calendar."""
    shop, bank = world.shop, bank or world.near
    days: dict[str, DayPort] = {**world.channels}
    ecny = world.channels.get(ECNY)
    reconciliation = Reconciliation(
        submit=world.submit,
        repository=ReconciliationRepository(shop.reader),
        bank=bank,
        channels=days,
        calendar=world.calendar,
        reserve_account=RESERVE,
        rules=shop.rules,
        prices=world.prices,
        wallet=WalletComparison(wallet=ecny, books=WalletBooks(shop.reader))
        if isinstance(ecny, NearEcny)
        else None,
    )
    repository = ClearingRepository(shop.reader)
    evening = Evening(
        submit=world.submit,
        books=repository,
        repository=EveningRepository(shop.reader),
        bank=bank,
        channels=days.keys(),
        reserve_account=RESERVE,
        signer=Signer(name="test.example", key=SIGNER, stamper=world.stamper),
        prices=Prices(channels=world.prices, interest_bps=world.interest_bps),
        clock=shop.clock,
        nets=world.nets,
    )
    return DayEnd(
        submit=world.submit,
        repository=repository,
        bank=bank,
        channels=days,
        resolve_sagas=world.runner.settle,
        read_cases=ChannelDisputes(
            submit=world.submit, sources=world.cases, dispute_id=dispute_id, rules=shop.rules
        ).read,
        reconcile=reconciliation,
        accounts=Accounts(reserve=RESERVE, own=OWN, holder="Tillway"),
        evening=evening,
        calendar=world.calendar,
        business_date=shop.rules.business_date,
        clock=shop.clock,
        entropy=world.entropy,
    )
