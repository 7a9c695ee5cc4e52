"""Which adapters a backend has, by what is configured, and which bank is asked of which account."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from backend.channels.iso20022 import (
    CreditTransfer,
    Instruction,
    Notification,
    Recall,
    Resolution,
    Statement,
    StatusReport,
)
from backend.channels.model import ADVANCING_BANK, CUP, ECNY, FUND, NUCC
from backend.channels.our_banks import OurBanks
from backend.channels.signed_http import key_text
from backend.config import Settings
from backend.institution_parts import configured_channels, open_institutions
from backend.payments.services import Services
from protocol.crypto.keys import generate
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.shop import shop_of_two
from tests.support.wallet_http import services_of

pytestmark = pytest.mark.anyio
DAY = date(2026, 9, 30)
KEY = generate("ES256")
AT = {"url": "http://127.0.0.1:9", "key": key_text(KEY.public)}


@pytest.fixture
def services(migrated_url: str) -> Iterator[Services]:
    with shop_of_two(migrated_url) as shop:
        yield services_of(shop)


def settings_of(tmp_path: Path, **institutions: object) -> Settings:
    return Settings.model_validate({"state_dir": tmp_path, "institutions": institutions})


def card_network(tmp_path: Path, key_file: Path) -> dict[str, object]:
    address = str(tmp_path / "unionpay" / "address.json")
    return {"address": address, "key": AT["key"], "master_key_file": str(key_file)}


def key_file(tmp_path: Path, text: str, *, mode: int = 0o600) -> Path:
    path = tmp_path / "terminal.key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_without_a_reserve_bank_only_balances_pay(tmp_path: Path, services: Services) -> None:
    settings = settings_of(tmp_path, netsunion=AT, ecny=AT)
    assert configured_channels(settings) == frozenset()
    assert open_institutions(settings, services=services, key=KEY) is None


async def test_each_institution_brings_its_channels(tmp_path: Path, services: Services) -> None:
    key = key_file(tmp_path, "0123456789abcdef" * 2 + "\n")
    settings = settings_of(
        tmp_path, reserve_bank=AT, netsunion=AT, fund=AT, ecny=AT,
        unionpay=card_network(tmp_path, key),
    )  # fmt: skip
    found = open_institutions(settings, services=services, key=KEY)
    assert found is not None
    assert set(found.channels) == {NUCC, CUP, ADVANCING_BANK, FUND, ECNY}
    assert configured_channels(settings) == set(found.channels)
    assert {name: port.facts.channel_id for name, port in found.channels.items()} == {
        name: name for name in found.channels
    }
    await found.close()


@pytest.mark.parametrize("text", ["", "0123", "nonsense" * 4, "00" * 17])
def test_a_master_key_that_is_none_stops_the_start(
    tmp_path: Path, services: Services, text: str
) -> None:
    network = card_network(tmp_path, key_file(tmp_path, text))
    settings = settings_of(tmp_path, reserve_bank=AT, unionpay=network)
    with pytest.raises(CallerError, match="config_invalid"):
        open_institutions(settings, services=services, key=KEY)


def test_a_master_key_that_others_may_read_stops_the_start(
    tmp_path: Path, services: Services
) -> None:
    for file in (key_file(tmp_path, "00" * 16, mode=0o644), tmp_path / "missing.key"):
        settings = settings_of(tmp_path, reserve_bank=AT, unionpay=card_network(tmp_path, file))
        with pytest.raises(CallerError, match="config_invalid"):
            open_institutions(settings, services=services, key=KEY)


@dataclass
class FakeBank:
    """Notes what it is asked."""

    known: StatusReport | None = None
    asked: list[str] = field(default_factory=list)

    async def instruct(self, instruction: Instruction) -> StatusReport:
        self.asked.append(instruction.debtor_account)
        return StatusReport("S", 0, instruction.message_id, ())

    async def status(self, message_id: str) -> StatusReport | None:
        self.asked.append(message_id)
        return self.known

    async def statement(self, account: str, day: date) -> Statement:
        self.asked.append(account)
        nothing = Money(0, "CNY")
        return Statement("S", 0, account, day, nothing, nothing, ())

    async def bookings(self, account: str, cursor: int) -> Notification:
        self.asked.append(account)
        return Notification("N", 0, account, cursor, ())

    async def recall(self, recall: Recall) -> Resolution:
        self.asked.append(recall.case_id)
        return Resolution("M", recall.case_id, 0, "BANK", "TILLWAY", "E1", "CNCL")


async def test_an_account_is_asked_of_the_bank_that_keeps_it() -> None:
    reserve, own = FakeBank(), FakeBank()
    banks = OurBanks(reserve=reserve, own=own, own_account="OWN")
    transfer = CreditTransfer("E1", Money(1, "CNY"), "Shop", "SHOP")
    for debtor in ("RESERVE", "OWN"):
        await banks.instruct(Instruction("M1", 0, DAY, "Tillway", debtor, (transfer,)))
        await banks.statement(debtor, DAY)
        await banks.bookings(debtor, 0)
    assert (reserve.asked, own.asked) == (["RESERVE"] * 3, ["OWN"] * 3)


async def test_what_left_the_reserve_is_asked_back_of_its_bank() -> None:
    reserve, own = FakeBank(), FakeBank()
    banks = OurBanks(reserve=reserve, own=own, own_account="OWN")
    recall = Recall("C1", 0, "TILLWAY", "BANK", "E1", Money(1, "CNY"), DAY, "DUPL")
    assert (await banks.recall(recall)).case_id == "C1"
    assert (reserve.asked, own.asked) == (["C1"], [])


async def test_what_the_reserve_bank_does_not_know_the_other_is_asked() -> None:
    report = StatusReport("S", 0, "M1", ())
    reserve, own = FakeBank(), FakeBank(report)
    banks = OurBanks(reserve=reserve, own=own, own_account="OWN")
    assert await banks.status("M1") == report
    assert (reserve.asked, own.asked) == (["M1"], ["M1"])
    reserve.known = report
    await banks.status("M2")
    assert own.asked == ["M1"]
