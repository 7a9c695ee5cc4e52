"""Goal: what is recorded can be read, exported and played back; secrets are not in it; a replay
tolerates time and retries, not meaning.
"""

import struct
import time
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
import serial

from firmware_sim.board_file import board_with
from firmware_sim.conformance.running import DEVICE, bench_of
from firmware_sim.faults import Fault, FaultKind
from firmware_sim.frames import Side
from firmware_sim.hosting import HostedBoard, VirtualBoard
from firmware_sim.limits import (
    BROKEN_OFF_MS,
    FRAMES_SHOWN_MAX,
    LINE_INBOX_BYTES_MAX,
    RASTER_BYTES_MAX,
    REPORT_STEP_FRAMES_MAX,
)
from firmware_sim.recording.file import TraceFile, load_trace
from firmware_sim.recording.matching import turns_of
from firmware_sim.recording.pcap import SNAP_BYTES, to_pcap
from firmware_sim.recording.recorder import Recorder
from firmware_sim.recording.replay_run import play_to
from firmware_sim.recording.replaying import board_of_trace, play_host
from firmware_sim.recording.trace import Head, Said, Trace, read_trace, write_line
from firmware_sim.recording.traces import Traces
from firmware_sim.reports.page import to_page
from firmware_sim.reports.report import Report, Verdict
from protocol.errors import CallerError, OperatingError
from protocol.framing import ef01, gm65, telium
from protocol.framing.ef01 import Instruction
from protocol.framing.telium import Ask

PAY_CODE = "134567890123456789"
READ = gm65.encode_command(gm65.read(0x0A))
COMMAND_MODE = gm65.encode_command(gm65.write(0, b"\xd5"))
TRIGGER = gm65.encode_command(gm65.write(2, b"\x01"))


def _recorded(code: str = "TILLWAY-7") -> Trace:
    lines: list[str] = []
    with VirtualBoard(board_with("gm65", device=DEVICE), seed=5) as board:
        now_ms = board._loop.now_ms
        recorder = Recorder(board.board, now_ms, lambda event: lines.append(write_line(event)))
        board.do(DEVICE, "present", text=code)
        for command in (READ, COMMAND_MODE, TRIGGER):
            board.send(DEVICE, command)
            board.pass_time(300)
    return read_trace([write_line(recorder.head), *lines])


def test_a_trace_tells_frames_and_deeds_in_order_of_time() -> None:
    trace = _recorded()
    assert trace.head.devices == {DEVICE: "gm65"}
    assert trace.head.seed == 5
    told = [event.describe() for event in trace.events]
    assert "present text=TILLWAY-7" in told[0]
    assert "-> read address=000a data=01" in told[1]
    assert "<- reply status=0 data=3e  [020000013ee4ac]" in told[2]
    assert "<- code text=TILLWAY-7" in told[-1]
    assert [event.t_ms for event in trace.events] == sorted(e.t_ms for e in trace.events)


def test_a_pay_code_and_a_password_are_in_no_line() -> None:
    trace = _recorded(PAY_CODE)
    text = "".join(write_line(event) for event in trace.events)
    assert PAY_CODE not in text
    assert PAY_CODE.encode().hex() not in text
    assert "13************6789" in text
    lines: list[str] = []
    with VirtualBoard(board_with("ef01", device=DEVICE)) as board:
        Recorder(board.board, lambda: board.now_ms, lambda event: lines.append(write_line(event)))
        board.send(DEVICE, ef01.command(Instruction.VERIFY_PASSWORD, 0xDE, 0xAD, 0xBE, 0xEF))
        board.pass_time(100)
    assert "deadbeef" not in "".join(lines)
    assert "verify_password" in lines[0]


@pytest.mark.parametrize(
    ("kind", "act", "words"),
    [("telium", "enter_pin", {"pin": "8642"}), ("ocpp16", "tap", {"token": "CARD-8642"})],
)
def test_a_pin_that_is_typed_and_a_card_that_is_shown_are_in_no_line(
    kind: str, act: str, words: dict[str, str]
) -> None:
    lines: list[str] = []
    with VirtualBoard(board_with(kind, device=DEVICE)) as board:
        Recorder(board.board, lambda: board.now_ms, lambda event: lines.append(write_line(event)))
        if kind == "telium":
            ask = telium.encode_ask(Ask(amount_minor=9_900, currency_number="978"))
            for said in (b"\x05", ask, b"\x04"):
                board.send(DEVICE, said)
                board.pass_time(100)
            board.do(DEVICE, "present", card="visa")
        board.do(DEVICE, act, **words)
    told = "".join(lines)
    assert f'"deed": "{act}"' in told
    assert "8642" not in told


def test_a_deed_that_is_refused_is_not_in_the_trace() -> None:
    lines: list[str] = []
    with VirtualBoard(board_with("cd5220", device=DEVICE)) as board:
        Recorder(board.board, lambda: board.now_ms, lambda event: lines.append(write_line(event)))
        with pytest.raises(CallerError):
            board.do(DEVICE, "look", upper="nothing of the kind")
    assert lines == []


def test_a_recorded_device_answers_again_with_retries_and_other_timing() -> None:
    trace = _recorded()
    with VirtualBoard(board_of_trace(trace, DEVICE)) as board:
        for command in (READ, READ, COMMAND_MODE, TRIGGER):
            board.send(DEVICE, command)
            board.pass_time(1000)
        heard = board.receive(DEVICE, 200, within_ms=0)
        assert heard.count(bytes.fromhex("020000013ee4ac")) == 2
        assert heard.endswith(b"TILLWAY-7\r")
        assert board.state(DEVICE) == {"turns_left": 0, "expected": None, "came": None}


def _with_a_broken_command(fault: Fault) -> Trace:
    lines: list[str] = []
    with VirtualBoard(board_with("gm65", device=DEVICE)) as board:
        recorder = Recorder(
            board.board, lambda: board.now_ms, lambda event: lines.append(write_line(event))
        )
        board.set_fault(DEVICE, fault)
        for _ in range(2):
            board.send(DEVICE, READ)
            board.pass_time(2 * BROKEN_OFF_MS)
        board.send(DEVICE, COMMAND_MODE)
        board.pass_time(100)
    return read_trace([write_line(recorder.head), *lines])


@pytest.mark.parametrize("kind", [FaultKind.TRUNCATE, FaultKind.FLIP, FaultKind.NOISE])
@pytest.mark.parametrize("is_broken_again", [False, True])
def test_what_a_line_did_to_a_command_may_be_missing_in_a_replay(
    kind: FaultKind, *, is_broken_again: bool
) -> None:
    """Goal: a recording of a bad line can be played to a driver on a good one, and on a bad one."""
    fault = Fault(kind, at=4, side=Side.HOST)
    trace = _with_a_broken_command(fault)
    assert any(not said.valid for said in trace.said(DEVICE))
    with VirtualBoard(board_of_trace(trace, DEVICE)) as board:
        if is_broken_again:
            board.set_fault(DEVICE, fault)
            board.send(DEVICE, READ)
            board.pass_time(2 * BROKEN_OFF_MS)
        for command in (READ, COMMAND_MODE):
            board.send(DEVICE, command)
            board.pass_time(100)
        assert board.state(DEVICE) == {"turns_left": 0, "expected": None, "came": None}


def test_a_host_that_means_something_else_is_told_both() -> None:
    with VirtualBoard(board_of_trace(_recorded(), DEVICE)) as board:
        board.send(DEVICE, READ)
        board.send(DEVICE, TRIGGER)
        board.pass_time(100)
        state = board.state(DEVICE)
    assert state["turns_left"] == 2
    assert "write address=0000" in str(state["expected"])
    assert "write address=0002" in str(state["came"])


def test_a_recorded_host_plays_to_a_device_and_a_broken_one_differs(tmp_path: Path) -> None:
    trace = _recorded()
    with bench_of("gm65", "pty") as bench:
        bench.person.do("present", text="TILLWAY-7")
        played = play_host(trace, DEVICE, bench.wire)
    assert (played.done, played.difference) == (3, None)
    with HostedBoard(board_with("gm65", device=DEVICE), state_dir=tmp_path) as board:
        board.set_fault(DEVICE, Fault(FaultKind.SILENT))
        with serial.Serial(board.paths[DEVICE], 9600, timeout=1) as port:
            from firmware_sim.conformance.running import PortWire
            from firmware_sim.kinds.registry import KINDS

            played = play_host(trace, DEVICE, PortWire(port, KINDS["gm65"].decoder()))
    assert played.done == 0
    assert played.difference is not None
    assert played.difference.came == "nothing"


def test_what_a_device_broke_off_is_in_the_trace_though_nothing_follows(tmp_path: Path) -> None:
    with VirtualBoard(board_with("gm65", device=DEVICE)) as board:
        traces = Traces(tmp_path, Recorder(board.board, lambda: board.now_ms))
        name = traces.start()
        board.set_fault(DEVICE, Fault(FaultKind.TRUNCATE, at=3))
        board.send(DEVICE, READ)
        board.pass_time(2 * BROKEN_OFF_MS)
        traces.stop()
        last = traces.load(name).said(DEVICE)[-1]
    assert (last.name, last.hex, last.fields) == ("junk", "020000", {"why": "unfinished"})


def test_what_a_device_said_unasked_is_said_again_at_its_time() -> None:
    head = Head(tillway_trace=1, board="b", seed=0, devices={DEVICE: "gm65"})
    code = Said(
        t_ms=400, device=DEVICE, side=Side.DEVICE, name="code", fields={"text": "TILLWAY-7"},
        valid=True, hex=b"TILLWAY-7\r".hex(), places={},
    )  # fmt: skip
    with VirtualBoard(board_of_trace(Trace(head, (code,)), DEVICE)) as board:
        assert board.receive(DEVICE, 10, within_ms=390) == b""
        assert not board.call(lambda running: running.is_idle(DEVICE))
        assert board.receive(DEVICE, 10, within_ms=30) == b"TILLWAY-7\r"
        assert board.call(lambda running: running.is_idle(DEVICE))


def test_what_people_did_is_done_again_in_its_place() -> None:
    lines: list[str] = []
    with VirtualBoard(board_with("gm65", device=DEVICE)) as board:
        recorder = Recorder(
            board.board, lambda: board.now_ms, lambda event: lines.append(write_line(event))
        )
        board.send(DEVICE, COMMAND_MODE)
        board.pass_time(300)
        board.do(DEVICE, "present", text="FIRST", keep=True)
        board.send(DEVICE, TRIGGER)
        board.pass_time(300)
        board.do(DEVICE, "take_away")
        board.send(DEVICE, TRIGGER)
        board.pass_time(300)
        board.do(DEVICE, "present", text="SECOND")  # while the scanner is looking
        board.pass_time(300)
    trace = read_trace([write_line(recorder.head), *lines])
    assert [said.fields["text"] for said in trace.said(DEVICE) if said.name == "code"] == [
        "FIRST",
        "SECOND",
    ]
    for target in ("memory", "pty"):
        case = play_to(trace, None, target)
        assert case.verdict is Verdict.PASSED, case.reason


def test_a_replay_to_a_device_shows_each_turn_s_bytes_and_fields() -> None:
    case = play_to(_recorded(PAY_CODE), None, "memory")
    assert [step.title for step in case.seen] == [
        "before the host speaks", "host says read", "host says write", "host says write",
    ]  # fmt: skip
    assert case.seen[1].title_zh == "主机说 read"
    present, (read, reply) = case.seen[0].rows[0], case.seen[1].rows
    assert (present.side, present.name) == ("people", "present")
    assert read.octets == READ.hex(" ")
    assert (reply.side, reply.fields, reply.octets) == (
        "device", (("status", "0"), ("data", "3e")), "02 00 00 01 3e e4 ac",
    )  # fmt: skip
    code = case.seen[3].rows[-1]
    assert (code.name, code.fields) == ("code", (("text", "13************6789"),))
    page = to_page(Report("replay", (case,)), "en").decode()
    assert reply.octets in page
    assert "data = 3e" in page
    assert PAY_CODE not in page


def test_what_a_device_did_not_finish_in_a_replay_is_shown_too() -> None:
    trace = _recorded()
    bent = replace(trace, events=tuple(
        event.model_copy(update={"hex": event.hex[:-6]})
        if isinstance(event, Said) and event.name == "read" else event
        for event in trace.events
    ))  # fmt: skip
    case = play_to(bent, None, "memory")
    assert case.verdict is Verdict.FAILED
    junk = case.seen[-1].rows[0]
    assert (junk.name, junk.is_valid, junk.octets) == ("junk", False, READ.hex(" ")[:-9])


def test_a_turn_with_more_answers_than_a_report_shows_is_compared_to_its_end() -> None:
    lines: list[str] = []
    with VirtualBoard(board_with("ef01", device=DEVICE)) as board:
        recorder = Recorder(
            board.board, lambda: board.now_ms, lambda event: lines.append(write_line(event))
        )
        board.do(DEVICE, "place", finger="alice")
        for instruction in (Instruction.GET_IMAGE, Instruction.UP_IMAGE):
            board.send(DEVICE, ef01.command(instruction))
            board.pass_time(20_000)
    trace = read_trace([write_line(recorder.head), *lines])
    assert len(trace.said(DEVICE)) > 2 * FRAMES_SHOWN_MAX
    case = play_to(trace, None, "memory")
    assert case.verdict is Verdict.PASSED, case.reason
    answers = case.seen[-1]
    assert len(answers.rows) == REPORT_STEP_FRAMES_MAX
    assert answers.left_out + len(answers.rows) == len(turns_of(trace.said(DEVICE))[-1].answers) + 1


def test_a_replay_in_virtual_time_does_not_heed_the_machine_s_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with bench_of("gm65", "memory") as bench, monkeypatch.context() as slow:
        slow.setattr(time, "monotonic", map(float, count(step=100)).__next__)
        played = play_host(_recorded(), DEVICE, bench.wire, bench.person.do)
    assert played.difference is None


def test_a_trace_on_disk_is_the_same_and_wrong_lines_are_named(tmp_path: Path) -> None:
    trace, path = _recorded(), tmp_path / "deep" / "trace.jsonl"
    with TraceFile(path) as file:
        for line in (trace.head, *trace.events):
            file.write(line)
    assert load_trace(path) == trace
    lines = path.read_text().splitlines()
    for number, bad in ((1, "{}"), (2, "{"), (4, lines[3].replace('"t_ms": ', '"t_ms": -'))):
        broken = [*lines[: number - 1], bad, *lines[number:]]
        path.write_text("\n".join(broken))
        with pytest.raises(CallerError, match=f"trace_invalid: trace.jsonl:{number}:"):
            load_trace(path)
    with pytest.raises(OperatingError, match="file_unusable"):
        load_trace(tmp_path / "nothing")


@pytest.mark.parametrize("code", ["deed", '{"deed": 1}'])
def test_a_code_that_says_deed_is_a_frame_all_the_same(code: str) -> None:
    assert f"<- code text={code}" in _recorded(code).events[-1].describe()


def test_the_longest_picture_is_recorded_and_printed() -> None:
    wide, high = 72, RASTER_BYTES_MAX // 72 - 1
    picture = b"\x1dv0\x00" + wide.to_bytes(2, "little") + high.to_bytes(2, "little")
    lines: list[str] = []
    with VirtualBoard(board_with("escpos", device=DEVICE)) as board:
        recorder = Recorder(
            board.board, lambda: board.now_ms, lambda event: lines.append(write_line(event))
        )
        for data in (picture, bytes(wide * high // 2), bytes(wide * high // 2)):
            for start in range(0, len(data), LINE_INBOX_BYTES_MAX):
                board.send(DEVICE, data[start : start + LINE_INBOX_BYTES_MAX])
        board.send(DEVICE, b"\x10\x04\x01")
        assert len(board.receive(DEVICE, 1)) == 1
    trace = read_trace([write_line(recorder.head), *lines])
    assert len(trace.said(DEVICE)[0].data()) == len(picture) + wide * high


def test_one_device_of_a_trace_is_its_own_lines_and_no_other_is_invented() -> None:
    trace = _recorded()
    assert trace.only(DEVICE) == trace.only(None) == trace
    with pytest.raises(CallerError, match="no device 'nobody'; it has device"):
        trace.only("nobody")


def test_a_full_disk_stops_the_trace_and_not_the_device() -> None:
    file = TraceFile(Path("/dev/full"))
    with VirtualBoard(board_with("gm65", device=DEVICE)) as board:
        Recorder(board.board, lambda: board.now_ms, file.write)
        for _ in range(2):
            board.send(DEVICE, READ)
            assert len(board.receive(DEVICE, 7)) == 7
    with pytest.raises(OperatingError, match="file_unwritable: /dev/full"):
        file.close()


def test_a_capture_file_has_the_frames_with_their_sides_and_times(tmp_path: Path) -> None:
    trace = _recorded()
    content = b"".join(to_pcap(trace))
    magic, major, minor, _, _, snap, link = struct.unpack("<IHHiIII", content[:24])
    assert (magic, major, minor, snap, link) == (0xA1B2C3D4, 2, 4, SNAP_BYTES, 250)
    found, at = [], 24
    while at < len(content):
        seconds, micros, kept, length = struct.unpack("<IIII", content[at : at + 16])
        assert kept == length
        packet = content[at + 16 : at + 16 + kept]
        found.append((seconds * 1000 + micros // 1000, packet[8], packet[12:].hex()))
        at += 16 + kept
    said = trace.said(DEVICE)
    assert found == [(s.t_ms, 1 if s.side.value == "host" else 2, s.hex) for s in said]
