"""Goal: the driver of the secure element signs once, spends no tries, and a bad line gives a clear
error in stated time.

Method: the simulated element over a pty, one fault at a time.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.faults import Fault, FaultKind
from firmware_sim.hosting import HostedBoard
from firmware_sim.kinds.secure_element import KIND
from protocol.errors import CallerError, OperatingError
from terminal.adapters.secure_element import SerialSecureElement
from terminal.cli import probe
from tests.kit.drivers import Opened
from tests.kit.stopwatch import Stopwatch

PIN = b"123456"
MESSAGE = b"a payment"


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[HostedBoard]:
    entry = KIND.entry.model_validate({"kind": "secure_element", "pin": PIN.decode()})
    file = BoardFile("safe", {"element": BoardDevice(KIND, entry)})
    with HostedBoard(file, state_dir=tmp_path, pace=False) as board:
        yield board


def _element(hosted: HostedBoard, opened: Opened, pin: bytes | None = PIN) -> SerialSecureElement:
    return opened(SerialSecureElement(hosted.paths["element"], pin=pin))


@pytest.mark.asyncio
async def test_it_makes_a_key_signs_counts_and_tells_its_state(
    hosted: HostedBoard, opened: Opened
) -> None:
    element = _element(hosted, opened)
    public = await element.generate(1)
    assert await element.public_key(1) == public
    assert public.verify(await element.sign(1, MESSAGE, public), MESSAGE)
    assert [await element.count(0), await element.count(0), await element.counted(0)] == [1, 2, 2]
    status = await element.status()
    assert (status.slots, status.is_unlocked, status.tries_left) == ((1,), True, 5)
    with pytest.raises(CallerError, match="field_invalid"):
        await element.generate(1)


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.FLIP, FaultKind.NOISE])
@pytest.mark.parametrize("at", [0, 9])
async def test_a_damaged_answer_is_asked_for_again_and_nothing_is_counted_twice(
    hosted: HostedBoard, opened: Opened, kind: FaultKind, at: int
) -> None:
    element = _element(hosted, opened)
    assert await element.count(0) == 1
    hosted.set_fault("element", Fault(kind, at=at))
    assert await element.count(0) == 2
    assert hosted.state("element")["counters"] == [2, 0, 0, 0]


@pytest.mark.asyncio
async def test_an_element_whose_answers_are_all_damaged_is_bad_frame(
    hosted: HostedBoard, opened: Opened
) -> None:
    element = _element(hosted, opened)
    await element.status()
    hosted.set_fault("element", Fault(FaultKind.FLIP, at=5, repeat=True))
    with pytest.raises(OperatingError, match="device_bad_frame"):
        await element.status()


@pytest.mark.asyncio
async def test_a_silent_element_is_no_reply_within_three_seconds_and_is_heard_again(
    hosted: HostedBoard, opened: Opened
) -> None:
    element = _element(hosted, opened)
    hosted.set_fault("element", Fault(FaultKind.SILENT))
    with Stopwatch() as watch, pytest.raises(OperatingError, match="device_no_reply"):
        await element.status()
    assert watch.had_s < 3
    hosted.set_fault("element", Fault())
    assert (await element.status()).is_initialised


@pytest.mark.asyncio
async def test_slow_bytes_are_waited_for(hosted: HostedBoard, opened: Opened) -> None:
    element = _element(hosted, opened)
    await element.status()
    hosted.set_fault("element", Fault(FaultKind.SLOW, slow_byte_ms=50))
    assert (await element.status()).is_initialised


@pytest.mark.asyncio
async def test_it_unlocks_again_after_a_power_cut_and_comes_back_after_the_plug(
    hosted: HostedBoard, opened: Opened, tmp_path: Path
) -> None:
    element = opened(SerialSecureElement(str(tmp_path / "dev" / "element"), pin=PIN))
    public = await element.generate(0)
    hosted.call(lambda board: board.link("element").power_off())
    hosted.call(lambda board: board.link("element").power_on())
    assert public.verify(await element.sign(0, MESSAGE, public), MESSAGE)
    hosted.call(lambda board: board.unplug("element"))
    with pytest.raises(OperatingError, match="device_disconnected"):
        await element.sign(0, MESSAGE, public)
    hosted.call(lambda board: board.plug("element"))
    assert public.verify(await element.sign(0, MESSAGE, public), MESSAGE)


@pytest.mark.asyncio
async def test_a_wrong_pin_is_not_tried_until_the_element_blocks(
    hosted: HostedBoard, opened: Opened
) -> None:
    element = _element(hosted, opened, pin=b"000000")
    codes = []
    for _ in range(5):
        with pytest.raises(CallerError) as refused:
            await element.count(0)
        codes.append(refused.value.code)
    assert codes == ["element_locked"] * 3 + ["element_blocked"] * 2
    assert hosted.state("element")["tries_left"] == 2


@pytest.mark.asyncio
async def test_without_a_pin_after_the_lid_and_with_another_key_nothing_is_signed(
    hosted: HostedBoard, opened: Opened
) -> None:
    element = _element(hosted, opened)
    public, other = await element.generate(0), await element.generate(1)
    with pytest.raises(CallerError, match="element_key_missing"):
        await element.sign(0, MESSAGE, other)
    with pytest.raises(CallerError, match="element_key_missing"):
        await element.sign(2, MESSAGE, public)
    hosted.do("element", "open_case")
    with pytest.raises(CallerError, match="element_tampered"):
        await element.sign(0, MESSAGE, public)
    assert (await element.status()).is_tampered


@pytest.mark.asyncio
async def test_an_element_that_asks_for_a_pin_that_nobody_gave_is_locked(
    hosted: HostedBoard, opened: Opened
) -> None:
    with pytest.raises(CallerError, match="element_locked"):
        await _element(hosted, opened, pin=None).count(0)


@pytest.mark.asyncio
async def test_signatures_asked_for_together_come_in_order_and_leave_the_loop_free(
    hosted: HostedBoard, opened: Opened
) -> None:
    element = _element(hosted, opened)
    public = await element.generate(0)
    messages = [bytes([number]) for number in range(5)]
    signatures = await asyncio.gather(*(element.sign(0, said, public) for said in messages))
    assert all(map(public.verify, signatures, messages))


def test_the_probe_tells_what_the_element_says(
    hosted: HostedBoard, capsys: pytest.CaptureFixture[str]
) -> None:
    probe("secure_element", hosted.paths["element"], 5.0)
    printed = capsys.readouterr().out.splitlines()[-1]
    found = json.loads(printed)
    assert (found["is_initialised"], found["tries_left"]) == (True, 5)
    assert PIN.decode() not in printed
