"""Goal: the adapter speaks its makers' lines, and what they say is what happens on the bus.

Method: the sessions that docs.qibixx.com shows, in virtual time.
"""

from collections.abc import Callable

import pytest

from firmware_sim.devices.device import Output
from firmware_sim.devices.mdb.card_box import CardBox
from firmware_sim.devices.mdb.cashless import CashlessReader, ReaderProfile
from firmware_sim.devices.mdb.changer import CoinChanger
from firmware_sim.devices.mdb.machine import MOTOR_MS, Column, VendingMachine
from firmware_sim.devices.mdb.master import SILENCE_MS
from firmware_sim.devices.qibixx.adapter import VERSION, QibixxAdapter
from protocol.errors import CallerError

SELECT_FIRST = "C,SETCONF,mdb-always-idle=1"


class _Bench:
    """An adapter with a machine, a card reader and a changer, asked by hand."""

    def __init__(self, *, can_idle_always: bool = True) -> None:
        reader = CashlessReader(ReaderProfile(can_idle_always=can_idle_always))
        machine = VendingMachine({1: Column(125), 5: Column(300)})
        self.adapter = QibixxAdapter(machine, CardBox(reader), CoinChanger())
        self.now_ms = 0
        self.adapter.boot(0)

    def ask(self, *lines: str) -> list[str]:
        """Lines to the adapter; what it says at once."""
        data = "".join(f"{line}\n" for line in lines).encode()
        return _lines(self.adapter.feed(data, self.now_ms))

    def run(self, milliseconds: int) -> list[str]:
        """Let the buses go on; what the adapter says meanwhile."""
        until, heard = self.now_ms + milliseconds, []
        while (due := self.adapter.next_deadline_ms()) is not None and due <= until:
            self.now_ms = max(due, self.now_ms)
            heard += _lines(self.adapter.poll(self.now_ms))
        self.now_ms = until
        return heard

    def enable(self) -> "_Bench":
        """Until the machine has enabled the adapter, selection first."""
        self.ask(SELECT_FIRST, "C,1")
        assert self.run(3_000)[-1] == "c,STATUS,ENABLED"
        return self

    def select(self, item: int) -> list[str]:
        """A customer presses a key."""
        self.adapter.machine.select(item, self.now_ms)
        return self.run(200)


def _lines(outputs: list[Output]) -> list[str]:
    return [line for output in outputs for line in output.payload.decode().splitlines()]


@pytest.fixture
def bench() -> _Bench:
    """A bench whose adapter has just got power."""
    return _Bench()


def test_version_and_lines_that_nobody_knows(bench: _Bench) -> None:
    assert bench.ask("V") == [VERSION]
    assert bench.ask("Q", "\xff", "C,XYZ") == ["ERR", "ERR", 'c,UNKNOWN," C"']


def test_the_slave_is_found_set_up_and_enabled_by_the_machine(bench: _Bench) -> None:
    assert bench.ask(SELECT_FIRST, "C,SETCONF,mdb-currency-code=0x1978") == ["c,SET,OK"] * 2
    assert bench.ask("C,1") == ["c,STATUS,INACTIVE", "c,1"]
    assert bench.run(3_000) == ["c,STATUS,INACTIVE", "c,STATUS,DISABLED", "c,STATUS,ENABLED"]
    assert bench.ask("C,1") == ['c,ERR,"cashless is on"']
    assert bench.ask("C,0") == ["c,0"]
    assert bench.ask("C,START,1") == ['c,ERR,"cashless is off"']


@pytest.mark.parametrize("setting", ["mdb-currency-code=1978", "mdb-always-idle=2", "x=1", "",
                                     "mdb-address=0x20", "mdb-scale-factor=0"])  # fmt: skip
def test_a_setting_that_is_wrong_is_refused(bench: _Bench, setting: str) -> None:
    assert bench.ask(f"C,SETCONF,{setting}") == ['c,ERR,"SETCONF -1"']


def test_a_selection_that_is_approved_is_a_success(bench: _Bench) -> None:
    bench.enable()
    assert bench.select(1) == ["c,STATUS,VEND,1.25,1"]
    assert bench.ask("C,VEND,1.25") == []
    assert bench.run(MOTOR_MS + 500) == ["c,VEND,SUCCESS", "c,STATUS,IDLE", "c,STATUS,ENABLED"]
    assert bench.adapter.machine.given == 1


@pytest.mark.parametrize("refusal", ["C,STOP", "C,VEND,-1"])
def test_a_selection_that_is_denied_gives_nothing(bench: _Bench, refusal: str) -> None:
    bench.enable().select(1)
    assert bench.ask(refusal) == []
    assert bench.run(500) == ["c,STATUS,IDLE", "c,STATUS,ENABLED"]
    assert bench.adapter.machine.given == 0


def test_a_jam_and_a_lever_are_told_apart(bench: _Bench) -> None:
    bench.enable()
    bench.adapter.machine.jam(1, is_jammed=True)
    bench.select(1)
    bench.ask("C,VEND,1.25")
    assert bench.run(MOTOR_MS + 500)[0] == "c,ERR,VEND 3"
    bench.select(5)
    bench.adapter.machine.pull_lever()
    assert bench.run(500)[0] == "c,ERR,VEND 1"


def test_power_that_the_machine_loses_while_giving_counts_as_success(bench: _Bench) -> None:
    bench.enable().select(1)
    bench.ask("C,VEND,1.25")
    bench.run(200)
    bench.adapter.machine.cut_power(bench.now_ms)
    assert bench.run(500) == []
    bench.adapter.machine.power_up(bench.now_ms)
    assert bench.run(2_000)[:2] == ["c,VEND,SUCCESS", "c,STATUS,INACTIVE"]


def test_power_that_the_machine_loses_before_it_heard_the_approval_sells_nothing(
    bench: _Bench,
) -> None:
    bench.enable().select(1)
    bench.adapter.machine.cut_power(bench.now_ms)
    bench.ask("C,VEND,1.25")
    bench.adapter.machine.power_up(bench.now_ms)
    assert bench.run(2_000)[:2] == ["c,ERR,VEND 5", "c,STATUS,INACTIVE"]


def test_a_session_with_funds_comes_before_the_selection_where_set_so(bench: _Bench) -> None:
    bench.ask("C,1")
    bench.run(3_000)
    bench.ask("C,START,2.00")
    assert bench.run(200) == ["c,STATUS,IDLE,2.00"]
    assert bench.select(5) == []  # 3.00: the machine asks for no more than there is
    assert bench.select(1) == ["c,STATUS,VEND,1.25,1"]
    bench.ask("C,STOP")
    bench.run(500)
    bench.ask("C,START,2.00")
    bench.run(200)
    bench.ask("C,STOP")
    assert bench.run(500) == ["c,STATUS,ENABLED"]


def test_what_makes_no_sense_now_is_an_error_of_its_own(bench: _Bench) -> None:
    bench.ask("C,1")
    assert bench.ask("C,START,1", "C,VEND,1", "C,STOP") == [
        'c,ERR,"START -3"', 'c,ERR,"VEND -3"', 'c,ERR,"STOP -3"',
    ]  # fmt: skip
    bench.run(3_000)
    assert bench.ask("C,START,x", "C,VEND,1.2345") == ['c,ERR,"START -2"', 'c,ERR,"VEND -2"']


def test_the_master_sells_selection_first(bench: _Bench) -> None:
    assert bench.ask("D,2") == ["d,STATUS,RESET"]
    assert bench.run(2_000) == ["d,STATUS,INIT,1"]
    assert bench.ask("D,READER,1") == ["d,STATUS,IDLE"] or bench.run(200) == ["d,STATUS,IDLE"]
    assert bench.ask("D,REQ,1,5") == ["d,STATUS,VEND"]
    bench.run(200)
    assert bench.adapter.card_box is not None
    bench.adapter.card_box.tap(100)
    assert bench.run(200) == ["d,STATUS,RESULT,1,1.00"]
    assert bench.ask("D,END") == []
    assert bench.run(500) == ["d,STATUS,IDLE"]
    assert bench.adapter.card_box.sold == 1


def test_the_master_sells_authorization_first_and_gives_back() -> None:
    bench = _Bench(can_idle_always=False)
    box = bench.adapter.card_box
    assert box is not None
    bench.ask("D,1")
    assert bench.run(2_000) == ["d,STATUS,INIT,0"]
    bench.ask("D,READER,1")
    bench.run(200)
    assert bench.ask("D,REQ,1,5") == ['d,ERR,"-1"']
    box.tap(150)
    assert bench.run(200) == ["d,STATUS,CREDIT,1.50"]
    bench.ask("D,REQ,2,5")
    assert bench.run(500) == ["d,STATUS,RESULT,-1", "d,STATUS,IDLE"]
    box.tap(150)
    bench.run(200)
    bench.ask("D,REQ,1.50,5")
    assert bench.run(200) == ["d,STATUS,RESULT,1,1.50"]
    bench.ask("D,END,-1")
    assert bench.run(500) == ["d,STATUS,IDLE"]
    assert (box.sold, box.refunded) == (0, 1)


def test_a_request_is_cancelled_and_the_master_is_on_once(bench: _Bench) -> None:
    bench.ask("D,2")
    assert bench.ask("D,2", "M,1") == ['d,ERR,"cashless master is on"', "m,NACK"]
    bench.run(2_000)
    bench.ask("D,READER,1")
    bench.ask("D,REQ,1,5")
    bench.run(200)
    bench.ask("D,REQ,-1")
    assert bench.run(500) == ["d,STATUS,RESULT,-1", "d,STATUS,IDLE"]
    assert bench.ask("D,END", "D,READER,0", "D,0", "D,REQ,1,1") == [
        'd,ERR,"-1"', "d,STATUS,INIT,1", "d,STATUS,OFF", 'd,ERR,"cashless master is off"',
    ]  # fmt: skip


def test_raw_bytes_reach_the_changer(bench: _Bench) -> None:
    assert bench.ask("R,08") == ["p,NACK"]
    assert bench.ask("M,1", "R,08", "R,0B", "R,0B") == ["m,ACK", "p,ACK", "p,0B", "p,ACK"]
    assert bench.ask("R,09")[0].startswith("p,0311560A02000301050A")
    assert bench.ask("R,0C,FFFFFFFF") == ["p,ACK"]
    assert bench.adapter.changer is not None
    bench.adapter.changer.insert(0)
    assert bench.ask("R,0b") == ["p,5015"]
    assert bench.ask("R,30", "R,xy", "R", "R," + "00" * 40, "M,0", "R,0B") == [
        "p,NACK", "p,NACK", "p,NACK", "p,NACK", "m,ACK", "p,NACK",
    ]  # fmt: skip


def test_the_sniffer_tells_of_every_block_as_the_makers_example_does(bench: _Bench) -> None:
    assert bench.ask("X,1") == ["x,ACK"]
    heard = bench.run(600)
    assert heard
    assert all(line.startswith("x,00,") and line.endswith(",10,") for line in heard)
    bench.ask("C,1")
    found = [line.split(",", 3)[3] for line in bench.run(2_000) if line.startswith("x,")]
    assert found[:5] == ["10,", "ACK", "12,", "00", "ACK"]
    assert "11,0003100200" in found
    assert "0103115601021e00" in found
    bench.ask("X,0")
    assert bench.run(200) == []


def test_the_adapters_power_is_not_the_machines(bench: _Bench) -> None:
    bench.enable().select(1)
    bench.ask("C,VEND,1.25")
    bench.run(100)
    assert bench.adapter.boot(bench.now_ms) == []
    assert bench.run(SILENCE_MS + MOTOR_MS) == []  # so long the machine looks for its reader
    assert bench.adapter.machine.given == 1
    assert bench.enable().select(5) == ["c,STATUS,VEND,3.00,5"]


def test_a_card_that_is_not_asked_for_is_the_callers_mistake(bench: _Bench) -> None:
    assert bench.adapter.card_box is not None
    tap: Callable[[int], None] = bench.adapter.card_box.tap
    with pytest.raises(CallerError, match="field_invalid"):
        tap(100)
