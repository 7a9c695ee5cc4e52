"""Goal: a car park's exit and a meter that speak Modbus TCP are served as those on a serial line.

Method: our drivers against ``pymodbus``' own server, unmodified, over a real socket.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from protocol.errors import OperatingError
from protocol.framing import gate as at
from protocol.framing import paymeter
from terminal.adapters.modbus_gate import ModbusGate
from terminal.adapters.paymeter import ModbusPayMeter
from tests.kit.drivers import Opened
from tests.kit.patience import PATIENCE_S

CAR = 70_001


@asynccontextmanager
async def unit(
    inputs: list[bool], registers: list[int]
) -> AsyncIterator[tuple[str, AsyncModbusTcpClient]]:
    """Where a unit with these inputs and input registers is, and a foreign master that has dialled
    it, too."""
    bits, words = DataType.BITS, DataType.REGISTERS
    device = SimDevice(
        1,
        (
            [SimData(0, values=[False], datatype=bits)],
            [SimData(0, values=inputs, datatype=bits)],
            [SimData(0, values=[0] * at.HOLDINGS, datatype=words)],
            [SimData(0, values=registers, datatype=words)],
        ),
    )
    server = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    listening: Any = server.transport
    port = listening.sockets[0].getsockname()[1]
    master = AsyncModbusTcpClient("127.0.0.1", port=port)
    assert await master.connect()
    try:
        yield f"modbus-tcp:127.0.0.1:{port}", master
    finally:
        master.close()
        await server.shutdown()


async def holdings(master: AsyncModbusTcpClient, first: int, count: int) -> list[int]:
    found = await master.read_holding_registers(first, count=count, device_id=1)
    return list(found.registers)


@pytest.mark.asyncio
async def test_an_exit_lets_out_who_has_paid(opened: Opened) -> None:
    registers = [*at.words(CAR), *at.words(1_000), *at.words(4_600), 0]
    async with unit([True, True, False, False], registers) as (place, master):
        gate = opened(ModbusGate(place))
        car = await gate.car()
        assert car is not None
        assert (car.tag, car.now_s - car.entered_s, car.is_released) == (CAR, 3_600, False)
        await gate.notice(at.THANK_YOU)
        await gate.raise_for(CAR)
        coils = await master.read_coils(at.COIL_RAISE, count=1, device_id=1)
        assert coils.bits[0]
        assert await holdings(master, at.HOLDING_RELEASED, 2) == list(at.words(CAR))
        assert await holdings(master, at.HOLDING_NOTICE, 1) == [at.THANK_YOU]


@pytest.mark.asyncio
async def test_a_unit_that_refuses_and_one_that_is_not_there_say_so(opened: Opened) -> None:
    async with unit([True, False], [0]) as (place, _):
        with pytest.raises(OperatingError, match="exception 02"):
            await opened(ModbusGate(place)).car()
        with pytest.raises(OperatingError):
            await asyncio.wait_for(opened(ModbusGate(place, unit=9)).car(), PATIENCE_S)


@pytest.mark.asyncio
async def test_a_meter_takes_a_token(opened: Opened) -> None:
    registers = [0] * paymeter.REGISTERS
    registers[:2] = at.words(90_000)
    registers[paymeter.REGISTER_COUNT] = 5
    registers[paymeter.REGISTER_RESULT] = paymeter.TAKEN
    async with unit([False], registers) as (place, master):
        meter = opened(ModbusPayMeter(place))
        credit = await meter.credit()
        assert (credit.minutes, credit.count) == (90_000, 5)
        await meter.enter("123456789")
        assert await holdings(master, paymeter.HOLDING_TOKEN, 2) == list(at.words(123_456_789))
