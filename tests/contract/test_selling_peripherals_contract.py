"""Goal: card PIN pad, machine and customer display keep one contract with their dummy twins.

Method: the same tests run against each; the drivers talk to simulated devices over ptys.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from firmware_sim.board_file import board_with
from firmware_sim.hosting import HostedBoard
from protocol.errors import CallerError, OperatingError, is_known
from terminal.adapters.customer_display import SerialCustomerDisplay
from terminal.adapters.dummy import DummyCardPinPad, DummyCustomerDisplay, DummyMachine
from terminal.adapters.mdb_cashless import MdbCashless
from terminal.adapters.telium_pinpad import TeliumPinPad
from terminal.ports import (
    CardOutcome,
    CardPinPad,
    CustomerDisplay,
    CustomerView,
    Dispenser,
    Selection,
    SelectionSource,
)
from tests.kit.drivers import Opened
from tests.kit.patience import PATIENCE_S

TEA = Selection("tea", 300)


@dataclass(frozen=True, slots=True)
class PinPadRig:
    """A PIN pad, two cards, and its plug."""

    pinpad: CardPinPad
    hold_good: Callable[[], object]
    hold_poor: Callable[[], object]
    unplug: Callable[[], object]


@dataclass(frozen=True, slots=True)
class MachineRig:
    """A machine with tea for 3.00, and the hands at its keys."""

    source: SelectionSource
    dispenser: Dispenser
    select: Callable[[], object]
    jam: Callable[[], object]
    given: Callable[[], object]


@dataclass(frozen=True, slots=True)
class DisplayRig:
    """A display, what it shows, and its plug."""

    display: CustomerDisplay
    upper: Callable[[], str]
    unplug: Callable[[], object]
    plug: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the rigs of one test stand; all is closed after it."""

    stack: AsyncExitStack
    opened: Opened
    path: Path

    def board(self, kind: str) -> HostedBoard:
        """A board with one device of this kind."""
        file = board_with(kind, device="device")
        return self.stack.enter_context(HostedBoard(file, state_dir=self.path, pace=False))

    @property
    def port(self) -> str:
        """The device's name, which it keeps when it is put in again."""
        return str(self.path / "dev" / "device")


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """An empty bench."""
    async with AsyncExitStack() as stack:
        yield Bench(stack, await stack.enter_async_context(Opened()), tmp_path)


def _cut(dummy: DummyCardPinPad | DummyCustomerDisplay, *, is_in: bool) -> Callable[[], None]:
    def move() -> None:
        dummy.is_connected = is_in

    return move


@pytest.fixture(params=["dummy", "telium"])
def pinpad(request: pytest.FixtureRequest, bench: Bench) -> PinPadRig:
    """Each kind of PIN pad in turn."""
    if request.param == "dummy":
        dummy = bench.opened(DummyCardPinPad())
        good = CardOutcome("approved", "411111******1111", "000001")
        return PinPadRig(
            dummy,
            lambda: dummy.hold(good),
            lambda: dummy.hold(
                CardOutcome("declined", "400000******9995", why="card_not_approved")
            ),
            _cut(dummy, is_in=False),
        )
    hosted = bench.board("telium")
    return PinPadRig(
        bench.opened(TeliumPinPad(bench.port)),
        lambda: hosted.do("device", "hold", card="visa"),
        lambda: hosted.do("device", "hold", card="poor"),
        lambda: hosted.call(lambda board: board.unplug("device")),
    )


@pytest.fixture(params=["dummy", "qibixx"])
def machine(request: pytest.FixtureRequest, bench: Bench) -> MachineRig:
    """Each kind of machine in turn."""
    if request.param == "dummy":
        dummy = bench.opened(DummyMachine())
        return MachineRig(
            dummy,
            dummy,
            lambda: dummy.select(TEA),
            lambda: dummy.jammed.add("tea"),
            lambda: len(dummy.given),
        )
    hosted = bench.board("qibixx")
    driver = bench.opened(MdbCashless(bench.port, {1: "tea"}))
    return MachineRig(
        driver,
        driver,
        lambda: hosted.do("device", "select", item=1),
        lambda: hosted.do("device", "jam", item=1),
        lambda: hosted.state("device")["given"],
    )


@pytest.fixture(params=["dummy", "cd5220", "epson_vfd"])
def display(request: pytest.FixtureRequest, bench: Bench) -> DisplayRig:
    """Each kind of display in turn."""
    if request.param == "dummy":
        dummy = bench.opened(DummyCustomerDisplay())
        return DisplayRig(
            dummy,
            lambda: dummy.views[-1].upper if dummy.views else "",
            _cut(dummy, is_in=False),
            _cut(dummy, is_in=True),
        )
    hosted = bench.board(request.param)
    return DisplayRig(
        bench.opened(SerialCustomerDisplay(bench.port, request.param)),
        lambda: str(hosted.state("device")["upper"]).rstrip(),
        lambda: hosted.call(lambda board: board.unplug("device")),
        lambda: hosted.call(lambda board: board.plug("device")),
    )


@pytest.mark.asyncio
async def test_a_card_that_is_good_pays_and_is_told_masked(pinpad: PinPadRig) -> None:
    await pinpad.pinpad.check()
    await asyncio.to_thread(pinpad.hold_good)
    outcome = await pinpad.pinpad.pay(1_280, "CNY", timeout_s=10)
    assert (outcome.result, outcome.card) == ("approved", "411111******1111")
    assert outcome.reference


@pytest.mark.asyncio
async def test_a_card_without_money_is_declined(pinpad: PinPadRig) -> None:
    await asyncio.to_thread(pinpad.hold_poor)
    outcome = await pinpad.pinpad.pay(1_280, "CNY", timeout_s=10)
    assert (outcome.result, outcome.reference) == ("declined", "")
    assert is_known(outcome.why), "staff must be told why"


@pytest.mark.asyncio
async def test_a_payment_that_nobody_ends_is_unknown_and_never_an_error(pinpad: PinPadRig) -> None:
    outcome = await pinpad.pinpad.pay(1_280, "CNY", timeout_s=0.5)
    assert (outcome.result, outcome.why) == ("unknown", "device_no_reply")


@pytest.mark.asyncio
async def test_what_cannot_be_asked_is_refused_before_any_card(pinpad: PinPadRig) -> None:
    with pytest.raises(CallerError, match="currency_unsupported"):
        await pinpad.pinpad.pay(1_280, "XAU", timeout_s=1)
    with pytest.raises(CallerError, match="amount_invalid"):
        await pinpad.pinpad.refund(0, "CNY", timeout_s=1)


@pytest.mark.asyncio
async def test_an_unplugged_pin_pad_takes_no_payment(pinpad: PinPadRig) -> None:
    await pinpad.pinpad.check()
    await asyncio.to_thread(pinpad.unplug)
    with pytest.raises(OperatingError, match="device_disconnected"):
        await pinpad.pinpad.pay(1_280, "CNY", timeout_s=1)


async def _select(machine: MachineRig) -> None:
    """Press the key until the machine has heard it: one that has just come up sells nothing yet."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await asyncio.to_thread(machine.select)
            if (selection := await machine.source.next_selection()) is not None:
                assert selection == TEA
                return


@pytest.mark.asyncio
async def test_a_selection_is_told_once_and_given_once(machine: MachineRig) -> None:
    assert await machine.source.next_selection() is None
    await _select(machine)
    assert await machine.source.next_selection() is None
    await machine.dispenser.dispense("tea")
    assert await asyncio.to_thread(machine.given) == 1
    with pytest.raises(OperatingError, match="item_not_given"):
        await machine.dispenser.dispense("tea")
    assert await asyncio.to_thread(machine.given) == 1


@pytest.mark.asyncio
async def test_what_is_refused_or_jammed_is_not_given(machine: MachineRig) -> None:
    await _select(machine)
    await machine.source.refuse(TEA)
    with pytest.raises(OperatingError, match="item_not_given"):
        await machine.dispenser.dispense("tea")
    await asyncio.to_thread(machine.jam)
    await _select(machine)
    with pytest.raises(OperatingError, match="item_not_given"):
        await machine.dispenser.dispense("tea")
    assert await asyncio.to_thread(machine.given) == 0


async def _until_shown(display: DisplayRig, upper: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await asyncio.to_thread(display.upper) != upper:  # noqa: ASYNC110 - another loop's
            await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_a_display_shows_the_newest_view_also_after_its_plug_was_out(
    display: DisplayRig,
) -> None:
    await display.display.show(CustomerView("Scan to pay", "CNY 12.80"))
    await _until_shown(display, "Scan to pay")
    await asyncio.to_thread(display.unplug)
    with pytest.raises(OperatingError, match="device_disconnected"):
        await display.display.show(CustomerView("Paid", ""))
    await asyncio.to_thread(display.plug)
    await display.display.show(CustomerView("Thank you", ""))
    await _until_shown(display, "Thank you")
