"""Goal: the GM65 driver makes of every model of the family what it needs."""

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from firmware_sim.devices.gm65 import PROFILES, Gm65, Habits, Sighting
from protocol.errors import TillwayError
from protocol.framing import gm65
from terminal.adapters.gm65_scanner import Gm65Scanner
from tests.kit.device_port import DevicePort
from tests.kit.drivers import Opened

CODE = "134567890123456789"


LATE_S = 0.4
"""Long enough for the scanner to have read a code that lies in front of it."""


class LatePort(DevicePort):
    """A port on a busy machine: whoever reads it comes late, and finds much at once."""

    def read(self, size: int, /) -> bytes:
        if size == 1 and not self.in_waiting:
            time.sleep(LATE_S)
        return super().read(size)


@pytest_asyncio.fixture
async def opened() -> AsyncIterator[Opened]:
    """Open a driver through this."""
    async with Opened() as drivers:
        yield drivers


@pytest.mark.asyncio
@pytest.mark.parametrize("model", list(PROFILES))
async def test_each_model_is_read_as_it_leaves_the_factory(model: str, opened: Opened) -> None:
    habits = Habits(has_boot_line=True)
    scanner = Gm65(lambda png: Sighting("QRCode", png.decode()), PROFILES[model], habits)
    port = DevicePort(scanner)
    driver = opened(Gm65Scanner("-", open_port=lambda: port))
    with pytest.raises(TillwayError, match="scan_timeout"):
        await driver.scan(0.1)
    scanner.present(CODE.encode(), port.now_ms())
    assert await driver.scan(3) == CODE


@pytest.mark.asyncio
async def test_a_payer_cannot_set_the_scanner_up(opened: Opened) -> None:
    scanner = Gm65(lambda png: Sighting("QRCode", png.decode()))
    port = DevicePort(scanner)
    scanner.present(b"GROW#000D=01", port.now_ms())
    assert await opened(Gm65Scanner("-", open_port=lambda: port)).scan(3) == "GROW#000D=01"
    assert scanner.setups_done == 0
    assert not scanner.registers[gm65.REG_OUTPUT]


@pytest.mark.asyncio
async def test_a_scanner_that_lost_its_power_behind_the_port_is_set_up_anew(
    opened: Opened,
) -> None:
    scanner = Gm65(lambda png: Sighting("QRCode", png.decode()))
    port = DevicePort(scanner)
    driver = opened(Gm65Scanner("-", open_port=lambda: port))
    with pytest.raises(TillwayError, match="scan_timeout"):
        await driver.scan(0.1)
    scanner.boot(port.now_ms())
    assert scanner.registers.mode == gm65.MODE_MANUAL
    scanner.present(CODE.encode(), port.now_ms())
    assert await driver.scan(3) == CODE
    assert scanner.registers[gm65.REG_SETUP_CODE] == 2


@pytest.mark.asyncio
async def test_a_code_that_comes_with_the_acknowledgement_is_scanned(opened: Opened) -> None:
    scanner = Gm65(lambda png: Sighting("QRCode", png.decode()))
    port = LatePort(scanner)
    driver = opened(Gm65Scanner("-", open_port=lambda: port))
    scanner.present(CODE.encode(), port.now_ms())
    assert await driver.scan(3) == CODE
