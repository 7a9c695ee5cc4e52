"""The e-CNY operator beside us: its order book behind a line that a test cuts."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from backend.channels.day_file import DayFile, Spool, open_day_file
from backend.channels.facts import DEFAULT_FACTS
from backend.channels.model import ECNY
from backend.channels.wallet_statement import (
    WalletStatement,
    read_wallet_statement,
    write_wallet_statement,
)
from backend.sandbox.ecny.limits import read_limits
from backend.sandbox.ecny.operator import Accounts, EcnyOperator
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.house import furnish
from backend.sandbox.institution.settling import SettlementOrder, SettlementWord
from backend.sandbox.json_channel import REFUSALS, JsonChannel
from protocol.clock import Clock
from protocol.crypto.keys import generate
from protocol.money import Money
from tests.support.channel_world import ChannelWorld
from tests.support.channels import NearChannel, runner_of
from tests.support.institutions import RESERVE
from tests.support.near_bank import NearBank
from tests.support.shop import Shop

ECNY_TOKEN, WALLET = "tok_payers_wallet", "WALLET-1"
LIMITS = """
[[limits]]
from = 2026-01-01
class = 3
payment_minor = 50_000
day_minor = 80_000
year_minor = 100_000
balance_minor = 0
"""
"""Low enough to be met below the amount for which the merchant wants a fingerprint."""


@dataclass
class BankMoves:
    """``SettlementAgent`` that moves between accounts of a bank that also keeps our reserve."""

    bank: NearBank
    clock: Clock

    async def settle(self, order: SettlementOrder) -> SettlementWord:
        known = self.bank.db.execute(
            "SELECT 1 FROM movement WHERE reference = ?", (order.reference,)
        ).fetchone()
        if known is None:
            self.bank.move(
                order.reference, order.debtor, order.creditor, order.amount, order.value_date,
                "settlement",
            )  # fmt: skip
        return SettlementWord("settled")


class NearEcny(NearChannel):
    """``ChannelPort`` over the operator, without a socket."""

    operator: EcnyOperator

    async def settle(self, day: date) -> None:
        await self.operator.time_passes()
        self._rows().settle(day)

    async def day_file(self, day: date) -> DayFile:
        return open_day_file(Spool.of([self._rows().file(day)[1]]))

    async def wallet_statement(self, day: date) -> WalletStatement:
        """``WalletPort``, as the bytes tell it."""
        return read_wallet_statement(write_wallet_statement(self.operator.statement(day)))

    def _rows(self) -> JsonChannel:
        return JsonChannel(self.operator.house, self.book, self.operator.close_days)


def near_ecny(shop: Shop, bank: NearBank, *, opening_minor: int = 500_000) -> NearEcny:
    """An operator with the payer's wallet of class 3, on the shop's clock."""
    books = Books(":memory:")
    house = furnish(
        "ecny", books, clock=shop.clock, key=generate("ES256"), peers={}, faults=REFUSALS
    )
    bank.open_own_account("SETTLE-ECNY")
    operator = EcnyOperator(
        house,
        limits=read_limits(LIMITS),
        accounts=Accounts("SETTLE-ECNY", RESERVE),
        agent=BankMoves(bank, shop.clock),
    )
    near = NearEcny(None, "ecny", operator.book, house.clock.today, DEFAULT_FACTS[ECNY])  # type: ignore[arg-type]
    near.operator = operator
    today = house.clock.today()
    operator.till.open_wallet(WALLET, "李雷", 3, Money(opening_minor, "CNY"), day=today)
    operator.book.bind(ECNY_TOKEN, WALLET)
    return near


class EcnyWorld(ChannelWorld):
    """A shop whose payer also has an e-CNY wallet."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.ecny = near_ecny(self.shop, self.bank)
        self.runner = runner_of(self.shop, {**self.channels, ECNY: self.ecny})

    def close(self) -> None:
        self.ecny.operator.house.books.close()
        super().close()

    def wallet_payer(self) -> str:
        """The payer whose pay codes are paid by the wallet."""
        return self._payer("ecny", ECNY_TOKEN)

    def wallet_paid(self) -> int:
        """What has left the payer's wallet, net."""
        return 500_000 - self.ecny.operator.house.books.balance(WALLET).amount_minor

    def night(self) -> None:
        """The next day: the operator has changed the day's net."""
        self.shop.clock.at_ms += 86_400_000
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: asyncio.run(self.ecny.operator.time_passes())).result()
