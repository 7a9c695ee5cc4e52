"""Goal: a charger on a real WebSocket is checked as one on a pty is.

Method: the simulated charger calls the suite's own listener, over the loopback.
"""

import pytest

from firmware_sim.board_file import board_with
from firmware_sim.conformance.registry import checks_of
from firmware_sim.conformance.running import PortWire, bench_of, run_checks
from firmware_sim.hosting import HostedBoard
from protocol.errors import CallerError, OperatingError

CHECKED = {"ocpp16.boot", "ocpp16.keys", "ocpp16.session"}


def test_a_charger_that_calls_is_checked_and_what_needs_a_person_is_skipped() -> None:
    checks = tuple(check for check in checks_of("ocpp16") if check.id in CHECKED)
    with bench_of("ocpp16", "ws:0") as bench:
        board = board_with("ocpp16", transport=f"{bench.what.en.split()[-1]}/CP-1")
        with HostedBoard(board):
            outcomes = {one.name: one.verdict.value for one in run_checks(bench, checks)}
        assert isinstance(bench.wire, PortWire)
        names = [frame.name for frame in bench.wire.frames]
    assert outcomes == {
        "ocpp16.boot": "passed", "ocpp16.keys": "passed", "ocpp16.session": "skipped",
    }  # fmt: skip
    assert "connect" in names


def test_what_is_no_address_or_no_charger_is_refused() -> None:
    for kind, device in (("ocpp16", "ws:nowhere"), ("gm65", "ws:0"), ("ocpp201", "ws:1:70000")):
        with pytest.raises(CallerError, match="config_invalid"):
            bench_of(kind, device).__enter__()
    with bench_of("ocpp201", "ws:0") as bench:
        taken = bench.what.en.rsplit(":", 1)[-1]
        with pytest.raises(OperatingError, match="port_taken"):
            bench_of("ocpp201", f"ws:{taken}").__enter__()
