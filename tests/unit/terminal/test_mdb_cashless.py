"""Goal: what the machine's driver calls given has fallen, what it calls not given has not.

Method: the simulated adapter and machine in virtual time; bytes lost and bits flipped both ways.
"""

from collections.abc import Callable, Sequence

import pytest

from firmware_sim.devices.device import Output
from firmware_sim.devices.mdb.machine import Column, VendingMachine
from firmware_sim.devices.qibixx.adapter import QibixxAdapter
from protocol.errors import CallerError, OperatingError
from terminal.adapters import mdb_cashless, serial_worker
from terminal.adapters.mdb_cashless import Machine, MdbCashless
from terminal.ports import Selection
from tests.kit.drivers import Opened
from tests.kit.virtual_port import Spoil, VirtualPort, flip, lose

TEA = Selection("tea", 300)
COLUMNS = {1: "tea", 2: "cola"}


class _Shop:
    """A machine on its adapter, and our driver's side of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.machine = VendingMachine({1: Column(300), 2: Column(450), 7: Column(100)})
        self.adapter = QibixxAdapter(self.machine)
        self.adapter.boot(0)
        self.port = VirtualPort(self.adapter)
        self.port.rule(monkeypatch, mdb_cashless, serial_worker)
        self.driver = Machine(COLUMNS, "156")
        self.talk = self.port.dialogue()
        self.driver.greet(self.talk)
        self.port.pass_time(2_000)

    def select(self, item: int = 1) -> Selection | None:
        """A customer presses a key, and our driver hears of it."""
        self.machine.select(item, self.port.now_ms)
        self.port.pass_time(100)
        for _ in range(3):
            if (selection := self.driver.listen(self.talk)) is not None:
                return selection
        return None

    def give(self, item: str = "tea") -> str:
        """``given``, or the code of what the driver says instead."""
        try:
            self.driver.give(item, self.talk)
        except OperatingError as error:
            return error.code
        return "given"


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> _Shop:
    """A shop that is open."""
    return _Shop(monkeypatch)


def test_a_selection_is_heard_given_and_the_next_one_too(shop: _Shop) -> None:
    assert shop.driver.listen(shop.talk) is None
    assert shop.select() == TEA
    assert shop.give() == "given"
    assert shop.machine.given == 1
    shop.port.pass_time(500)
    assert shop.select(2) == Selection("cola", 450)
    assert shop.give("cola") == "given"


def test_a_selection_is_handed_out_once(shop: _Shop) -> None:
    assert shop.select() == TEA
    assert shop.driver.listen(shop.talk) is None
    assert shop.give() == "given"


def test_a_refused_selection_is_refused_at_the_machine(shop: _Shop) -> None:
    shop.select()
    shop.driver.refuse(TEA, shop.talk)
    shop.port.pass_time(500)
    assert shop.machine.display == "NOT PAID"
    assert shop.give() == "item_not_given"
    assert shop.machine.given == 0


def test_a_column_that_we_do_not_sell_is_refused_at_once(shop: _Shop) -> None:
    assert shop.select(7) is None
    assert shop.machine.display == "NOT PAID"


def test_a_jam_is_certain(shop: _Shop) -> None:
    shop.machine.jam(1, is_jammed=True)
    shop.select()
    assert shop.give() == "item_not_given"


def said_twice() -> Callable[[int, int], Sequence[int]]:
    """An adapter that says every line twice."""
    line: list[int] = []

    def spoil(_: int, value: int) -> Sequence[int]:
        line.append(value)
        if value != ord("\n"):
            return ()
        whole, line[:] = tuple(line), []
        return whole * 2

    return spoil


def test_an_adapter_that_says_everything_twice_sells_once_and_a_jam_stays_certain(
    shop: _Shop,
) -> None:
    shop.port.to_host = said_twice()
    for given in (1, 2):
        assert shop.select() == TEA
        assert shop.give() == "given"
        shop.port.pass_time(1_000)
        assert shop.driver.listen(shop.talk) is None, "a selection is handed out once"
        assert shop.machine.given == given
    shop.machine.jam(1, is_jammed=True)
    assert shop.select() == TEA
    assert shop.give() == "item_not_given"


def test_a_customer_who_gives_up_before_paying_is_certain(shop: _Shop) -> None:
    shop.select()
    shop.machine.pull_lever()
    shop.port.pass_time(500)
    assert shop.give() == "item_not_given"
    assert shop.machine.given == 0


def test_another_selection_that_waits_when_the_first_is_paid_is_served_next(shop: _Shop) -> None:
    assert shop.select() == TEA
    shop.machine.pull_lever()
    shop.port.pass_time(500)
    shop.machine.select(2, shop.port.now_ms)
    shop.port.pass_time(100)
    assert shop.give() == "item_not_given"
    assert shop.driver.listen(shop.talk) == Selection("cola", 450)
    assert shop.give("cola") == "given"
    assert shop.machine.given == 1


def test_a_payment_that_took_longer_than_the_machine_waits_is_certain(shop: _Shop) -> None:
    shop.select()
    shop.port.pass_time(31_000)
    assert shop.give() == "item_not_given"


def test_power_that_the_machine_loses_while_giving_counts_as_given(shop: _Shop) -> None:
    def cut(now_ms: int) -> list[Output]:
        shop.machine.cut_power(now_ms)
        return []

    def restore(now_ms: int) -> list[Output]:
        shop.machine.power_up(now_ms)
        return []

    shop.select()
    shop.port.at(shop.port.now_ms + 400, cut)
    shop.port.at(shop.port.now_ms + 2_000, restore)
    assert shop.give() == "given"


def test_power_that_the_machine_loses_for_long_leaves_it_open(shop: _Shop) -> None:
    def cut(now_ms: int) -> list[Output]:
        shop.machine.cut_power(now_ms)
        return []

    shop.select()
    shop.port.at(shop.port.now_ms + 400, cut)
    began = shop.port.now_ms
    assert shop.give() == "device_no_reply"
    assert shop.port.now_ms - began <= 50_000


def test_an_adapter_that_restarts_while_giving_leaves_it_open_and_is_set_up_again(
    shop: _Shop,
) -> None:
    shop.select()
    shop.port.at(shop.port.now_ms + 400, shop.adapter.boot)
    assert shop.give() == "device_no_reply"
    assert shop.machine.given == 1
    shop.driver.listen(shop.talk)  # notices that the adapter has forgotten everything
    shop.port.pass_time(8_000)
    assert shop.select() == TEA


@pytest.mark.parametrize("is_jammed", [False, True])
@pytest.mark.parametrize("way", ["to_device", "to_host"])
def test_one_spoiled_byte_after_the_selection_never_makes_a_wrong_word(
    monkeypatch: pytest.MonkeyPatch, way: str, is_jammed: bool
) -> None:
    right = "item_not_given" if is_jammed else "given"
    seen = set()
    for place in range(12 if way == "to_device" else 48):
        for make in [lose, *(lambda at, bit=bit: flip(at, bit) for bit in (0, 2))]:
            shop = _Shop(monkeypatch)
            shop.machine.jam(1, is_jammed=is_jammed)
            assert shop.select() == TEA
            _spoil(shop.port, way, place, make)
            word = shop.give()
            shop.port.pass_time(3_000)  # whatever the machine still does by itself
            if word in ("given", "item_not_given"):
                assert (word == "given") == (shop.machine.given == 1), (place, word)
            seen.add(word)
    assert right in seen


def _spoil(port: VirtualPort, way: str, place: int, make: Callable[[int], Spoil]) -> None:
    said = port.written if way == "to_device" else port.said
    setattr(port, way, make(said + place))


def test_a_slow_line_is_understood(shop: _Shop) -> None:
    shop.port.byte_ms = 50
    assert shop.select() == TEA
    assert shop.give() == "given"


def test_a_silent_adapter_is_no_reply_and_a_babbling_one_a_bad_frame(shop: _Shop) -> None:
    shop.port.to_host = lambda place, value: ()
    with pytest.raises(OperatingError, match="device_no_reply"):
        shop.driver.greet(shop.talk)
    shop.port.to_host = lambda place, value: (value | 0x01,) if value > 0x20 else (value,)
    with pytest.raises(OperatingError, match="device_bad_frame"):
        shop.driver.greet(shop.talk)


def test_noise_in_front_of_answers_is_asked_past(shop: _Shop) -> None:
    noisy = shop.port.said
    shop.port.to_host = lambda place, value: (0xFF, value) if place == noisy else (value,)
    shop.driver.greet(shop.talk)


def test_check_names_version_and_state(shop: _Shop) -> None:
    found = shop.driver.check(shop.talk)
    assert found == {"version": "4.0.2.0,TILLWAYSIM000001", "state": "ENABLED"}


@pytest.mark.asyncio
async def test_a_currency_that_no_bus_knows_is_refused_and_a_port_that_is_not_there_is_said() -> (
    None
):
    with pytest.raises(CallerError, match="currency_unsupported"):
        MdbCashless("/nonexistent/tty", {}, currency="JPY")
    async with Opened() as opened:
        driver = opened(MdbCashless("/nonexistent/tty", {}))
        with pytest.raises(OperatingError, match="device_disconnected"):
            await driver.next_selection()
