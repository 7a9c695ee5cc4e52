"""Goal: a link is a wire: it paces, garbles at the wrong rate, breaks, heals, loses power.

Method: a board of one sensor in virtual time; every fault of the table in both directions.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.board_file import BoardDevice, BoardFile, board_with
from firmware_sim.faults import PPM, Fault, FaultKind, FaultyWay
from firmware_sim.frames import Side
from firmware_sim.hosting import VirtualBoard
from firmware_sim.kinds.registry import kind_named
from firmware_sim.limits import BROWN_OUT_MS, LINE_INBOX_BYTES_MAX
from firmware_sim.transports.memory import MemoryLine
from protocol.framing import ef01
from protocol.framing.ef01 import Instruction

COUNT = ef01.command(Instruction.TEMPLATE_NUM)
ANSWER = ef01.encode(ef01.Packet(ef01.Pid.ACK, b"\x00\x00\x00"))
BAD_SUM = ef01.encode(ef01.Packet(ef01.Pid.ACK, b"\x01"))


@pytest.fixture
def bench() -> Iterator[VirtualBoard]:
    """A sensor that has started."""
    with VirtualBoard(board_with("ef01", device="sensor")) as board:
        board.pass_time(1000)
        board.receive("sensor", 100, within_ms=0)
        yield board


def _line(bench: VirtualBoard) -> MemoryLine:
    line = bench.board.link("sensor").line
    assert isinstance(line, MemoryLine)
    return line


def _heard(bench: VirtualBoard, wait_ms: int) -> bytes:
    bench.pass_time(wait_ms)
    return _line(bench).client_take()


def test_bytes_leave_at_the_rate_of_the_line_and_not_before(bench: VirtualBoard) -> None:
    bench.send("sensor", COUNT)
    assert _heard(bench, 7) == b""  # the sensor thinks for 5 ms, 14 bytes at 57600 take 2.4
    assert _heard(bench, 1) == ANSWER


def test_a_client_at_the_wrong_rate_hears_and_is_heard_as_junk(bench: VirtualBoard) -> None:
    _line(bench).baud = 9600
    bench.send("sensor", COUNT)
    assert ANSWER not in _heard(bench, 100)
    assert bench.board.link("sensor").counts.garbled_bytes >= len(COUNT)
    _line(bench).baud = 57_600
    bench.send("sensor", bytes(300) + COUNT)
    assert _heard(bench, 100).endswith(ANSWER)


def test_a_client_that_speaks_and_changes_its_rate_at_once_is_heard_once(
    bench: VirtualBoard,
) -> None:
    _line(bench).baud = 57_600
    bench.send("sensor", COUNT)
    assert _heard(bench, 100) == ANSWER
    for heard in (ANSWER, b""):
        _line(bench).baud = 9600
        bench.send("sensor", COUNT)
        bench.pass_time(1)
        _line(bench).baud = 57_600
        assert _heard(bench, 100) == heard


def test_the_rate_on_an_old_line_is_no_excuse_on_a_new_one(bench: VirtualBoard) -> None:
    _line(bench).baud = 57_600
    bench.send("sensor", COUNT)
    assert _heard(bench, 100) == ANSWER
    bench.call(lambda board: board.unplug("sensor"))
    bench.call(lambda board: board.plug("sensor"))
    _line(bench).baud = 9600
    bench.pass_time(1000)
    _line(bench).client_take()
    bench.send("sensor", COUNT)
    assert _heard(bench, 100) == b""


def test_an_unplugged_line_is_closed_and_a_new_one_is_served(bench: VirtualBoard) -> None:
    old = _line(bench)
    bench.call(lambda board: board.unplug("sensor"))
    with pytest.raises(ConnectionError):
        old.client_send(COUNT)
    assert bench.board.link("sensor").client_path is None
    bench.call(lambda board: board.plug("sensor"))
    bench.pass_time(1000)
    _line(bench).client_take()
    bench.send("sensor", COUNT)
    assert _heard(bench, 100) == ANSWER


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        (Fault(FaultKind.SILENT), b""),
        (Fault(FaultKind.DROP, at=1), ANSWER[:1] + ANSWER[2:]),
        (Fault(FaultKind.DUPLICATE, at=1), ANSWER[:2] + ANSWER[1:]),
        (Fault(FaultKind.FLIP, at=0), bytes([ANSWER[0] ^ 4]) + ANSWER[1:]),
        (Fault(FaultKind.SLOW, slow_byte_ms=2), ANSWER),
        (Fault(FaultKind.DELAY, at=3, delay_ms=200), ANSWER),
        (Fault(FaultKind.TRUNCATE, at=3), ANSWER[:3]),
        (Fault(FaultKind.STUCK, at=3), ANSWER[:3] + bytes(len(ANSWER) - 3)),
        (Fault(FaultKind.DROP, from_ms=1000), ANSWER),
        (Fault(FaultKind.SILENT, side=Side.HOST), b""),
        (Fault(FaultKind.DROP, at=0, side=Side.HOST), b""),
        (Fault(FaultKind.FLIP, at=10, side=Side.HOST), BAD_SUM),
        (Fault(FaultKind.NOISE, at=0, side=Side.HOST), ANSWER),
    ],
    ids=lambda value: f"{value.kind}-{value.side}" if isinstance(value, Fault) else "",
)
def test_a_fault_does_what_it_says(bench: VirtualBoard, fault: Fault, heard: bytes) -> None:
    bench.set_fault("sensor", fault)
    bench.send("sensor", COUNT)
    assert _heard(bench, 500) == heard


def test_a_delayed_rest_comes_late_and_whole(bench: VirtualBoard) -> None:
    bench.set_fault("sensor", Fault(FaultKind.DELAY, at=3, delay_ms=200))
    bench.send("sensor", COUNT)
    assert _heard(bench, 100) == ANSWER[:3]
    assert _heard(bench, 200) == ANSWER[3:]


def test_a_cut_pulls_the_plug_in_the_middle(bench: VirtualBoard) -> None:
    line = _line(bench)
    bench.set_fault("sensor", Fault(FaultKind.CUT, at=5))
    bench.send("sensor", COUNT)
    bench.pass_time(500)
    assert line.client_take() == ANSWER[:5]
    assert bench.board.link("sensor").client_path is None


def test_a_device_without_power_is_deaf_and_dumb_and_comes_back_without_its_memory(
    bench: VirtualBoard,
) -> None:
    bench.do("sensor", "enroll", finger="alice", slot=3)
    bench.do("sensor", "place", finger="alice")
    bench.set_fault("sensor", Fault(FaultKind.POWER_CUT, at=5))
    bench.send("sensor", ef01.command(Instruction.GET_IMAGE))
    assert len(_heard(bench, 500)) == 5
    bench.send("sensor", COUNT)
    assert _heard(bench, 500) == b""
    bench.set_fault("sensor")
    bench.call(lambda board: board.power("sensor", on=True))
    _heard(bench, 1000)
    bench.send("sensor", ef01.command(Instruction.IMG2TZ, 1))
    assert _heard(bench, 500)[9] != 0  # the image was volatile
    assert bench.state("sensor")["slots"] == [3]  # the library is not


def test_what_was_late_when_the_power_failed_does_not_hold_back_what_comes_after(
    bench: VirtualBoard,
) -> None:
    bench.set_fault("sensor", Fault(FaultKind.DELAY, delay_ms=20_000))
    bench.send("sensor", COUNT)
    bench.pass_time(50)
    bench.set_fault("sensor")
    bench.call(lambda board: board.power("sensor", on=False))
    bench.call(lambda board: board.power("sensor", on=True))
    bench.pass_time(1000)
    bench.send("sensor", COUNT)
    assert _heard(bench, 100).endswith(ANSWER)


def test_a_fault_that_joins_others_lets_them_go_on_as_they_are() -> None:
    way = FaultyWay()
    way.set([Fault(FaultKind.DROP, at=0)], 0)
    assert way.deliver(b"ab", 0)[0].data == b"b"
    way.add(Fault(FaultKind.FLIP, at=1), 0)
    assert way.deliver(b"ab", 0)[0].data == b"af"
    way.set([], 0)
    way.add(Fault(), 0)
    assert way.faults == []


def test_a_fault_that_leaves_lets_the_others_go_on_as_they_are() -> None:
    way = FaultyWay()
    way.set([Fault(FaultKind.DROP, at=0), Fault(FaultKind.FLIP, at=9)], 0)
    assert way.deliver(b"ab", 0)[0].data == b"b"
    way.remove(way.plans[1])
    assert way.deliver(b"ab", 0)[0].data == b"ab"
    assert [plan.struck for plan in way.plans] == [1]


@pytest.mark.parametrize(
    ("fault", "struck", "is_over"),
    [
        (Fault(FaultKind.DROP, at=9), 0, False),
        (Fault(FaultKind.DROP, at=1), 1, True),
        (Fault(FaultKind.DROP, at=1, repeat=True), 2, False),
        (Fault(FaultKind.FLIP, rate_ppm=PPM), 4, False),
        (Fault(FaultKind.SILENT), 2, False),
        (Fault(FaultKind.SLOW), 2, False),
        (Fault(FaultKind.STUCK, at=2), 1, False),
        (Fault(FaultKind.SILENT, for_ms=5), 1, True),
        (Fault(FaultKind.DROP, from_ms=6, for_ms=1), 0, False),
    ],
)
def test_a_fault_counts_how_often_it_has_struck_and_knows_when_that_was_all(
    fault: Fault, struck: int, is_over: bool
) -> None:
    way = FaultyWay()
    way.set([fault], 0)
    for at_ms in (0, 5):
        way.deliver(b"ab", at_ms)
    (plan,) = way.plans
    assert (plan.struck, plan.is_over(5)) == (struck, is_over)


def test_a_fault_that_comes_later_counts_from_then() -> None:
    way = FaultyWay()
    way.set([Fault(FaultKind.DROP, at=1, from_ms=1000)], 0)
    assert way.deliver(b"abcd", 999)[0].data == b"abcd"
    assert way.deliver(b"abcd", 1000)[0].data == b"acd"
    assert way.deliver(b"abcd", 1001)[0].data == b"abcd"


@pytest.mark.parametrize("first", [Fault(FaultKind.SLOW), Fault(FaultKind.DELAY, at=1)])
def test_a_fault_behind_one_that_parts_a_message_meets_the_whole_message(first: Fault) -> None:
    def heard(way: FaultyWay, data: bytes) -> bytes:
        return b"".join(delivery.data for delivery in way.deliver(data, 0))

    way = FaultyWay()
    way.set([first, Fault(FaultKind.TRUNCATE, at=2)], 0)
    assert [heard(way, b"abcdef"), heard(way, b"abcdef")] == [b"ab", b"abcdef"]
    way.set([first, Fault(FaultKind.DROP, at=2, repeat=True)], 0)
    assert [heard(way, b"abcdef"), heard(way, b"abcdef")] == [b"abdef", b"abdef"]


def test_a_brown_out_restarts_the_device_by_itself(bench: VirtualBoard) -> None:
    bench.set_fault("sensor", Fault(FaultKind.BROWN_OUT, at=5))
    bench.send("sensor", COUNT)
    bench.pass_time(BROWN_OUT_MS // 2)
    assert not bench.board.link("sensor").is_powered
    _heard(bench, 1000)
    bench.send("sensor", COUNT)
    assert _heard(bench, 500) == ANSWER


def test_chance_is_repeatable_by_seed_and_as_frequent_as_said() -> None:
    def lost(seed: int) -> bytes:
        way = FaultyWay()
        way.set([Fault(FaultKind.DROP, rate_ppm=100_000, seed=seed)], 0)
        return b"".join(delivery.data for delivery in way.deliver(bytes(range(250)) * 8, 0))

    assert lost(1) == lost(1)
    assert lost(1) != lost(2)
    assert 1700 < len(lost(1)) < 1900  # 2,000 bytes, a tenth lost


def test_a_fault_of_some_time_ends_by_itself(bench: VirtualBoard) -> None:
    bench.set_fault("sensor", Fault(FaultKind.SILENT, from_ms=100, for_ms=100))
    for heard in (ANSWER, b"", ANSWER):
        bench.send("sensor", COUNT)
        assert _heard(bench, 100) == heard


@settings(max_examples=60)
@given(
    kinds=st.lists(st.sampled_from(list(FaultKind)), max_size=4),
    at=st.integers(0, 20),
    rate=st.sampled_from([0, 200_000]),
    data=st.binary(max_size=30),
)
def test_faults_one_behind_the_other_never_fail_nor_invent_much(
    kinds: list[FaultKind], at: int, rate: int, data: bytes
) -> None:
    way = FaultyWay()
    way.set([Fault(kind, at=at, rate_ppm=rate, seed=at) for kind in kinds], 0)
    delivered = b"".join(delivery.data for delivery in way.deliver(data, 5))
    assert len(delivered) <= len(data) * 7 * 7 * 7 * 7
    if not set(kinds) - {FaultKind.NONE, FaultKind.SLOW, FaultKind.DELAY}:
        assert delivered == data


@pytest.fixture
def printer() -> Iterator[VirtualBoard]:
    """A slow printer with a small buffer, which holds its host by its DTR line."""
    kind = kind_named("escpos")
    options = {"flow": "dtr", "buffer_bytes": 1024, "speed_mm_s": 100}
    entry = kind.entry.model_validate({"kind": "escpos", **options})
    with VirtualBoard(BoardFile("slow", {"printer": BoardDevice(kind, entry)})) as board:
        yield board


def test_what_is_said_to_a_device_that_holds_its_host_waits_and_is_heard_in_order(
    printer: VirtualBoard,
) -> None:
    rows = [f"row {number:04d}" for number in range(400)]
    printer.send("printer", "".join(f"{row}\n" for row in rows).encode() + b"\x1dV\x00")
    printer.pass_time(1000)
    state = printer.state("printer")
    assert state["busy"]
    assert state["receipts"] == []
    printer.pass_time(400 * 38)
    state = printer.state("printer")
    assert not state["busy"]
    assert state["overrun_bytes"] == 0
    receipts: Any = state["receipts"]
    assert [receipt["text"].split("\n")[:-1] for receipt in receipts] == [rows]


def test_a_device_that_never_lets_go_does_not_fill_the_memory(printer: VirtualBoard) -> None:
    printer.do("printer", "load_paper", millimetres=0)
    for _ in range(40):
        printer.send("printer", b"x\n" * 32_768)
        printer.pass_time(10)
    link = printer.board.link("printer")
    assert link.counts.lost_bytes > 0
    assert link._inbox_bytes <= LINE_INBOX_BYTES_MAX
    printer.board.link("printer").power_off()
    assert link._inbox_bytes == 0
