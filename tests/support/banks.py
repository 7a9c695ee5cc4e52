"""The reserve bank and two commercial banks in one process: real messages, no socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from backend.channels import iso20022
from backend.channels.iso20022 import CreditTransfer, Instruction, Leg, Statement, StatusReport
from backend.sandbox.commercial_bank.bank import OWN_FAULTS, CommercialBank
from backend.sandbox.institution.bank_face import Bank
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.house import House, furnish
from backend.sandbox.reserve_bank import bank as reserve_bank
from backend.sandbox.reserve_bank.bank import ReserveBank
from protocol.clock import Clock
from protocol.crypto.keys import generate
from protocol.errors import OperatingError
from protocol.money import Money
from tests.support.iso20022 import cny

RESERVE, OWN = "RESERVE-TILLWAY", "OWN-TILLWAY"
NOON = 1_790_136_000_000
"""2026-09-23 12:00 in China: a business day."""
LIQUIDITY = 100_000_000


@dataclass
class Hands:
    """A clock that is moved by hand."""

    at_ms: int = NOON

    def now_ms(self) -> int:
        return self.at_ms


def house(name: str, clock: Clock, faults: tuple[str, ...] = ()) -> House:
    """An institution's furniture with books in memory."""
    key = generate("ES256")
    return furnish(name, Books(":memory:"), clock=clock, key=key, peers={}, faults=faults)


@dataclass
class NearBanks:
    """``Banks`` and ``ReserveBankLine`` beside each other; ``silent`` counts the coming answers
    that get lost, ``deaf`` the coming messages."""

    banks: dict[str, CommercialBank] = field(default_factory=dict)
    reserve: ReserveBank | None = None
    silent: int = 0
    deaf: int = 0

    async def to_bank(self, bank: str, message: bytes) -> bytes:
        self._lose_question()
        return self._lose_answer(self.banks[bank].receive(message))

    async def recall(self, bank: str, message: bytes) -> bytes:
        self._lose_question()
        return self._lose_answer(self.banks[bank].recall(message))

    async def to_reserve(self, message: bytes) -> bytes:
        assert self.reserve is not None
        self._lose_question()
        return self._lose_answer(self.reserve.transfer(message))

    async def give_back(self, message: bytes) -> bytes:
        assert self.reserve is not None
        self._lose_question()
        return self._lose_answer(self.reserve.give_back(message))

    def _lose_question(self) -> None:
        if self.deaf:
            self.deaf -= 1
            raise OperatingError("timeout", "the message was lost")

    def _lose_answer(self, answer: bytes) -> bytes:
        if self.silent:
            self.silent -= 1
            raise OperatingError("timeout", "the answer was lost")
        return answer


class _Down:
    def __init__(self, near: NearBanks) -> None:
        self._near = near

    async def transfer(self, bank: str, message: bytes) -> bytes:
        return await self._near.to_bank(bank, message)

    async def recall(self, bank: str, message: bytes) -> bytes:
        return await self._near.recall(bank, message)


class _Up:
    def __init__(self, near: NearBanks) -> None:
        self._near = near

    async def transfer(self, message: bytes) -> bytes:
        return await self._near.to_reserve(message)

    async def give_back(self, message: bytes) -> bytes:
        return await self._near.give_back(message)


@dataclass
class BankWorld:
    """What a test asks and looks at."""

    clock: Any
    """Whoever moves it: its ``at_ms``."""
    near: NearBanks
    reserve: ReserveBank
    a: CommercialBank
    b: CommercialBank

    async def pay(
        self, name: str, amount_minor: int, creditor: str, debtor: str = RESERVE
    ) -> StatusReport:
        data = iso20022.write_instruction(instruction(name, amount_minor, creditor, debtor))
        return iso20022.read_status_report(await self.reserve.instruct(data))

    async def pay_from_own(self, name: str, amount_minor: int, creditor: str) -> StatusReport:
        data = iso20022.write_instruction(instruction(name, amount_minor, creditor, OWN))
        return iso20022.read_status_report(await self.a.instruct(data))

    def tell(self, message_id: str, *legs: Leg) -> tuple[str, str]:
        """A clearing house's pacs.009; the first leg's status and reason."""
        message = iso20022.FinancialTransfers(message_id, self.clock.now_ms(), self.today, legs)
        answer = iso20022.read_status(self.reserve.financial(iso20022.write_financial(message)))
        assert len({one.status for one in answer.transfers}) == 1
        return answer.transfers[0].status, answer.transfers[0].reason

    async def recall(self, case: str, end_to_end_id: str, amount_minor: int) -> iso20022.Resolution:
        recall = iso20022.Recall(
            case, self.clock.now_ms(), "TILLWAY", "RESERVE-BANK", end_to_end_id,
            cny(amount_minor), self.today, "CUST",
        )  # fmt: skip
        return iso20022.read_resolution(await self.reserve.recall(iso20022.write_recall(recall)))

    async def time_passes(self) -> None:
        for one in (self.a, self.b, self.reserve):
            await one.house.time_passes()

    def statement(self, account: str = RESERVE) -> Statement:
        return iso20022.read_statement(self.reserve.statement(account, self.today))

    def entries(self, account: str = RESERVE) -> list[tuple[str, int]]:
        page = self.statement(account)
        return [(entry.reference, entry.amount.amount_minor) for entry in page.entries]

    def at_reserve(self, account: str = RESERVE) -> int:
        return self.reserve.books.balance(account).amount_minor

    def fund(self, amount_minor: int, reference: str = "STL-NUCC-20260922") -> None:
        """A clearing house pays our reserve."""
        leg = Leg(reference, "SETTLE-NUCC", RESERVE, cny(amount_minor))
        assert self.tell(reference, leg) == ("ACSC", "")

    @property
    def today(self) -> date:
        return self.reserve.house.clock.today()


class AtBank:
    """``BankPort`` to a bank beside us, by real messages."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    async def instruct(self, instruction: Instruction) -> StatusReport:
        answer = await self._bank.instruct(iso20022.write_instruction(instruction))
        return iso20022.read_status_report(answer)

    async def status(self, message_id: str) -> StatusReport | None:
        answer = self._bank.status(message_id)
        return None if answer is None else iso20022.read_status_report(answer)

    async def statement(self, account: str, day: date) -> Statement:
        return iso20022.read_statement(self._bank.statement(account, day))

    async def bookings(self, account: str, cursor: int) -> iso20022.Notification:
        return iso20022.read_notification(self._bank.notification(account, cursor))


class AtReserveBank(AtBank):
    """The one that keeps clients' money."""

    def __init__(self, world: BankWorld) -> None:
        super().__init__(world.reserve)
        self._reserve = world.reserve

    async def recall(self, recall: iso20022.Recall) -> iso20022.Resolution:
        return iso20022.read_resolution(await self._reserve.recall(iso20022.write_recall(recall)))


class AtOwnBank(AtBank):
    """The commercial one that keeps our own."""

    def __init__(self, world: BankWorld) -> None:
        super().__init__(world.a)

    async def recall(self, recall: iso20022.Recall) -> iso20022.Resolution:
        raise OperatingError("internal", "payouts do not leave from here")


def instruction(name: str, amount_minor: int, creditor: str, debtor: str) -> Instruction:
    transfer = CreditTransfer(name, cny(amount_minor), creditor, creditor, "2026-09-22")
    return Instruction(name, NOON, date(2026, 9, 23), "Tillway", debtor, (transfer,))


@contextmanager
def bank_world(*, rate_bps: int = 0, clock: Clock | None = None) -> Iterator[BankWorld]:
    """A reserve bank, bank-a with our own account and a shop's, bank-b with another shop's."""
    clock, near = clock or Hands(), NearBanks()
    reserve = ReserveBank(
        house("reserve-bank", clock, reserve_bank.OWN_FAULTS), banks=_Down(near), rate_bps=rate_bps
    )
    near.reserve = reserve
    for name in ("bank-a", "bank-b"):
        near.banks[name] = CommercialBank(house(name, clock, OWN_FAULTS), _Up(near))
        reserve.open(f"SETTLE-{name.upper()}", cny(LIQUIDITY), kind="settlement")
    for name in ("NUCC", "CUP"):
        reserve.open(f"SETTLE-{name}", cny(LIQUIDITY), kind="settlement")
    reserve.open(RESERVE, Money(0, "CNY"), kind="reserve")
    reserve.transfers.add_route("", "bank-a")
    reserve.transfers.add_route("B-", "bank-b")
    world = BankWorld(clock, near, reserve, near.banks["bank-a"], near.banks["bank-b"])
    world.a.open(OWN, "Tillway", cny(500_000))
    world.a.open("A-SHOP", "A shop", cny(0))
    world.b.open("B-SHOP", "Another shop", cny(0))
    try:
        yield world
    finally:
        for one in (reserve.books, world.a.books, world.b.books):
            one.close()
