"""Goal: the makers' driver and ours take card payments from the simulated PIN pad over a pty."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from telium import Telium, TeliumAsk

from firmware_sim.board_file import board_with
from firmware_sim.devices.telium import TeliumPinPad as SimulatedPinPad
from firmware_sim.hosting import HostedBoard
from protocol.errors import OperatingError
from protocol.framing import telium
from terminal.adapters.telium_pinpad import TeliumPinPad
from terminal.cli import _CARD_EXITS
from terminal.ports import CardOutcome, CardResult
from terminal.probes import probe_named
from tests.kit.drivers import Opened
from tests.kit.patience import PATIENCE_S

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[HostedBoard]:
    """A board with a PIN pad."""
    file = board_with("telium", device="pinpad")
    with HostedBoard(file, state_dir=tmp_path, pace=False) as board:
        yield board


def _wait_for_card_phase(hosted: HostedBoard) -> None:
    until = time.monotonic() + PATIENCE_S
    while hosted.state("pinpad")["phase"] != "card":
        assert time.monotonic() < until, "the pin pad asks for no card"
        time.sleep(0.02)


def _present_when_asked(hosted: HostedBoard, card: str = "visa") -> threading.Thread:
    """A payer who waits for the display."""

    def wait_and_present() -> None:
        _wait_for_card_phase(hosted)
        hosted.do("pinpad", "present", card=card, by="contactless")

    payer = threading.Thread(target=wait_and_present)
    payer.start()
    return payer


@pytest.mark.parametrize("is_full", [True, False])
def test_pyteliummanager_takes_a_payment(hosted: HostedBoard, is_full: bool) -> None:
    driver = Telium(hosted.paths["pinpad"])
    try:
        ask = TeliumAsk.new_payment(
            12.5, target_currency="EUR", collect_payment_source_info=is_full
        )
        assert driver.is_ok()
        assert driver.ask(ask)
        _wait_for_card_phase(hosted)
        hosted.do("pinpad", "present", card="mastercard", by="contactless")
        answer = driver.verify(ask, waiting_timeout=5)
    finally:
        driver.close()
    assert answer is not None
    assert answer.has_succeeded
    assert (answer.amount, answer.currency_numeric) == (12.5, "978")
    assert answer.transaction_id == "000001    "
    if is_full:
        assert answer.card_id == "5555555555554444"
    assert hosted.state("pinpad")["phase"] == "idle"


def test_pyteliummanager_hears_of_a_cancelled_payment(hosted: HostedBoard) -> None:
    driver = Telium(hosted.paths["pinpad"])
    try:
        ask = TeliumAsk.new_payment(99999.99, target_currency="USD")
        assert driver.ask(ask)
        _wait_for_card_phase(hosted)
        hosted.do("pinpad", "cancel")
        answer = driver.verify(ask, waiting_timeout=5)
    finally:
        driver.close()
    assert answer is not None
    assert not answer.has_succeeded
    assert answer.transaction_result == 7


@pytest.mark.asyncio
async def test_our_driver_takes_a_payment_and_keeps_the_loop_free(
    hosted: HostedBoard, opened: Opened
) -> None:
    driver = opened(TeliumPinPad(hosted.paths["pinpad"]))
    payer = _present_when_asked(hosted)
    beats = 0
    paying = asyncio.create_task(driver.pay(1_280, "CNY", timeout_s=10))
    while not paying.done():
        beats += 1
        await asyncio.sleep(0.05)
    assert await paying == CardOutcome("approved", "411111******1111", "000001")
    assert beats > 5
    await asyncio.to_thread(payer.join)


@pytest.mark.asyncio
async def test_a_plug_pulled_while_a_card_is_asked_for_is_unknown_and_the_driver_comes_back(
    hosted: HostedBoard, tmp_path: Path, opened: Opened
) -> None:
    driver = opened(TeliumPinPad(str(tmp_path / "dev" / "pinpad")))
    paying = asyncio.create_task(driver.pay(1_280, "CNY", timeout_s=10))
    await asyncio.to_thread(_wait_for_card_phase, hosted)
    await asyncio.to_thread(hosted.call, lambda board: board.unplug("pinpad"))
    assert await paying == CardOutcome("unknown", why="device_disconnected")
    with pytest.raises(OperatingError, match="device_disconnected"):
        await driver.check()
    await asyncio.to_thread(hosted.call, lambda board: board.power("pinpad", on=False))
    await asyncio.to_thread(hosted.call, lambda board: board.power("pinpad", on=True))
    await asyncio.to_thread(hosted.call, lambda board: board.plug("pinpad"))
    await driver.check()


@pytest.mark.asyncio
async def test_the_probe_says_ready_or_busy(hosted: HostedBoard) -> None:
    probe, path = probe_named("telium"), hosted.paths["pinpad"]
    assert await probe(path, 1) == {"is_ready": True}
    ask = b"\x05" + telium.encode_ask(telium.Ask(amount_minor=100, currency_number="156")) + b"\x04"
    hosted.call(lambda board: board.device("pinpad", SimulatedPinPad).feed(ask, 0))
    with pytest.raises(OperatingError, match="busy"):
        await probe(path, 1)


def test_the_command_says_the_outcome_in_one_line_and_its_exit_code(hosted: HostedBoard) -> None:
    payer = _present_when_asked(hosted, "poor")
    command = [sys.executable, "-m", "tillway", "terminal", "card", hosted.paths["pinpad"], "1280"]
    ended = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)
    payer.join()
    assert ended.returncode == 1
    said = json.loads(ended.stdout)
    assert (said["result"], said["card"]) == ("declined", "400000******9995")
    assert set(_CARD_EXITS) == set(get_args(CardResult))
    assert _CARD_EXITS["approved"] == 0
