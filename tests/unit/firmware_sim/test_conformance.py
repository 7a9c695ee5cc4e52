"""Goal: every kind's checks hold on its simulated device, and turn red on a broken one.

Method: the checks as ``tillway sim conform`` runs them, in virtual time; of one kind over a pty.
"""

import time
from collections.abc import Callable
from itertools import count

import pytest
import serial

from faces.words import Words
from firmware_sim.board_file import BoardDevice, BoardFile, board_with
from firmware_sim.conformance.check import CheckFailedError, NeedsPersonError, expect
from firmware_sim.conformance.registry import CHECKS, checks_of
from firmware_sim.conformance.running import (
    DEVICE,
    AskedPerson,
    Bench,
    PortWire,
    SimulatedPerson,
    bench_of,
    run_checks,
)
from firmware_sim.conformance.virtual import VirtualWire
from firmware_sim.devices.device import Output
from firmware_sim.faults import Fault, FaultKind
from firmware_sim.frames import Side
from firmware_sim.hosting import HostedBoard, VirtualBoard
from firmware_sim.kinds.registry import KINDS
from protocol.errors import CallerError, OperatingError

OVER_A_PTY = {"secure_element"}
UNDER_TEST = Words("受测设备", "the device under test")


@pytest.mark.parametrize("kind", sorted(CHECKS))
def test_the_simulated_device_holds(kind: str) -> None:
    with bench_of(kind, "pty" if kind in OVER_A_PTY else "memory") as bench:
        outcomes = list(run_checks(bench, checks_of(kind)))
    failed = [(one.name, one.reason) for one in outcomes if one.verdict != "passed"]
    assert failed == []
    assert len(outcomes) >= 10


def test_checks_in_virtual_time_do_not_heed_the_machine_s_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Goal: a board on a machine that stands still for a while is no board that is silent."""
    with bench_of("smp_board", "memory") as bench, monkeypatch.context() as slow:
        slow.setattr(time, "monotonic", map(float, count(step=100)).__next__)
        outcomes = list(run_checks(bench, checks_of("smp_board")))
    assert [(one.name, one.reason) for one in outcomes if one.verdict != "passed"] == []


@pytest.mark.parametrize("kind", sorted(CHECKS))
def test_a_device_that_loses_a_byte_of_every_message_turns_checks_red(kind: str) -> None:
    with VirtualBoard(board_with(kind, device=DEVICE)) as board:
        board.set_fault(
            DEVICE,
            *(Fault(FaultKind.DROP, at=0, repeat=True, side=side) for side in Side),
            Fault(FaultKind.DROP, at=7, repeat=True, side=Side.HOST),
        )
        wire = VirtualWire(board, DEVICE, KINDS[kind].decoder())
        bench = Bench(wire, SimulatedPerson(board), UNDER_TEST)
        verdicts = [one.verdict for one in run_checks(bench, checks_of(kind)[:2])]
    assert "failed" in verdicts


@pytest.mark.parametrize(
    ("kind", "profile"), [("gm65", "gm812"), ("gm65", "gm60"), ("ssi", "gm67")]
)
def test_the_other_models_hold_as_well(kind: str, profile: str) -> None:
    entry = KINDS[kind].entry.model_validate({"kind": kind, "profile": profile})
    file = BoardFile("models", {DEVICE: BoardDevice(KINDS[kind], entry)})
    with VirtualBoard(file) as board:
        wire = VirtualWire(board, DEVICE, KINDS[kind].decoder())
        bench = Bench(wire, SimulatedPerson(board), Words(profile, profile))
        outcomes = list(run_checks(bench, checks_of(kind)))
    assert [(one.name, one.reason) for one in outcomes if one.verdict != "passed"] == []


@pytest.mark.parametrize("kind", ["cd5220", "epson_vfd", "gm65", "led8", "ssi"])
def test_a_device_that_hears_nothing_fails_whatever_is_more_than_silence(kind: str) -> None:
    with VirtualBoard(board_with(kind, device=DEVICE)) as board:
        board.set_fault(DEVICE, Fault(FaultKind.SILENT, side=Side.HOST))
        bench = Bench(
            VirtualWire(board, DEVICE, KINDS[kind].decoder()), SimulatedPerson(board), UNDER_TEST
        )
        outcomes = run_checks(bench, checks_of(kind))
        held = {one.name for one in outcomes if one.verdict == "passed"}
    assert held <= {"gm65.crc_wrong", "led8.clear", "led8.init"}


def noting(asked: list[str], *, answer: bool) -> Callable[[str], bool]:
    """Whoever sits at the terminal: what is asked is kept, and always answered the same."""

    def ask(words: str) -> bool:
        asked.append(words)
        return answer

    return ask


def test_who_looks_at_a_display_says_whether_it_is_so() -> None:
    asked: list[str] = []
    person = AskedPerson(noting(asked, answer=False))
    assert not person.sees("look", upper="A")
    assert asked == ["look: upper 'A' (is it so?)"]
    with pytest.raises(NeedsPersonError):
        AskedPerson(None).sees("look")


def test_what_needs_a_person_is_skipped_where_nobody_is() -> None:
    by_hand = [one for one in checks_of("gm65") if one.needs_person][:1]
    with (
        HostedBoard(board_with("gm65", device=DEVICE), pace=False) as board,
        serial.Serial(board.paths[DEVICE], 9600, timeout=1) as port,
    ):
        wire = PortWire(port, KINDS["gm65"].decoder())
        alone = Bench(wire, AskedPerson(lambda _: False), UNDER_TEST)
        outcomes = list(run_checks(alone, tuple(by_hand)))
    assert [one.verdict for one in outcomes] == ["skipped"]
    assert "present" in outcomes[0].reason


def test_a_person_is_asked_in_the_words_of_the_kind() -> None:
    asked: list[str] = []
    person = AskedPerson(noting(asked, answer=True), KINDS["telium"])
    person.do("cancel")
    person.do("present", card="visa", by="contactless")
    assert asked == [
        "press the red key",
        "hold a card to the pin pad: card 'visa', by 'contactless'",
    ]


def test_check_names_are_unique_and_say_where_it_is_written() -> None:
    for kind, checks in CHECKS.items():
        assert len({one.id for one in checks}) == len(checks)
        assert all(one.id.startswith(f"{kind}.") and one.clause for one in checks)


def test_a_device_that_is_not_there_and_a_kind_without_checks_are_refused() -> None:
    with pytest.raises(OperatingError, match="port_unusable"):
        bench_of("gm65", "serial:/nonexistent/tty").__enter__()
    with pytest.raises(CallerError, match="config_invalid"):
        bench_of("gm65", "usb").__enter__()
    with pytest.raises(CallerError, match="did you mean 'gm65'"):
        checks_of("gm66")


class _Chatterbox:
    """A port whose device never falls silent."""

    timeout: float | None = None
    baudrate = 9600
    in_waiting = 4095

    def read(self, size: int = 1) -> bytes:
        """Always all that is wanted."""
        return b"U" * size

    def write(self, data: bytes) -> int:
        """Nobody hears it."""
        return len(data)


def test_a_device_that_never_falls_silent_has_failed_and_hangs_nobody() -> None:
    wire = PortWire(_Chatterbox(), KINDS["gm65"].decoder())
    with pytest.raises(CheckFailedError, match="bytes without a pause"):
        wire.drain(0.02)
    with VirtualBoard(board_with("gm65", device=DEVICE)) as board:
        quick = VirtualWire(board, DEVICE, KINDS["gm65"].decoder())
        link = board.board.link(DEVICE)
        words = [Output(at, b"U", 9600) for at in range(10, 40_000, 10)]
        board.call(lambda _: link.act(lambda _: words))
        with pytest.raises(CheckFailedError, match="bytes without a pause"):
            quick.drain(0.02)


def test_a_long_number_that_came_is_not_in_the_reason() -> None:
    number = b"4111111111111111"
    with pytest.raises(CheckFailedError) as failed:
        expect(False, "nothing", b"\x02" + number)
    assert str(failed.value) == "expected nothing; came 02 34 31" + " **" * 10 + " 31 31 31 31"
    with pytest.raises(CheckFailedError, match=r"came 41\*{10}1111"):
        expect(False, "nothing", number.decode())
