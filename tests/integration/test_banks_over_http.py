"""The reserve bank and a commercial bank as processes, steered and killed as people would."""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.channels import iso20022
from backend.channels.institution import Institution
from backend.channels.signed_http import key_text
from backend.sandbox.institution.state_files import Neighbours, own_key
from backend.sandbox.remote import control
from protocol.crypto.keys import generate
from protocol.errors import CallerError, OperatingError
from tests.kit.patience import PATIENCE_S
from tests.support.banks import RESERVE, instruction
from tests.support.iso20022 import UETR, cny

pytestmark = pytest.mark.xdist_group("banks_over_http")
_numbers = itertools.count(1)
BANKS = ("reserve-bank", "bank-a")


@dataclass
class Banks:
    """Two processes over one state directory, and our line to the reserve bank."""

    directory: Path
    key: Any = field(default_factory=lambda: generate("ES256"))
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    number: int = 0
    """Of the test, whose accounts and payments are its own."""

    @property
    def shop(self) -> str:
        return f"A-SHOP-{self.number}"

    @property
    def reserve(self) -> str:
        return f"RESERVE-FULL-{self.number}"

    def named(self, payment: str) -> str:
        return f"{payment}-{self.number}"

    @property
    def state(self) -> Neighbours:
        return Neighbours(self.directory / "state")

    def start(self, name: str) -> None:
        config = self.directory / "sandbox.toml"
        config.write_text(
            f"state_dir = {json.dumps(str(self.state.state_dir))}\n"
            f"institution_keys = [{json.dumps(key_text(self.key.public))}]\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "tillway", "sandbox", "run", name, "--config", str(config)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.running[name] = process
        assert process.stdout is not None
        line = process.stdout.readline()
        assert json.loads(line)["ready"], line

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
        assert process.stdout is not None
        process.stdout.close()

    def control(self, name: str, path: str, body: object = None) -> dict[str, Any]:
        return control(self.state.find(name), path, body)

    def arm(self, name: str, **counts: int) -> None:
        self.control(name, "/control/faults", counts)

    def balance(self, name: str, account: str) -> int:
        return int(self.control(name, f"/control/accounts/{account}")["balance_minor"])

    def line(self) -> Institution:
        found = self.state.find("reserve-bank")
        return Institution(
            url=lambda: self.state.find("reserve-bank").url(), key=self.key, peer=found.key
        )

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_S)
            if process.poll() is None:
                process.kill()
                process.wait(PATIENCE_S)
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Banks]:
    """One pair for the whole file, because a start costs seconds."""
    found = Banks(tmp_path_factory.mktemp("banks"))
    try:
        for name in BANKS:
            found.start(name)
        yield found
    finally:
        found.stop()


@pytest.fixture
def banks(both: Banks) -> Banks:
    """The pair with a shop and a reserve that no other test has."""
    found = replace(both, number=next(_numbers))
    found.control("bank-a", "/control/accounts", {"account": found.shop, "name": "A shop"})
    found.control(
        "reserve-bank",
        "/control/accounts",
        {"account": found.reserve, "kind": "reserve", "opening_minor": 100_000},
    )
    return found


async def pay(banks: Banks, line: Institution, name: str, amount_minor: int = 600) -> str:
    asked = instruction(banks.named(name), amount_minor, banks.shop, banks.reserve)
    return (await line.instruct(asked)).transfers[0].status


async def until_settled(banks: Banks, line: Institution, name: str) -> None:
    for _ in range(50):
        with suppress(OperatingError):
            if await pay(banks, line, name) == "ACSC":
                return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{name} was not settled")


@pytest.mark.asyncio
async def test_every_fault_of_a_line_ends_with_one_credit(banks: Banks) -> None:
    """Lost, late, doubled, unsigned, unknown, slow and refused: asked again, it is paid once."""
    line = banks.line()
    faults = (
        "drop_answer_after_commit", "duplicate", "arrive_late", "bad_signature",
        "unknown_status", "be_slow", "be_down",
    )  # fmt: skip
    try:
        count = 0
        for name in BANKS:
            for fault in faults:
                banks.arm(name, **{fault: 1})
                count += 1
                with suppress(OperatingError):
                    await pay(banks, line, f"P{count}")
                banks.control(name, "/control/late", {})
                await until_settled(banks, line, f"P{count}")
                assert banks.balance("bank-a", banks.shop) == 600 * count
                assert banks.balance("reserve-bank", banks.reserve) == 100_000 - 600 * count
    finally:
        await line.close()


@pytest.mark.asyncio
async def test_a_bank_killed_between_booking_and_answer_is_asked_again(banks: Banks) -> None:
    line = banks.line()
    try:
        banks.arm("bank-a", drop_answer_after_commit=1)
        assert await pay(banks, line, "P1") == "PDNG"
        banks.kill("bank-a")
        assert await pay(banks, line, "P1") == "PDNG"
        banks.start("bank-a")
        await until_settled(banks, line, "P1")

        banks.arm("reserve-bank", drop_answer_after_commit=1)
        with pytest.raises(OperatingError):
            await pay(banks, line, "P2")
        banks.kill("reserve-bank")
        with pytest.raises(OperatingError):
            await pay(banks, line, "P2")
        banks.start("reserve-bank")
        assert await pay(banks, line, "P2") == "ACSC"
        assert banks.balance("bank-a", banks.shop) == 1_200
        assert banks.balance("reserve-bank", banks.reserve) == 98_800
        status = await line.status(banks.named("P2"))
        assert status is not None
        assert status.transfers[0].status == "ACSC"
    finally:
        await line.close()


@pytest.mark.asyncio
async def test_a_payout_comes_back_and_another_is_recalled(banks: Banks) -> None:
    line = banks.line()
    try:
        banks.arm("bank-a", return_later=1)
        assert await pay(banks, line, "P1") == "ACSC"
        banks.control("bank-a", "/control/clock", {"advance_ms": 0})
        day = date.fromisoformat(banks.control("reserve-bank", "/control/clock")["day"])
        page = await line.statement(banks.reserve, day)
        assert [entry.reference for entry in page.entries][-2:] == [
            banks.named("P1"), banks.named("RTN-P1"),
        ]  # fmt: skip

        assert await pay(banks, line, "P2") == "ACSC"
        recall = iso20022.Recall(
            "C1", 1, "TILLWAY", "RESERVE-BANK", banks.named("P2"), cny(600), day, "CUST"
        )
        assert (await line.recall(recall)).confirmation == "CNCL"
        banks.control("bank-a", "/control/clock", {"advance_ms": 0})
        news = await line.bookings(banks.reserve, 0)
        assert [entry.reference for entry in news.entries][-2:] == [
            banks.named("P2"), banks.named("RTN-P2"),
        ]  # fmt: skip
        assert banks.balance("reserve-bank", banks.reserve) == 100_000
    finally:
        await line.close()


@pytest.mark.asyncio
async def test_without_a_known_signature_nothing_is_moved(banks: Banks) -> None:
    stranger = Institution(
        url=banks.state.find("reserve-bank").url(),
        key=generate("ES256"),
        peer=banks.state.find("reserve-bank").key,
    )
    try:
        with pytest.raises((OperatingError, CallerError)):
            await pay(banks, stranger, "P1")
        assert banks.balance("reserve-bank", banks.reserve) == 100_000
        assert banks.balance("reserve-bank", RESERVE) == 0
    finally:
        await stranger.close()


def draw(banks: Banks, name: str, debtor_agent: str) -> bytes:
    """The pacs.008 by which a bank pays our reserve from its settlement account."""
    transfer = iso20022.InterbankTransfer(
        name, UETR, cny(600), "Somebody", "X-1", "Tillway", banks.reserve, "a test"
    )
    day = date(2026, 9, 23)
    return iso20022.write_transfers(
        iso20022.InterbankTransfers(name, 1, day, debtor_agent, "RESERVE-BANK", (transfer,))
    )


@pytest.mark.asyncio
async def test_a_settlement_account_pays_by_its_own_banks_key_only(banks: Banks) -> None:
    """Our key is known but is no bank's, and a bank's key opens no other member's account."""
    path, reserve = "/rtgs/credit-transfers", banks.state.find("reserve-bank")
    ours = banks.line()
    key = own_key(banks.state.state_dir / "bank-a")
    bank_a = Institution(url=reserve.url(), key=key, peer=reserve.key)
    before = banks.balance("reserve-bank", "SETTLE-BANK-A")
    try:
        for line, debtor in ((ours, "BANK-A"), (bank_a, "NUCC"), (bank_a, "../BANK-A")):
            with pytest.raises(OperatingError, match="HTTP 401"):
                await line.ask("POST", path, draw(banks, "D1", debtor))
        assert banks.balance("reserve-bank", banks.reserve) == 100_000
        assert await bank_a.ask("POST", path, draw(banks, "D1", "BANK-A"))
        assert banks.balance("reserve-bank", banks.reserve) == 100_600
        assert banks.balance("reserve-bank", "SETTLE-BANK-A") == before - 600
    finally:
        await ours.close()
        await bank_a.close()


def net(name: str, debtor: str, creditor: str) -> bytes:
    """The pacs.009 of one leg, as a clearing house's result comes."""
    leg = iso20022.Leg(f"STL-{name}", debtor, creditor, cny(600))
    return iso20022.write_financial(iso20022.FinancialTransfers(name, 1, date(2026, 9, 23), (leg,)))


def liquidity(name: str, debtor: str, creditor: str) -> bytes:
    """The camt.050 that moves 600 fen between accounts."""
    return iso20022.write_liquidity(
        iso20022.LiquidityTransfer(
            name, 1, f"E-{name}", debtor, creditor, cny(600), date(2026, 9, 23)
        )
    )


def returned(name: str, end_to_end_id: str) -> bytes:
    """The pacs.004 of a transfer of 600 fen."""
    back = iso20022.Return(f"R-{name}", end_to_end_id, cny(600), "AC03")
    return iso20022.write_returns(iso20022.Returns(name, 1, date(2026, 9, 23), (back,)))


@pytest.mark.asyncio
async def test_members_messages_move_money_of_their_signers_only(banks: Banks) -> None:
    """Neither our own key nor a bank's debits somebody else, whatever the message is."""
    reserve = banks.state.find("reserve-bank")
    ours = banks.line()
    key = own_key(banks.state.state_dir / "bank-a")
    bank_a = Institution(url=reserve.url(), key=key, peer=reserve.key)
    name, spare = banks.named("S"), banks.named("RESERVE-SPARE")
    banks.control("reserve-bank", "/control/accounts", {"account": spare, "kind": "reserve"})
    try:
        assert await pay(banks, ours, "P9") == "ACSC"
        before = banks.balance("reserve-bank", banks.reserve)
        for line, path, body in (
            (bank_a, "transfers", net(name, banks.reserve, "SETTLE-BANK-A")),
            (bank_a, "transfers", net(name, "SETTLE-NUCC", "SETTLE-BANK-A")),
            (ours, "transfers", net(name, "SETTLE-BANK-A", banks.reserve)),
            (bank_a, "liquidity", liquidity(name, banks.reserve, "SETTLE-BANK-A")),
            (ours, "liquidity", liquidity(name, "SETTLE-BANK-A", banks.reserve)),
            (ours, "returns", returned(name, banks.named("P9"))),
        ):
            with pytest.raises(OperatingError, match="HTTP 401"):
                await line.ask("POST", f"/rtgs/{path}", body)
        assert banks.balance("reserve-bank", banks.reserve) == before
        assert await bank_a.ask("POST", "/rtgs/returns", returned(name, banks.named("P9")))
        assert await bank_a.ask(
            "POST", "/rtgs/transfers", net(f"{name}N", "SETTLE-BANK-A", banks.reserve)
        )
        # A large payment of today: settled, or too late by the window of the day it is run on.
        said = await ours.ask(
            "POST", "/rtgs/liquidity", liquidity(f"{name}L", banks.reserve, spare)
        )
        assert said is not None
        moved = 600 if iso20022.read_receipt(said).status == "STLD" else 0
        assert banks.balance("reserve-bank", spare) == moved
        assert banks.balance("reserve-bank", banks.reserve) == before + 1_200 - moved
    finally:
        await ours.close()
        await bank_a.close()


@pytest.mark.asyncio
async def test_a_statement_is_late_or_spoilt_as_its_bank_is_told(banks: Banks) -> None:
    today = date.fromisoformat(banks.control("reserve-bank", "/control/clock")["day"])
    line = banks.line()

    async def entries(day: date) -> list[tuple[str, int]]:
        statement = await line.statement(banks.reserve, day)
        return [(one.reference, one.amount.amount_minor) for one in statement.entries]

    try:
        banks.arm("reserve-bank", delay_past_cutoff=1)
        assert await pay(banks, line, "P1") == await pay(banks, line, "P2", 700) == "ACSC"
        late, true = (banks.named("P1"), -600), await entries(today)
        assert late not in true
        assert true[-1] == (banks.named("P2"), -700)
        assert await entries(today + timedelta(days=1)) == [late]
        first = (true[0][0], true[0][1] + 1)
        for fault, spoilt in (
            ("amount_off_by_one", [first, *true[1:]]),
            ("row_missing", true[:-1]),
            ("row_twice", [*true, true[0]]),
        ):
            banks.arm("reserve-bank", **{fault: 1})
            assert await entries(today) == spoilt
            assert await entries(today) == true
    finally:
        await line.close()
