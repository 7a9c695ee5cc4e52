"""Goal: a customer presses a key of the simulated machine, the mandate pays, and the goods fall.

Method: the terminal's shell and driver against the board over a pty; the backend is a fake.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.hosting import HostedBoard
from firmware_sim.kinds.registry import kind_named
from protocol.errors import OperatingError
from terminal import vending
from terminal.adapters.mdb_cashless import MdbCashless
from terminal.adapters.memory_link import MemoryLink
from terminal.adapters.system import SystemClock, SystemEntropy
from terminal.agent import Agent
from terminal.domain.sale import Sale
from terminal.journal.store import Journal
from terminal.machine_sales import MachineSales
from terminal.probes import probe_named
from terminal.profile import Item
from terminal.shell import Shell, ShellPorts
from terminal.slip import receipt_bytes
from tests.kit.drivers import Opened
from tests.kit.patience import PATIENCE_S
from tests.support.tills import FakeBackend
from tests.unit.terminal.fakes import DEVICE_KEY, TID, profile, trust


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[HostedBoard]:
    """A vending board: tea for 3.50 in column 1, cola in column 2."""
    kind = kind_named("qibixx")
    columns = {1: {"price_minor": 350}, 2: {"price_minor": 450}}
    entry = kind.entry.model_validate({"kind": "qibixx", "machine": {"columns": columns}})
    file = BoardFile("vending", {"mdb": BoardDevice(kind, entry)})
    with HostedBoard(file, state_dir=tmp_path / "board", pace=False) as board:
        yield board


@asynccontextmanager
async def terminal(path: Path, machine: MdbCashless, backend: FakeBackend) -> AsyncIterator[Agent]:
    """A vending terminal that serves this machine."""
    clock = SystemClock()
    journal = Journal(path / "journal.db", tid=TID, now_ms=clock.now_ms())
    items = (Item(item="tea", zh="茶", en="Tea", amount_minor=350),
             Item(item="cola", zh="可乐", en="Cola", amount_minor=450))  # fmt: skip
    agent = Agent(
        profile=profile(
            kind="vending", methods=("mandate",), is_attended=False, mandate_id="mdt_1",
            items=items,
        ),
        key=DEVICE_KEY, trust=trust(), journal=journal, clock=clock, entropy=SystemEntropy(),
    )  # fmt: skip
    ports = ShellPorts(
        agent=agent, link=MemoryLink(backend), clock=clock, render=receipt_bytes,
        dispenser=machine,
    )  # fmt: skip
    shell = Shell(ports)
    wishes_of = partial(vending.wishes_of, agent.profile)
    sales = MachineSales(machine, wishes_of, shell, shell.now_ms)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(shell.run()),
            group.create_task(sales.run()),
        ]
        yield agent
        for task in tasks:
            task.cancel()
    journal.close()


async def _sees(hosted: HostedBoard, **wanted: object) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            state = await asyncio.to_thread(hosted.state, "mdb")
            if all(state[name] == value for name, value in wanted.items()):
                return
            await asyncio.sleep(0.02)


async def _becomes(agent: Agent, delivery: str) -> Sale:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            sale = next(iter(agent.recent(1)), None)
            if sale is not None and sale.delivery == delivery:
                return sale
            await asyncio.sleep(0.02)


@pytest.mark.asyncio
async def test_what_is_selected_is_paid_and_falls_and_a_jam_gives_the_money_back(
    hosted: HostedBoard, tmp_path: Path, opened: Opened
) -> None:
    machine = opened(MdbCashless(hosted.paths["mdb"], {1: "tea", 2: "cola"}))
    async with terminal(tmp_path, machine, FakeBackend()) as agent:
        await _sees(hosted, machine="ready")
        await asyncio.to_thread(hosted.do, "mdb", "select", item=1)
        sale = await _becomes(agent, "given")
        assert (sale.item, sale.amount_minor, sale.state) == ("tea", 350, "paid")
        await _sees(hosted, machine="ready", given=1)
        await asyncio.to_thread(hosted.do, "mdb", "jam", item=2)
        await asyncio.to_thread(hosted.do, "mdb", "select", item=2)
        sale = await _becomes(agent, "not_given")
        assert (sale.item, sale.state) == ("cola", "reversing")
        assert (await asyncio.to_thread(hosted.state, "mdb"))["given"] == 1


@pytest.mark.asyncio
async def test_what_is_declined_is_refused_at_the_machine_which_then_sells_on(
    hosted: HostedBoard, tmp_path: Path, opened: Opened
) -> None:
    backend = FakeBackend()
    backend.state = "declined"
    machine = opened(MdbCashless(hosted.paths["mdb"], {1: "tea"}))
    async with terminal(tmp_path, machine, backend):
        await _sees(hosted, machine="ready")
        await asyncio.to_thread(hosted.do, "mdb", "select", item=1)
        await _sees(hosted, machine="ready", display="NOT PAID", given=0)


@pytest.mark.asyncio
async def test_the_driver_comes_back_after_the_plug_and_the_probe_sees_the_machine(
    hosted: HostedBoard, tmp_path: Path, opened: Opened
) -> None:
    where = str(tmp_path / "board" / "dev" / "mdb")
    found = await probe_named("qibixx")(where, 1)
    assert found["state"] == "ENABLED"
    machine = opened(MdbCashless(where, {1: "tea"}))
    assert await machine.next_selection() is None
    await asyncio.to_thread(hosted.call, lambda board: board.unplug("mdb"))
    with pytest.raises(OperatingError, match="device_disconnected"):
        await machine.next_selection()
    await asyncio.to_thread(hosted.call, lambda board: board.plug("mdb"))
    assert await machine.next_selection() is None
    # The machine takes its reader for ready until it finds that there is another.
    await _sees(hosted, machine="ready", slave="enabled")
    await asyncio.to_thread(hosted.do, "mdb", "select", item=1)
    async with asyncio.timeout(PATIENCE_S):
        while (selection := await machine.next_selection()) is None:
            pass
    assert selection.item == "tea"
