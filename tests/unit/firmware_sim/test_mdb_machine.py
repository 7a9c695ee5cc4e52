"""Goal: machine and reader sell together, and a power cut at any block loses no money unseen."""

import pytest

from firmware_sim.devices.mdb.bus import Bus
from firmware_sim.devices.mdb.cashless import CashlessReader, EventKind, ReaderProfile
from firmware_sim.devices.mdb.machine import MOTOR_MS, Column, MachineState, VendingMachine
from firmware_sim.devices.mdb.master import POLL_MS, ReaderMaster
from protocol.errors import CallerError


class _Shop:
    """A machine with two columns and its reader, in virtual time."""

    def __init__(self, profile: ReaderProfile | None = None) -> None:
        self.reader = CashlessReader(profile or ReaderProfile())
        self.reader.power_up()
        master = ReaderMaster(Bus([self.reader]))
        self.machine = VendingMachine({1: Column(300), 2: Column(450, stock=0)}, master)
        self.now_ms = 0
        self.machine.power_up(0)

    def run(self, milliseconds: int) -> None:
        """Let the bus go on."""
        until = self.now_ms + milliseconds
        while (due := self.machine.next_deadline_ms()) is not None and due <= until:
            self.now_ms = max(due, self.now_ms)
            self.machine.poll(self.now_ms)
        self.now_ms = until

    def state(self) -> MachineState:
        """The machine's, now."""
        return self.machine.state

    def kinds(self) -> list[EventKind]:
        """What the reader's owner has got to know, but the states."""
        return [event.kind for event in self.reader.events if event.kind is not EventKind.STATE]


@pytest.fixture
def shop() -> _Shop:
    """A shop that is open."""
    made = _Shop()
    made.run(2_000)
    return made


def test_a_machine_finds_its_reader_and_sets_it_up(shop: _Shop) -> None:
    assert shop.state() is MachineState.READY
    assert shop.machine.display == "SELECT"
    assert shop.reader.state.value == "enabled"
    assert shop.reader.is_idle_always


def test_what_is_selected_and_approved_falls(shop: _Shop) -> None:
    shop.machine.select(1, shop.now_ms)
    shop.run(200)
    assert shop.state() is MachineState.WAITING
    shop.reader.approve(300)
    shop.run(200)
    assert (shop.machine.state, shop.machine.given) == (MachineState.GIVING, 0)
    shop.run(MOTOR_MS)
    assert (shop.machine.display, shop.machine.given) == ("THANK YOU", 1)
    assert shop.machine.columns[1].stock == 9
    shop.run(500)
    assert shop.state() is MachineState.READY
    assert shop.kinds() == [EventKind.REQUESTED, EventKind.SUCCEEDED]


def test_a_jammed_column_gives_nothing_and_says_so(shop: _Shop) -> None:
    shop.machine.jam(1, is_jammed=True)
    shop.machine.select(1, shop.now_ms)
    shop.run(200)
    shop.reader.approve(300)
    shop.run(MOTOR_MS + 500)
    assert shop.machine.given == 0
    assert shop.kinds()[-1] is EventKind.FAILED


def test_a_denied_request_and_a_pulled_lever_give_nothing(shop: _Shop) -> None:
    shop.machine.select(1, shop.now_ms)
    shop.run(200)
    shop.reader.deny()
    shop.run(500)
    assert (shop.machine.state, shop.machine.display) == (MachineState.READY, "NOT PAID")
    shop.machine.select(1, shop.now_ms)
    shop.run(200)
    shop.machine.pull_lever()
    shop.run(500)
    assert shop.state() is MachineState.READY
    assert shop.kinds()[-1] is EventKind.CANCELLED
    assert shop.machine.given == 0


def test_a_reader_that_does_not_decide_in_its_time_is_cancelled(shop: _Shop) -> None:
    shop.machine.select(1, shop.now_ms)
    shop.run(30_500)
    assert shop.kinds() == [EventKind.REQUESTED, EventKind.CANCELLED]
    assert shop.state() is MachineState.READY


def test_without_always_idle_a_payer_comes_first_and_funds_count() -> None:
    shop = _Shop(ReaderProfile(can_idle_always=False))
    shop.run(2_000)
    shop.machine.select(1, shop.now_ms)
    assert shop.machine.display == "PRESENT CARD"
    shop.reader.begin_session(299)
    shop.run(200)
    shop.machine.select(1, shop.now_ms)
    assert shop.machine.display == "NOT ENOUGH"
    shop.machine.pull_lever()
    shop.run(500)
    shop.reader.begin_session(300)
    shop.run(200)
    shop.machine.select(1, shop.now_ms)
    shop.run(200)
    assert shop.kinds() == [EventKind.REQUESTED]


def test_an_empty_column_and_one_that_is_not_there(shop: _Shop) -> None:
    shop.machine.select(2, shop.now_ms)
    assert shop.machine.display == "SOLD OUT"
    shop.machine.refill(2, 1)
    shop.machine.select(2, shop.now_ms)
    assert shop.state() is MachineState.WAITING
    with pytest.raises(CallerError, match="no column 3"):
        shop.machine.select(3, shop.now_ms)


def test_a_reader_that_falls_silent_is_looked_for_and_found(shop: _Shop) -> None:
    shop.reader.is_connected = False
    shop.run(6_000)
    assert shop.state() is MachineState.OUT_OF_ORDER
    shop.reader.is_connected = True
    shop.reader.power_up()
    shop.run(2_000)
    assert shop.state() is MachineState.READY


def test_power_cut_at_any_block_never_gives_goods_that_the_reader_takes_for_unsold() -> None:
    seen = set()
    for cut_ms in range(0, 3_000, POLL_MS // 2):
        shop = _Shop()
        shop.run(2_000)
        shop.machine.select(1, shop.now_ms)
        shop.run(min(cut_ms, 500))
        if cut_ms > 500:
            shop.reader.approve(300)
            shop.run(cut_ms - 500)
        shop.machine.cut_power(shop.now_ms)
        shop.run(1_000)
        shop.machine.power_up(shop.now_ms)
        shop.run(2_000)
        assert shop.state() is MachineState.READY
        sold = EventKind.SUCCEEDED in shop.kinds()
        assert sold or not shop.machine.given
        seen.add((sold, shop.machine.given))
    assert seen == {(False, 0), (True, 0), (True, 1)}
