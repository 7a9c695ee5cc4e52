"""Goal: a car pays at the simulated exit and is let out; who does not pay stays.

Method: the terminal's shell and Modbus driver against the board over a pty, the backend a fake;
and ``pymodbus``, unmodified, reads the same exit.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from pymodbus.client import ModbusSerialClient

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.hosting import HostedBoard
from firmware_sim.kinds.registry import kind_named
from protocol.framing import gate as at
from terminal import parking
from terminal.adapters.memory_link import MemoryLink
from terminal.adapters.modbus_gate import ModbusGate
from terminal.adapters.system import SystemClock, SystemEntropy
from terminal.agent import Agent
from terminal.domain.parking import Tariff
from terminal.journal.store import Journal
from terminal.machine_sales import MachineSales
from terminal.shell import Shell, ShellPorts
from terminal.slip import receipt_bytes
from tests.kit.drivers import Opened
from tests.kit.patience import PATIENCE_S
from tests.support.tills import FakeBackend
from tests.unit.terminal.fakes import DEVICE_KEY, TID, profile, trust

TARIFF = Tariff(per_minute_minor=10, free_minutes=5)
MANDATES = {7: "mdt_" + "0" * 26, 8: "mdt_" + "0" * 26}


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[HostedBoard]:
    """An exit of a car park where three cars have been for an hour, one for two minutes."""
    kind = kind_named("gate")
    cars = {7: 60, 8: 60, 9: 2}
    entry = kind.entry.model_validate({"kind": "gate", "cars": cars})
    file = BoardFile("parking", {"gate": BoardDevice(kind, entry)})
    with HostedBoard(file, state_dir=tmp_path / "board", pace=False) as board:
        yield board


@asynccontextmanager
async def terminal(path: Path, gate: ModbusGate, backend: FakeBackend) -> AsyncIterator[Agent]:
    clock = SystemClock()
    journal = Journal(path / "journal.db", tid=TID, now_ms=clock.now_ms())
    shop = profile(kind="parking", methods=("mandate",), is_attended=False, gives_once=True)
    agent = Agent(
        profile=shop, key=DEVICE_KEY, trust=trust(), journal=journal, clock=clock,
        entropy=SystemEntropy(),
    )  # fmt: skip
    lane = parking.ParkingExit(gate, TARIFF)
    ports = ShellPorts(
        agent=agent, link=MemoryLink(backend), clock=clock, render=receipt_bytes, dispenser=lane
    )
    shell = Shell(ports)
    wishes_of = partial(parking.wishes_of, shop, TARIFF, MANDATES)
    sales = MachineSales(lane, wishes_of, shell, shell.now_ms)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(shell.run()), group.create_task(sales.run())]
        yield agent
        for task in tasks:
            task.cancel()
    journal.close()


async def sees(hosted: HostedBoard, **wanted: object) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            state = await asyncio.to_thread(hosted.state, "gate")
            if all(state[name] == value for name, value in wanted.items()):
                return
            await asyncio.sleep(0.05)


@pytest.mark.asyncio
async def test_who_pays_is_let_out_and_who_does_not_is_not(
    hosted: HostedBoard, tmp_path: Path, opened: Opened
) -> None:
    gate = opened(ModbusGate(hosted.paths["gate"]))
    backend = FakeBackend()
    async with terminal(tmp_path, gate, backend) as agent:
        await asyncio.to_thread(hosted.do, "gate", "drive_up", tag=7)
        await sees(hosted, arm="up", notice="THANK YOU")
        [sale] = agent.recent(1)
        assert (sale.item or "").startswith("car-7-")
        assert sale.delivery == "given"
        assert 600 <= sale.amount_minor <= 630, "an hour, and the seconds since the board started"
        await asyncio.to_thread(hosted.do, "gate", "drive_out")
        await sees(hosted, arm="down", passages=1)
        await asyncio.to_thread(hosted.do, "gate", "drive_up", tag=9)
        await sees(hosted, arm="up")
        assert len(agent.recent(5)) == 1, "two minutes are free"
        await asyncio.to_thread(hosted.do, "gate", "drive_out")
        await sees(hosted, arm="down", passages=2)
        backend.state = "declined"
        await asyncio.to_thread(hosted.do, "gate", "drive_up", tag=8)
        await sees(hosted, arm="down", notice="NOT PAID", released=0)


def test_a_foreign_master_reads_the_exit(hosted: HostedBoard) -> None:
    hosted.do("gate", "drive_up", tag=7)
    client = ModbusSerialClient(hosted.paths["gate"], baudrate=9_600, timeout=2)
    assert client.connect()
    try:
        inputs = client.read_discrete_inputs(0, count=at.INPUTS, device_id=1)
        assert inputs.bits[: at.INPUTS] == [True, False, True, False]
        found = client.read_input_registers(0, count=at.REGISTERS, device_id=1).registers
        assert at.number(*found[:2]) == 7
        assert client.write_coil(at.COIL_RAISE, True, device_id=1).isError()
        released = client.write_registers(at.HOLDING_RELEASED, list(at.words(7)), device_id=1)
        assert not released.isError()
        assert not client.write_coil(at.COIL_RAISE, True, device_id=1).isError()
    finally:
        client.close()
