"""Goal: a report says of each step what went over the line, held or not, masked and bounded."""

import re
from pathlib import Path

from firmware_sim.board_file import board_with
from firmware_sim.conformance import telium
from firmware_sim.conformance.check import Check, Person, Wire
from firmware_sim.conformance.running import DEVICE, Bench, SimulatedPerson, bench_of, run_checks
from firmware_sim.conformance.virtual import VirtualWire
from firmware_sim.hosting import VirtualBoard
from firmware_sim.kinds.registry import KINDS
from firmware_sim.limits import (
    FRAMES_SHOWN_MAX,
    REPORT_FRAME_BYTES_MAX,
    REPORT_STEP_FRAMES_MAX,
    REPORT_STEPS_MAX,
)
from firmware_sim.reports.page import to_page
from firmware_sim.reports.report import Case, Report
from firmware_sim.scenario.form import load_scenario
from firmware_sim.scenario.running import run_scenario

CODE = "134567890123456789"
SCAN = f"""
name: a code is scanned
steps:
  - {{do: scanner.present, text: "{CODE}"}}
  - {{send: scanner, hex: 7E 00 08 01 00 00 D5 AB CD}}
  - {{expect: scanner, frame: reply}}
  - {{send: scanner, hex: 7E 00 08 01 00 02 01 AB CD}}
  - {{expect: scanner, frame: code}}
"""


def _case(folder: Path, text: str) -> Case:
    path = folder / "scenario.yaml"
    path.write_text(text)
    return run_scenario(load_scenario(path)).case("scan", "scan.yaml")


def _page(case: Case) -> str:
    return to_page(Report("report", (case,))).decode()


def test_a_passed_check_shows_its_bytes_and_fields() -> None:
    checks = tuple(one for one in telium.CHECKS if one.id == "telium.card_is_approved")
    with bench_of("telium", "memory") as bench:
        (case,) = run_checks(bench, checks)
    assert case.verdict == "passed"
    (seen,) = case.seen
    ask = next(row for row in seen.rows if row.name == "ask")
    assert (ask.side, ask.octets[:2], ask.bytes_said) == ("host", "02", 37)
    assert ("amount_minor", "100") in ask.fields
    answer = next(row for row in seen.rows if row.name == "answer")
    assert ("result", "approved") in answer.fields
    assert "**" in answer.octets
    page = _page(case)
    assert "<details>" in page
    assert "amount_minor = 100" in page
    assert ask.octets in page


def test_bytes_that_a_device_never_finished_are_in_the_report() -> None:
    def half(wire: Wire, _: Person) -> None:
        wire.send(bytes.fromhex("7E000701"))

    with VirtualBoard(board_with("gm65", device=DEVICE)) as board:
        wire = VirtualWire(board, DEVICE, KINDS["gm65"].decoder())
        bench = Bench(wire, SimulatedPerson(board), "half")
        (case,) = run_checks(bench, (Check("gm65.half", "half", "none", half),))
    (row,) = case.seen[0].rows
    assert (row.octets, row.is_valid, row.fields) == (
        "7e 00 07 01",
        False,
        (("why", "unfinished"),),
    )


def test_of_a_check_that_says_much_the_last_is_shown_and_the_rest_is_counted() -> None:
    def chatty(wire: Wire, _: Person) -> None:
        for _number in range(FRAMES_SHOWN_MAX):
            wire.send(bytes.fromhex("7E000701000A01EE8A"))
            wire.receive(7, 1)

    with VirtualBoard(board_with("gm65", device=DEVICE)) as board:
        wire = VirtualWire(board, DEVICE, KINDS["gm65"].decoder())
        bench = Bench(wire, SimulatedPerson(board), "chatty")
        (case,) = run_checks(bench, (Check("gm65.chatty", "chatty", "none", chatty),))
    assert (len(case.seen[0].rows), case.seen[0].left_out) == (FRAMES_SHOWN_MAX, FRAMES_SHOWN_MAX)
    assert f"… {FRAMES_SHOWN_MAX} more are left out …" in _page(case)


def test_each_step_of_a_scenario_that_held_shows_what_came_of_it(tmp_path: Path) -> None:
    case = _case(tmp_path, SCAN)
    assert case.verdict == "passed"
    titles = [step.title for step in case.seen]
    assert titles[:3] == [
        "line 4: do scanner.present", "line 5: send scanner", "line 6: expect scanner: reply",
    ]  # fmt: skip
    people, command = case.seen[0].rows[0], case.seen[1].rows[0]
    assert (people.side, people.name, people.device) == ("people", "present", "scanner")
    assert (command.side, command.octets) == ("host", "7e 00 08 01 00 00 d5 ab cd")
    page = _page(case)
    assert "13************6789" in page
    assert CODE not in page
    assert not re.search("31 33 34 35 36 37 38", page)


def test_a_report_of_a_long_run_has_bounds(tmp_path: Path) -> None:
    question = "{send: scanner, hex: 7E 00 07 01 00 0A 01 EE 8A}"
    words = "x" * 5_000
    case = _case(
        tmp_path,
        "name: long\nsteps:\n  - repeat: 500\n    steps:\n"
        f"      - {question}\n      - {{wait: 50ms}}\n"
        f"  - {{repeat: 60, steps: [{question}]}}\n  - {{wait: 10s}}\n"
        f"  - {{send: printer, text: '{words}'}}\n  - {{wait: 1s}}\n",
    )
    assert len(case.seen) == REPORT_STEPS_MAX + 1
    assert [one.title for one in case.seen if not one.rows and "more" in one.title] == [
        "963 more steps"
    ]
    long = next(one for one in case.seen if one.left_out)
    assert (len(long.rows), long.gap) == (REPORT_STEP_FRAMES_MAX, REPORT_STEP_FRAMES_MAX // 2)
    printed = next(row for step in case.seen for row in step.rows if row.device == "printer")
    assert len(printed.octets.split()) <= REPORT_FRAME_BYTES_MAX
    page = _page(case)
    assert len(page) < 200_000
    assert "more are left out" in page
