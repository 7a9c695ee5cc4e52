"""Goal: a meter that runs low buys a token under its mandate and takes it; a power cut between the
capture and the meter's word enters the same token again.

Method: the terminal's shell and driver against the simulated meter over a pty, the backend a fake.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.hosting import HostedBoard
from firmware_sim.kinds.registry import kind_named
from protocol.errors import CallerError, OperatingError
from protocol.framing.openpaygo import make_token
from terminal import metering
from terminal.adapters.memory_link import MemoryLink
from terminal.adapters.paymeter import ModbusPayMeter
from terminal.adapters.system import SystemClock, SystemEntropy
from terminal.agent import Agent
from terminal.config import load
from terminal.domain.delivery import Delivery
from terminal.inputs import ConfirmItem, Dismiss, ItemFailed, ItemGiven
from terminal.journal.store import Journal
from terminal.machine_sales import MachineSales
from terminal.ports import Credit, PayMeter, Selection
from terminal.shell import Shell, ShellPorts
from terminal.slip import receipt_bytes
from tests.kit.drivers import Opened
from tests.kit.patience import PATIENCE_S
from tests.support.tills import FakeBackend
from tests.unit.terminal.fakes import DEVICE_KEY, TID, Bench, opened, profile, trust

KEY = bytes.fromhex("a29ab82edc5fbbc41ec9530f6dac86b1")
METER: dict[str, Any] = {
    "kind": "meter", "methods": ("mandate",), "is_attended": False, "gives_once": True,
    "mandate_id": "mdt_" + "0" * 26,
}  # fmt: skip


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[HostedBoard]:
    kind = kind_named("paymeter")
    entry = kind.entry.model_validate({"kind": "paymeter", "credit_minutes": 30})
    file = BoardFile("meter", {"meter": BoardDevice(kind, entry)})
    with HostedBoard(file, state_dir=tmp_path / "board", pace=False) as board:
        yield board


def top_of(meter: PayMeter, *, key: bytes = KEY) -> metering.MeterTop:
    return metering.MeterTop(meter, key, days=7, price_minor=120, below_minutes=1_440)


@asynccontextmanager
async def terminal(
    path: Path, top: metering.MeterTop, backend: FakeBackend
) -> AsyncIterator[Agent]:
    clock = SystemClock()
    journal = Journal(path / "journal.db", tid=TID, now_ms=clock.now_ms())
    agent = Agent(
        profile=profile(**METER), key=DEVICE_KEY, trust=trust(), journal=journal, clock=clock,
        entropy=SystemEntropy(),
    )  # fmt: skip
    ports = ShellPorts(
        agent=agent, link=MemoryLink(backend), clock=clock, render=receipt_bytes, dispenser=top
    )
    shell = Shell(ports)
    wishes_of = partial(metering.wishes_of, agent.profile, 120)
    sales = MachineSales(top, wishes_of, shell, shell.now_ms)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(shell.run()), group.create_task(sales.run())]
        yield agent
        for task in tasks:
            task.cancel()
    journal.close()


async def ends(agent: Agent, delivery: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not agent.recent(1) or agent.recent(1)[0].delivery != delivery:  # noqa: ASYNC110  # the agent tells nobody
            await asyncio.sleep(0.02)


@pytest.mark.asyncio
async def test_a_meter_that_runs_low_buys_its_token_once(
    hosted: HostedBoard, tmp_path: Path, opened: Opened
) -> None:
    meter = opened(ModbusPayMeter(hosted.paths["meter"]))
    async with terminal(tmp_path, top_of(meter), FakeBackend()) as agent:
        await ends(agent, "given")
        state = await asyncio.to_thread(hosted.state, "meter")
        assert (state["count"], state["taken"], state["result"]) == (2, 1, "taken")
        await asyncio.sleep(1.5)
        [sale] = agent.recent(5)
        assert (sale.amount_minor, sale.item, sale.state) == (840, "token-2-7", "paid")
    await meter.enter(make_token(KEY, count=2, days=7))
    assert hosted.state("meter")["taken"] == 1, "the same token again adds nothing"
    with pytest.raises(OperatingError, match="item_not_given"):
        await meter.enter("000000001")


@pytest.mark.asyncio
async def test_a_token_that_the_meter_does_not_take_is_paid_back(
    hosted: HostedBoard, tmp_path: Path, opened: Opened
) -> None:
    meter = opened(ModbusPayMeter(hosted.paths["meter"]))
    async with terminal(tmp_path, top_of(meter, key=bytes(16)), FakeBackend()) as agent:
        await ends(agent, "not_given")
        assert agent.recent(1)[0].state == "reversing"


class HandMeter:
    """A meter that says what the test wants."""

    def __init__(self, count: int = 0) -> None:
        self.count, self.minutes, self.entered = count, 10, list[str]()
        self.trouble: OperatingError | None = None

    async def credit(self) -> Credit:
        await asyncio.sleep(0.01)
        return Credit(minutes=self.minutes, count=self.count)

    async def enter(self, digits: str) -> None:
        self.entered.append(digits)
        if self.trouble is not None:
            raise self.trouble

    async def aclose(self) -> None: ...


@pytest.mark.asyncio
@pytest.mark.parametrize("trouble", ["", "item_not_given"])
async def test_a_count_that_the_meter_took_or_refused_is_not_bought_again(
    trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metering, "METER_ASK_AGAIN_S", 0.0)
    meter = HandMeter()
    top = top_of(meter)
    first = await top.next_selection()
    assert first is not None
    assert first.item == "token-2-7"
    meter.trouble = OperatingError(trouble) if trouble else None
    with contextlib.suppress(OperatingError):
        await top.dispense(first.item)
    assert await top.next_selection() is None, "it asks for the same count"
    meter.count = 2
    second = await top.next_selection()
    assert second is not None
    assert second.item == "token-4-7"
    meter.count = 65_534
    assert await top.next_selection() is None, "there is no higher count"


@pytest.mark.asyncio
async def test_a_token_of_which_the_meter_says_nothing_goes_in_again_and_is_paid_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metering, "METER_SAY_AGAIN_S", 0.0)
    meter = HandMeter()
    meter.trouble = OperatingError("device_disconnected")
    async with terminal(tmp_path, top_of(meter), FakeBackend()) as agent:
        async with asyncio.timeout(PATIENCE_S):
            while len(meter.entered) < 3:  # noqa: ASYNC110  # the agent tells nobody
                await asyncio.sleep(0.02)
        meter.count, meter.minutes, meter.trouble = 2, 10_090, None  # its last answer was lost
        await ends(agent, "given")
        [sale] = agent.recent(5)
        assert (sale.item, sale.state, sale.error_code) == ("token-2-7", "paid", None)
    assert set(meter.entered) == {make_token(KEY, count=2, days=7)}


def test_after_a_power_cut_the_same_token_goes_in_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "journal.db", **METER)
    selection = Selection("token-4-7", 840, "12")
    [wish] = metering.wishes_of(bench.profile, 120, selection, bench.clock.now_ms())
    bench.feed(wish)
    said = opened_body(bench)["explanation"]
    assert (said["reason"], said["lines"][0]["quantity"]) == ("low", 7)
    bench.answer(bench.result("captured"))
    bench.wait(0)
    bench.power_cut()
    bench.boot()
    assert [one.item for one in bench.others if hasattr(one, "item")] == ["token-4-7"] * 2
    bench.feed(ItemGiven(bench.agent.recent(1)[0].payment_id))
    assert bench.agent.recent(1)[0].delivery is Delivery.GIVEN
    bench.power_cut()


def test_a_token_that_was_given_is_never_paid_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "journal.db", **METER)
    selection = Selection("token-4-7", 840, "12")
    [wish] = metering.wishes_of(bench.profile, 120, selection, bench.clock.now_ms())
    bench.feed(wish)
    bench.answer(bench.result("captured"))
    bench.wait(0)
    payment_id = bench.agent.recent(1)[0].payment_id
    bench.feed(ItemFailed(payment_id, "device_no_reply"))
    bench.feed(ConfirmItem(payment_id))  # the owner has looked; the meter's line is still cut
    bench.feed(wish)
    assert len(bench.sent_of("payment.create")) == 1
    assert (bench.kind, bench.agent.screen().delivery) == ("paid", "given")
    bench.power_cut()


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_payer_who_is_asked_has_time_and_the_token_still_goes_in(
    tmp_path: Path, is_cut: bool
) -> None:
    bench = Bench(tmp_path / "journal.db", **METER)
    selection = Selection("token-4-7", 840, "12")
    [wish] = metering.wishes_of(bench.profile, 120, selection, bench.clock.now_ms())
    bench.feed(wish)
    bench.answer(bench.result("awaiting_payer"))
    bench.wait(600_000)
    if is_cut:
        bench.power_cut()
        bench.boot()
        with pytest.raises(CallerError, match="payment_state"):
            bench.feed(wish)  # the meter asks anew
        bench.feed(Dismiss())
        bench.feed(wish)
    bench.answer(bench.result("captured"))
    bench.wait(0)
    [sale] = bench.agent.recent(5)
    assert (sale.state, sale.delivery) == ("paid", Delivery.DISPENSING)
    assert len(bench.sent_of("payment.create")) == 1
    bench.power_cut()


def opened_body(bench: Bench) -> dict[str, Any]:
    return dict(opened(bench.sent_of("payment.create")[-1]).body)


CONFIG = """
profile = "meter"
state_dir = "{state}"
[merchant]
id = "m-1"
zh = "电站"
en = "Power"
[devices]
paymeter = "/nonexistent/tty"
[meter]
mandate_id = "mdt_1"
per_day_minor = 120
"""


def test_a_meters_key_is_a_private_file_of_sixteen_bytes(tmp_path: Path) -> None:
    file, key = tmp_path / "terminal.toml", tmp_path / "meter-key"
    file.write_text(CONFIG.format(state=tmp_path))
    key.write_text(KEY.hex() + "\n")
    key.chmod(0o644)
    for content, mode in ((KEY.hex(), 0o644), ("abcd", 0o600), ("no key", 0o600)):
        key.write_text(content)
        key.chmod(mode)
        with pytest.raises(CallerError, match="config_invalid"):
            load(file).meter_key()
    key.write_text(KEY.hex() + "\n")
    assert load(file).meter_key() == KEY
