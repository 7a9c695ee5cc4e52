"""Goal: the SSI driver reads codes, and a bad line gives a clear error in stated time.

Method: the driver on a port with the simulated engine behind it.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from firmware_sim.devices.sight import Sighting
from firmware_sim.devices.ssi import PROFILES
from firmware_sim.devices.ssi import SsiScanner as Engine
from firmware_sim.devices.ssi.machine import Power
from firmware_sim.faults import Fault, FaultKind
from protocol.errors import OperatingError, TillwayError
from protocol.framing import ssi
from terminal.adapters.ssi_scanner import SsiScanner
from tests.kit.device_port import DevicePort
from tests.kit.drivers import Opened
from tests.kit.patience import PATIENCE_S
from tests.kit.stopwatch import Stopwatch

CODE = "134567890123456789"
LONG_CODE = "0123456789" * 60


@pytest_asyncio.fixture
async def opened() -> AsyncIterator[Opened]:
    """Open a driver through this."""
    async with Opened() as drivers:
        yield drivers


def _port(model: str = "zebra") -> DevicePort:
    return DevicePort(Engine(lambda png: Sighting("QRCode", png.decode()), PROFILES[model]))


def _engine(port: DevicePort) -> Engine:
    assert isinstance(port.device, Engine)
    return port.device


def _driver(port: DevicePort, opened: Opened) -> SsiScanner:
    return opened(SsiScanner("-", open_port=lambda: port))


def _show(port: DevicePort, text: str = CODE) -> None:
    _engine(port).present(text.encode(), port.now_ms())


async def _until_reading(port: DevicePort) -> None:
    """Until a session is on and its acknowledgement has been read."""
    async with asyncio.timeout(PATIENCE_S):
        while not (_engine(port).is_reading and not port._arriving):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)


@pytest.mark.asyncio
@pytest.mark.parametrize("model", ["zebra", "gm67"])
@pytest.mark.parametrize("code", [CODE, LONG_CODE])
async def test_a_code_is_read_and_acknowledged(model: str, code: str, opened: Opened) -> None:
    port = _port(model)
    _show(port, code)
    assert await _driver(port, opened).scan(3) == code
    assert not _engine(port).transfer.is_busy
    assert not _engine(port).transfer.resent


@pytest.mark.asyncio
async def test_no_code_is_a_timeout_and_the_engine_stops(opened: Opened) -> None:
    port = _port()
    driver = _driver(port, opened)
    with pytest.raises(TillwayError, match="scan_timeout"):
        await driver.scan(0.3)
    assert not _engine(port).is_reading
    _show(port)
    assert await driver.scan(3) == CODE


@pytest.mark.asyncio
async def test_a_silent_engine_is_no_reply_within_three_seconds(opened: Opened) -> None:
    port = _port()
    port.set_fault(Fault(FaultKind.SILENT))
    with Stopwatch() as watch, pytest.raises(OperatingError, match="device_no_reply"):
        await _driver(port, opened).scan(5)
    assert watch.had_s < 3


@pytest.mark.asyncio
async def test_replies_that_are_always_damaged_are_bad_frame(opened: Opened) -> None:
    port = _port()
    port.set_fault(Fault(FaultKind.FLIP, at=4, repeat=True))
    with pytest.raises(OperatingError, match="device_bad_frame"):
        await _driver(port, opened).scan(5)


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.FLIP, FaultKind.NOISE])
async def test_one_damaged_acknowledgement_is_asked_for_again(
    kind: FaultKind, opened: Opened
) -> None:
    port = _port()
    port.set_fault(Fault(kind, at=2))
    _show(port)
    assert await _driver(port, opened).scan(3) == CODE


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.FLIP])
async def test_a_damaged_code_is_asked_for_again_and_comes_whole(
    kind: FaultKind, opened: Opened
) -> None:
    port = _port()
    scan = asyncio.create_task(_driver(port, opened).scan(5))
    await _until_reading(port)
    port.set_fault(Fault(kind, at=10))
    _show(port)
    assert await scan == CODE
    assert _engine(port).transfer.resent == 1


@pytest.mark.asyncio
async def test_a_code_that_is_damaged_every_time_is_bad_frame_and_never_believed(
    opened: Opened,
) -> None:
    port = _port()
    scan = asyncio.create_task(_driver(port, opened).scan(5))
    await _until_reading(port)
    port.set_fault(Fault(FaultKind.FLIP, at=10, repeat=True))
    _show(port)
    with pytest.raises(OperatingError, match="device_bad_frame"):
        await scan


@pytest.mark.asyncio
async def test_a_code_said_again_is_not_a_second_code(opened: Opened) -> None:
    port = _port()
    driver = _driver(port, opened)
    _show(port)
    assert await driver.scan(3) == CODE
    scan = asyncio.create_task(driver.scan(0.6))
    await _until_reading(port)
    engine = _engine(port)
    code_type = bytes([engine.profile.code_types["QRCode"]])
    again = ssi.Packet(ssi.Opcode.DECODE_DATA, code_type + CODE.encode(), ssi.DECODER, 1)
    port._arriving.append((0, ssi.encode(again)))
    with pytest.raises(TillwayError, match="scan_timeout"):
        await scan


@pytest.mark.asyncio
async def test_what_was_left_to_say_before_a_scan_is_flushed(opened: Opened) -> None:
    port = _port()
    driver = _driver(port, opened)
    with pytest.raises(TillwayError, match="scan_timeout"):
        await driver.scan(0.1)
    engine = _engine(port)
    engine.transfer.start([ssi.Packet(ssi.Opcode.DECODE_DATA, b"\x1c1", 0)], port.now_ms(), 2000)
    with pytest.raises(TillwayError, match="scan_timeout"):
        await driver.scan(0.1)
    assert not engine.transfer.is_busy


@pytest.mark.asyncio
async def test_a_sleeping_engine_is_woken(opened: Opened) -> None:
    port = _port()
    driver = _driver(port, opened)
    with pytest.raises(TillwayError, match="scan_timeout"):
        await driver.scan(0.1)
    _engine(port).power = Power.ASLEEP
    _show(port)
    assert await driver.scan(3) == CODE


@pytest.mark.asyncio
async def test_slow_bytes_are_read(opened: Opened) -> None:
    port = _port()
    driver = _driver(port, opened)
    scan = asyncio.create_task(driver.scan(5))
    await _until_reading(port)
    port.set_fault(Fault(FaultKind.SLOW, slow_byte_ms=20))
    _show(port)
    assert await scan == CODE


@pytest.mark.asyncio
async def test_an_engine_that_is_pulled_out_is_disconnected(opened: Opened) -> None:
    port = _port()
    scan = asyncio.create_task(_driver(port, opened).scan(5))
    await _until_reading(port)
    port.is_cut = True
    with pytest.raises(OperatingError, match="device_disconnected"):
        await scan


@pytest.mark.asyncio
async def test_a_code_that_is_not_ascii_is_bad_frame(opened: Opened) -> None:
    port = _port()
    _show(port, "收银")
    with pytest.raises(OperatingError, match="device_bad_frame"):
        await _driver(port, opened).scan(3)


@pytest.mark.asyncio
async def test_an_engine_that_lost_its_power_behind_the_port_is_set_up_anew(
    opened: Opened,
) -> None:
    port = _port()
    driver = _driver(port, opened)
    with pytest.raises(TillwayError, match="scan_timeout"):
        await driver.scan(0.1)
    _engine(port).boot(port.now_ms())
    assert _engine(port).mode == ssi.TRIGGER_HOLD
    _show(port)
    assert await driver.scan(3) == CODE
