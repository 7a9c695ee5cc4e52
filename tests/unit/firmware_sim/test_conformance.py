"""Goal: every kind's checks hold on its simulated device, and turn red on a broken one.

Method: the checks as ``tillway sim conform`` runs them, over a pty.
"""

import pytest
import serial

from firmware_sim.board_file import board_with
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
from firmware_sim.faults import Fault, FaultKind
from firmware_sim.hosting import HostedBoard
from firmware_sim.kinds.registry import KINDS
from protocol.errors import CallerError, OperatingError


@pytest.mark.parametrize("kind", sorted(CHECKS))
def test_the_simulated_device_holds(kind: str) -> None:
    with bench_of(kind, "pty") as bench:
        outcomes = list(run_checks(bench, checks_of(kind)))
    failed = [(one.name, one.reason) for one in outcomes if one.verdict != "passed"]
    assert failed == []
    assert len(outcomes) >= 10


@pytest.mark.parametrize("kind", sorted(CHECKS))
def test_a_device_that_loses_a_byte_of_every_answer_turns_checks_red(kind: str) -> None:
    checks = [one for one in checks_of(kind) if not one.needs_person][:2]
    with HostedBoard(board_with(kind, device=DEVICE), pace=False) as board:
        board.set_fault(DEVICE, Fault(FaultKind.DROP, at=0, repeat=True))
        rate = board.call(lambda running: running.link(DEVICE).device.baud)
        with serial.Serial(board.paths[DEVICE], rate, timeout=1) as port:
            wire = PortWire(port, KINDS[kind].decoder())
            bench = Bench(wire, SimulatedPerson(board), "broken")
            verdicts = [one.verdict for one in run_checks(bench, tuple(checks))]
    assert "failed" in verdicts


def test_what_needs_a_person_is_skipped_where_nobody_is() -> None:
    by_hand = [one for one in checks_of("gm65") if one.needs_person][:1]
    with (
        HostedBoard(board_with("gm65", device=DEVICE), pace=False) as board,
        serial.Serial(board.paths[DEVICE], 9600, timeout=1) as port,
    ):
        wire = PortWire(port, KINDS["gm65"].decoder())
        alone = Bench(wire, AskedPerson(lambda _: False), "alone")
        outcomes = list(run_checks(alone, tuple(by_hand)))
    assert [one.verdict for one in outcomes] == ["skipped"]
    assert "present" in outcomes[0].reason


def test_check_names_are_unique_and_say_where_it_is_written() -> None:
    for kind, checks in CHECKS.items():
        assert len({one.id for one in checks}) == len(checks)
        assert all(one.id.startswith(f"{kind}.") and one.clause for one in checks)


def test_a_device_that_is_not_there_and_a_kind_without_checks_are_refused() -> None:
    with pytest.raises(OperatingError, match="device_disconnected"):
        bench_of("gm65", "serial:/nonexistent/tty").__enter__()
    with pytest.raises(CallerError, match="config_invalid"):
        bench_of("gm65", "usb").__enter__()
    with pytest.raises(CallerError, match="did you mean 'gm65'"):
        checks_of("gm66")
