"""A shop over the holiday of 2026-09-30 to 10-08, between all its institutions, in one process.

Clients' money lies at the reserve bank and leaves it for commercial banks; cards are paid through
NetsUnion and UnionPay, a fund through its advancing bank or by our own advance, e-CNY through its
operator. Banks are asked by their real messages, channels by their order books without a wire.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from backend.channels.day_file import DayFile, Spool, open_day_file, write_day_file
from backend.channels.iso20022 import Leg, Statement
from backend.channels.model import ADVANCING_BANK, CUP, ECNY, FUND, NUCC
from backend.channels.our_banks import OurBanks
from backend.sandbox.institution.faults import Faults, spoil_rows
from backend.withdrawals.service import OrderWithdrawal
from protocol.money import Money
from tests.support.banks import OWN, RESERVE, AtOwnBank, AtReserveBank, BankWorld, bank_world
from tests.support.channel_world import CARD_TOKEN, FUND_TOKEN
from tests.support.channels import NearChannel, runner_of
from tests.support.clearing import DAY_MS, World, clearing_world, day_end_of
from tests.support.coupons import choose
from tests.support.ecny import ECNY_TOKEN, NearEcny, near_ecny
from tests.support.iso20022 import cny
from tests.support.shop import MERCHANT

FIRST, LAST = date(2026, 9, 30), date(2026, 10, 8)
CUP_TOKEN, FUND_COMPANY = "tok_unionpay_card", "FUND-CO"
SHOP_ACCOUNT, T1, T1_ACCOUNT = "6222000000001234", "mch_tplus1", "BANK-mch_tplus1"
OPENING_MINOR = 1_000_000
ACCOUNTS = {NUCC: "CARD-1", CUP: "CARD-2", ADVANCING_BANK: "FUND-1"}
RATE_BPS = 3_500
"""High enough for a few days of small balances to bear a fen."""


class PaidBySettlements(AtReserveBank):
    """The reserve bank, told by clearing houses of what they settle."""

    def __init__(self, banks: BankWorld, world: World) -> None:
        super().__init__(banks)
        self._banks, self._world = banks, world

    async def statement(self, account: str, day: date) -> Statement:
        self._pass_on()
        return await super().statement(account, day)

    def _pass_on(self) -> None:
        rows = self._world.near.bank.db.execute(
            "SELECT reference, credit, amount_minor FROM movement"
            " WHERE reference LIKE 'STL-%' AND ? IN (debit, credit) ORDER BY rowid",
            (RESERVE,),
        ).fetchall()
        for reference, credit, minor in rows:
            sides = ("SETTLE-NUCC", RESERVE) if credit == RESERVE else (RESERVE, "SETTLE-NUCC")
            if not self._banks.reserve.books.has_moved(reference):
                self._banks.tell(reference, Leg(reference, *sides, cny(minor)))


class RepaidByFund(AtOwnBank):
    """The bank of our own account, which the fund company pays, too."""

    def __init__(self, banks: BankWorld, world: World) -> None:
        super().__init__(banks)
        self._books, self._world = banks.a.books, world
        self._books.open_own_account(FUND_COMPANY)

    async def statement(self, account: str, day: date) -> Statement:
        rows = self._world.near.bank.db.execute(
            "SELECT reference, credit, amount_minor, day FROM movement"
            " WHERE reference LIKE 'STL-FUND-%' AND ? IN (debit, credit) ORDER BY rowid",
            (OWN,),
        ).fetchall()
        for reference, credit, minor, moved_on in rows:
            sides = (FUND_COMPANY, OWN) if credit == OWN else (OWN, FUND_COMPANY)
            if not self._books.has_moved(reference):
                on = date.fromisoformat(moved_on)
                self._books.move(reference, *sides, cny(minor), on, "redemptions")
        return await super().statement(account, day)


@dataclass
class Holiday:
    """What a test of the nine days does and looks at."""

    world: World
    banks: BankWorld
    ecny: NearEcny
    faults: dict[str, Faults] = field(default_factory=dict)
    """Each channel's own, for its files."""
    payers: dict[str, str] = field(default_factory=dict)
    card: str = ""
    """The NetsUnion payer's instrument: withdrawals go to its account."""

    @property
    def today(self) -> date:
        return self.world.today

    def at(self, hour: int, minute: int = 0, second: int = 0) -> None:
        """A time of the present day in China."""
        midnight = self.world.shop.clock.at_ms + 8 * 3_600_000
        midnight -= midnight % DAY_MS
        wanted = midnight + ((hour * 60 + minute) * 60 + second) * 1000 - 8 * 3_600_000
        assert wanted >= self.world.shop.clock.at_ms, "time goes forward"
        self.world.shop.clock.at_ms = wanted

    async def pay(self, name: str, amount_minor: int, merchant_id: str = MERCHANT) -> str:
        """A payment by one of the payers; its channel has spoken."""
        shop = self.world.shop
        body = shop.create_body(
            "pay_code", amount_minor, pay_code=shop.code(self.payers[name]), merchant_id=merchant_id
        )
        answer = shop.ask("payment.create", body, merchant_id=merchant_id)
        await self.carry_on()
        return str(answer["payment_id"])

    async def carry_on(self) -> None:
        await self.world.runner.settle(date.max)

    def state(self, payment_id: str) -> str:
        return str(self.world.shop.ask("payment.query", {"payment_id": payment_id})["state"])

    async def refund(self, payment_id: str, amount_minor: int) -> None:
        self.world.shop.refund(payment_id, amount_minor)
        await self.carry_on()

    async def by_own_advance(self, amount_minor: int) -> str:
        """The fund pays, and we advance its money."""
        shop = self.world.shop
        shop.rules = replace(shop.rules, has_own_advance=True)
        payment_id = await self.pay("fund", amount_minor)
        shop.rules = replace(shop.rules, has_own_advance=False)
        return payment_id

    async def with_coupon(self, amount_minor: int, coupon_minor: int) -> str:
        """A coupon pays a part, the payer's balance the rest."""
        choose(self.world.shop, self.payers["balance"], coupon_minor)
        return await self.pay("balance", amount_minor)

    async def withdraw(self, amount_minor: int) -> str:
        """The card's payer takes money out to the card."""
        shop = self.world.shop
        row = shop.do(
            OrderWithdrawal(
                withdrawal_id=shop.id("wdr"),
                payer_id=self.payers["card"],
                instrument_id=self.card,
                amount=Money(amount_minor, "CNY"),
                rules=shop.rules,
            )
        )
        await self.carry_on()
        return str(row["withdrawal_id"])

    async def close(self) -> dict[str, Any]:
        """The next morning: everybody's day ends, then ours; the report."""
        day = self.today
        self.world.shop.clock.at_ms += DAY_MS
        self.at_morning()
        await self.banks.time_passes()
        return await self.world.day_end.run(day)

    def at_morning(self) -> None:
        """Nine o'clock of the present day, whatever time it was."""
        local = self.world.shop.clock.at_ms + 8 * 3_600_000
        self.world.shop.clock.at_ms += 9 * 3_600_000 - local % DAY_MS

    def at_shop(self, account: str = SHOP_ACCOUNT) -> int:
        return self.banks.a.books.balance(account).amount_minor

    def charged(self, channel_id: str) -> int:
        """What has left a payer's account at a channel, net of what came back."""
        if channel_id == ECNY:
            return 500_000 - self.ecny.operator.house.books.balance("WALLET-1").amount_minor
        return OPENING_MINOR - self.world.at_bank(ACCOUNTS[channel_id])

    def rows(self, query: str) -> list[dict[str, Any]]:
        return self.world.shop.rows(query)

    def window(self, channel_id: str, day: date) -> str:
        [row] = self.rows(
            "SELECT state FROM clearing_window"
            f" WHERE channel_id = '{channel_id}' AND settlement_date = '{day}'"
        )
        return str(row["state"])


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


DAYS: Sequence[date] = _days(FIRST, LAST)


@contextmanager
def holiday(url: str) -> Iterator[Holiday]:
    """The world at noon of the day before the holiday; payers have money everywhere."""
    with (
        clearing_world(url, first_day=FIRST) as world,
        bank_world(clock=world.shop.clock, rate_bps=RATE_BPS) as banks,
    ):
        ecny = _open_channels(world)
        for account in (SHOP_ACCOUNT, world.add_merchant(T1, "T+1")):
            banks.a.open(account, account, cny(0))
        bank = OurBanks(
            reserve=PaidBySettlements(banks, world), own=RepaidByFund(banks, world), own_account=OWN
        )
        world.day_end = day_end_of(world, bank)
        made = Holiday(world, banks, ecny)
        _let_files_be_spoilt(made)
        _open_payers(made)
        yield made
        ecny.operator.house.books.close()


def _open_channels(world: World) -> NearEcny:
    tokens: Mapping[str, str] = {
        NUCC: CARD_TOKEN, CUP: CUP_TOKEN, ADVANCING_BANK: FUND_TOKEN,
    }  # fmt: skip
    for channel_id, account in ACCOUNTS.items():
        world.near.open(account, OPENING_MINOR)
        world.channels[channel_id].book.bind(tokens[channel_id], account)
    world.channels[FUND].book.bind(FUND_TOKEN, ACCOUNTS[ADVANCING_BANK])
    ecny = near_ecny(world.shop, world.near.bank)
    world.channels[ECNY] = ecny
    world.runner = runner_of(world.shop, {**world.channels})
    world.topups._carry_on = world.runner.carry_on
    return ecny


def _open_payers(made: Holiday) -> None:
    shop = made.world.shop
    for name in ("balance", "card", "unionpay", "fund", "ecny"):
        made.payers[name] = shop.add_payer()
    made.card = shop.add_instrument(made.payers["card"], "card", token=CARD_TOKEN)
    shop.add_instrument(made.payers["unionpay"], "card", token=CUP_TOKEN, channels=[CUP])
    shop.add_instrument(made.payers["fund"], "fund", token=FUND_TOKEN)
    shop.add_instrument(made.payers["ecny"], "ecny", token=ECNY_TOKEN)


def _let_files_be_spoilt(made: Holiday) -> None:
    """Each channel's file with its own faults, and not with whoever's is asked for first."""
    for channel_id, channel in made.world.channels.items():
        if channel_id == ECNY:
            made.faults[ECNY] = made.ecny.operator.house.faults
            continue
        made.faults[channel_id] = Faults(())
        channel.day_file = partial(_day_file, channel, made.faults[channel_id])  # type: ignore[method-assign]


async def _day_file(channel: NearChannel, faults: Faults, day: date) -> DayFile:
    return open_day_file(Spool.of(write_day_file(day, spoil_rows(faults, channel.rows(day)))))
