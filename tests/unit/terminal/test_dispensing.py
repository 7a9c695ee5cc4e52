"""The shell and the dispenser: its word is waited for, and its trouble is not lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import OperatingError, from_code
from terminal import vending
from terminal.adapters.memory_link import MemoryLink
from terminal.adapters.system import SystemClock, SystemEntropy
from terminal.agent import Agent
from terminal.domain.delivery import Delivery
from terminal.domain.sale import Sale
from terminal.journal.store import Journal
from terminal.ports import Dispenser
from terminal.profile import Item
from terminal.shell import Shell, ShellPorts
from terminal.slip import receipt_bytes
from tests.kit.patience import PATIENCE_S
from tests.support.tills import FakeBackend
from tests.unit.terminal.fakes import DEVICE_KEY, TID, profile, trust


class Motor:
    """Says what the test wants, when the test wants."""

    def __init__(self, trouble: BaseException | None = None) -> None:
        self.trouble = trouble
        self.runs: list[str] = []
        self.may_end = asyncio.Event()

    async def dispense(self, item: str) -> None:
        self.runs.append(item)
        await self.may_end.wait()
        if self.trouble is not None:
            raise self.trouble


@asynccontextmanager
async def running_machine(
    path: Path, dispenser: Dispenser | None
) -> AsyncIterator[tuple[Shell, Agent, "asyncio.Task[None]"]]:
    clock = SystemClock()
    journal = Journal(path / "journal.db", tid=TID, now_ms=clock.now_ms())
    item = Item(item="tea", zh="茶", en="Tea", amount_minor=350)
    agent = Agent(
        profile=profile(
            kind="vending", methods=("mandate",), is_attended=False, mandate_id="mdt_1",
            items=(item,),
        ),
        key=DEVICE_KEY, trust=trust(), journal=journal, clock=clock, entropy=SystemEntropy(),
    )  # fmt: skip
    shell = Shell(
        ShellPorts(
            agent=agent, link=MemoryLink(FakeBackend()), clock=clock, render=receipt_bytes,
            dispenser=dispenser,
        )
    )  # fmt: skip
    task = asyncio.create_task(shell.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield shell, agent, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        journal.close()


async def becomes(shell: Shell, agent: Agent, delivery: Delivery) -> Sale:
    """The latest sale, once its goods are there."""
    async for _ in shell.screens(after=0):
        sale = next(iter(agent.recent(1)), None)
        if sale is not None and sale.delivery is delivery:
            return sale
    raise AssertionError(delivery)


@pytest.mark.asyncio
async def test_an_item_is_given_when_the_motor_has_said_so_and_not_before(tmp_path: Path) -> None:
    motor = Motor()
    async with running_machine(tmp_path, motor) as (shell, agent, _):
        await shell.command(vending.select(agent.profile, "tea", shell.now_ms()))
        sale = await becomes(shell, agent, Delivery.DISPENSING)
        assert (sale.state, motor.runs) == ("paid", ["tea"])
        motor.may_end.set()
        await becomes(shell, agent, Delivery.GIVEN)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("code", "delivery", "state"),
    [
        ("item_not_given", Delivery.NOT_GIVEN, "reversing"),
        ("device_no_reply", Delivery.UNCERTAIN, "paid"),
    ],
)
async def test_the_motors_trouble_reaches_the_sale(
    tmp_path: Path, code: str, delivery: Delivery, state: str
) -> None:
    motor = Motor(from_code(code))
    motor.may_end.set()
    async with running_machine(tmp_path, motor) as (shell, agent, _):
        await shell.command(vending.select(agent.profile, "tea", shell.now_ms()))
        assert (await becomes(shell, agent, delivery)).state == state


@pytest.mark.asyncio
async def test_a_motor_that_never_answers_leaves_it_uncertain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("terminal.shell.DISPENSE_WAIT_S", 0.01)
    async with running_machine(tmp_path, Motor()) as (shell, agent, _):
        await shell.command(vending.select(agent.profile, "tea", shell.now_ms()))
        await becomes(shell, agent, Delivery.UNCERTAIN)


@pytest.mark.asyncio
async def test_a_machine_without_a_dispenser_gives_the_money_back(tmp_path: Path) -> None:
    async with running_machine(tmp_path, None) as (shell, agent, _):
        await shell.command(vending.select(agent.profile, "tea", shell.now_ms()))
        assert (await becomes(shell, agent, Delivery.NOT_GIVEN)).error_code == "item_not_given"


@pytest.mark.asyncio
async def test_a_bug_in_the_dispenser_ends_the_program_and_is_not_swallowed(
    tmp_path: Path,
) -> None:
    motor = Motor(AssertionError("a bug"))
    motor.may_end.set()
    async with running_machine(tmp_path, motor) as (shell, agent, task):
        await shell.command(vending.select(agent.profile, "tea", shell.now_ms()))
        done: Any = (await asyncio.gather(task, return_exceptions=True))[0]
        assert isinstance(done, BaseExceptionGroup)
        assert agent.recent(1)[0].delivery is Delivery.DISPENSING
    motor = Motor(OperatingError("device_no_reply"))
    async with running_machine(tmp_path, motor) as (shell, agent, _):
        await becomes(shell, agent, Delivery.UNCERTAIN)
        assert motor.runs == []
