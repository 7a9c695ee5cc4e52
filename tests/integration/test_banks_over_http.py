"""The reserve bank and a commercial bank as processes, steered and killed as people would."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
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
from tests.support.banks import RESERVE, instruction
from tests.support.iso20022 import UETR, cny

START_TIMEOUT_S = 30
BANKS = ("reserve-bank", "bank-a")


@dataclass
class Banks:
    """Two processes over one state directory, and our line to the reserve bank."""

    directory: Path
    key: Any = field(default_factory=lambda: generate("ES256"))
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

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
        process.wait(START_TIMEOUT_S)
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
                process.wait(START_TIMEOUT_S)
            if process.poll() is None:
                process.kill()
                process.wait(START_TIMEOUT_S)
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture
def banks(tmp_path: Path) -> Iterator[Banks]:
    found = Banks(tmp_path)
    try:
        for name in BANKS:
            found.start(name)
        found.control("bank-a", "/control/accounts", {"account": "A-SHOP", "name": "A shop"})
        found.control(
            "reserve-bank",
            "/control/accounts",
            {"account": "RESERVE-FULL", "kind": "reserve", "opening_minor": 100_000},
        )
        yield found
    finally:
        found.stop()


FULL = "RESERVE-FULL"


async def pay(line: Institution, name: str, amount_minor: int = 600) -> str:
    report = await line.instruct(instruction(name, amount_minor, "A-SHOP", FULL))
    return report.transfers[0].status


async def until_settled(line: Institution, name: str) -> None:
    for _ in range(50):
        with suppress(OperatingError):
            if await pay(line, name) == "ACSC":
                return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{name} was not settled")


@pytest.mark.asyncio
@pytest.mark.timeout(180)
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
                    await pay(line, f"P{count}")
                banks.control(name, "/control/late", {})
                await until_settled(line, f"P{count}")
                assert banks.balance("bank-a", "A-SHOP") == 600 * count
                assert banks.balance("reserve-bank", FULL) == 100_000 - 600 * count
    finally:
        await line.close()


@pytest.mark.asyncio
@pytest.mark.timeout(180)
async def test_a_bank_killed_between_booking_and_answer_is_asked_again(banks: Banks) -> None:
    line = banks.line()
    try:
        banks.arm("bank-a", drop_answer_after_commit=1)
        assert await pay(line, "P1") == "PDNG"
        banks.kill("bank-a")
        assert await pay(line, "P1") == "PDNG"
        banks.start("bank-a")
        await until_settled(line, "P1")

        banks.arm("reserve-bank", drop_answer_after_commit=1)
        with pytest.raises(OperatingError):
            await pay(line, "P2")
        banks.kill("reserve-bank")
        with pytest.raises(OperatingError):
            await pay(line, "P2")
        banks.start("reserve-bank")
        assert await pay(line, "P2") == "ACSC"
        assert banks.balance("bank-a", "A-SHOP") == 1_200
        assert banks.balance("reserve-bank", FULL) == 98_800
        status = await line.status("P2")
        assert status is not None
        assert status.transfers[0].status == "ACSC"
    finally:
        await line.close()


@pytest.mark.asyncio
@pytest.mark.timeout(180)
async def test_a_payout_comes_back_and_another_is_recalled(banks: Banks) -> None:
    line = banks.line()
    try:
        banks.arm("bank-a", return_later=1)
        assert await pay(line, "P1") == "ACSC"
        banks.control("bank-a", "/control/clock", {"advance_ms": 0})
        day = date.fromisoformat(banks.control("reserve-bank", "/control/clock")["day"])
        page = await line.statement(FULL, day)
        assert [entry.reference for entry in page.entries][-2:] == ["P1", "RTN-P1"]

        assert await pay(line, "P2") == "ACSC"
        recall = iso20022.Recall("C1", 1, "TILLWAY", "RESERVE-BANK", "P2", cny(600), day, "CUST")
        assert (await line.recall(recall)).confirmation == "CNCL"
        banks.control("bank-a", "/control/clock", {"advance_ms": 0})
        news = await line.bookings(FULL, 0)
        assert [entry.reference for entry in news.entries][-2:] == ["P2", "RTN-P2"]
        assert banks.balance("reserve-bank", FULL) == 100_000
    finally:
        await line.close()


@pytest.mark.asyncio
@pytest.mark.timeout(60)
async def test_without_a_known_signature_nothing_is_moved(banks: Banks) -> None:
    stranger = Institution(
        url=banks.state.find("reserve-bank").url(),
        key=generate("ES256"),
        peer=banks.state.find("reserve-bank").key,
    )
    try:
        with pytest.raises((OperatingError, CallerError)):
            await pay(stranger, "P1")
        assert banks.balance("reserve-bank", FULL) == 100_000
        assert banks.balance("reserve-bank", RESERVE) == 0
    finally:
        await stranger.close()


def draw(name: str, debtor_agent: str) -> bytes:
    """The pacs.008 by which a bank pays our reserve from its settlement account."""
    transfer = iso20022.InterbankTransfer(
        name, UETR, cny(600), "Somebody", "X-1", "Tillway", FULL, "a test"
    )
    day = date(2026, 9, 23)
    return iso20022.write_transfers(
        iso20022.InterbankTransfers(name, 1, day, debtor_agent, "RESERVE-BANK", (transfer,))
    )


@pytest.mark.asyncio
@pytest.mark.timeout(60)
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
                await line.ask("POST", path, draw("D1", debtor))
        assert banks.balance("reserve-bank", FULL) == 100_000
        assert await bank_a.ask("POST", path, draw("D1", "BANK-A"))
        assert banks.balance("reserve-bank", FULL) == 100_600
        assert banks.balance("reserve-bank", "SETTLE-BANK-A") == before - 600
    finally:
        await ours.close()
        await bank_a.close()
