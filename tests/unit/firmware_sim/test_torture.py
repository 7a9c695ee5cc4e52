"""Goal: the fault table tells a sound driver from one that hangs, believes or crashes.

Method: small drivers of a GM65 as programs of their own, each with one vice, over ptys.
"""

import sys
from pathlib import Path

import pytest

from firmware_sim.limits import DRIVER_LIMIT_S
from firmware_sim.reports.report import Verdict
from firmware_sim.torture.running import OWN_PROBE, driver_of, torture
from firmware_sim.torture.table import SOUND, TABLE, Ran, judge
from protocol.errors import CallerError, OperatingError
from terminal.adapters.limits import READER_OVERTIME_S

ASK = """
import serial, sys
port = serial.Serial(sys.argv[1], 9600, timeout=0.5)
port.write(bytes.fromhex("7E000701000A01EE8A"))
"""
GOOD = ASK + "said = port.read(7)\nif said.hex() != '020000013ee4ac': sys.exit('bad ' + said.hex())"
BELIEVES = ASK + "port.read(7)\nprint('register is 3e')"
UNCHECKED = ASK + "said = port.read(7)\nprint(said[4:5].hex() or sys.exit('nothing'))"
HANGS = ASK + "port.timeout = None\nport.read(7)"
CRASHES = ASK + "import os, signal\nport.read(7) or os.kill(os.getpid(), signal.SIGSEGV)"


def _verdicts(folder: Path, program: str, *rows: str) -> dict[str, tuple[Verdict, str]]:
    path = folder / "driver.py"
    path.write_text(program)
    driver = driver_of(f"{sys.executable} {path} {{port}}", "gm65", [], limit_s=2)
    wanted = [row for row in TABLE if row.name in rows]
    assert len(wanted) == len(rows)
    return {case.name: (case.verdict, case.reason) for case in torture(driver, wanted)}


@pytest.mark.parametrize(
    ("program", "row", "verdict", "words"),
    [
        (GOOD, "silent", Verdict.PASSED, "says an error"),
        (GOOD, "flip_last", Verdict.PASSED, "says an error"),
        (BELIEVES, "silent", Verdict.FAILED, "believes a silent device"),
        (UNCHECKED, "flip_last", Verdict.FAILED, "takes damaged data for good: 3a"),
        (HANGS, "deaf", Verdict.FAILED, "hangs"),
        (CRASHES, "silent", Verdict.FAILED, "ended by signal 11"),
    ],
)
def test_a_vice_is_found_and_a_virtue_too(
    tmp_path: Path, program: str, row: str, verdict: Verdict, words: str
) -> None:
    found = _verdicts(tmp_path, program, row)
    assert found["sound"][0] is Verdict.PASSED
    assert found[row][0] is verdict
    assert words in found[row][1]


def test_a_fault_that_met_nothing_is_no_success(tmp_path: Path) -> None:
    """Goal: who opens the port and says nothing has borne no lost byte."""
    opens = ASK.partition("port.write")[0]
    found = _verdicts(tmp_path, opens, "flip_last", "host_flip")
    assert found["sound"][0] is Verdict.PASSED
    assert {name: verdict for name, (verdict, _) in found.items() if name != "sound"} == {
        "flip_last": Verdict.SKIPPED,
        "host_flip": Verdict.SKIPPED,
    }
    assert "the fault met nothing" in found["flip_last"][1]


def test_a_driver_that_fails_on_a_sound_line_is_not_tortured(tmp_path: Path) -> None:
    found = _verdicts(tmp_path, "import sys; sys.exit('no such thing')", "silent")
    assert set(found) == {"sound"}
    assert found["sound"][0] is Verdict.ERROR
    assert "no such thing" in found["sound"][1]


@pytest.mark.parametrize("end", ["", "sys.exit(1)"])
def test_a_pay_code_that_a_driver_prints_is_in_no_report(tmp_path: Path, end: str) -> None:
    found = _verdicts(tmp_path, f"import sys\nprint('134567890123456789')\n{end}", "noise")
    assert all("134567890123456789" not in reason for _, reason in found.values())
    assert "13************6789" in found["sound"][1]


def test_success_without_the_deed_is_not_believed() -> None:
    sound = Ran(0, "printed", "", 1, 10, (("receipts_cut", 1),))
    without = Ran(0, "printed", "", 1, 10, (("receipts_cut", 0),))
    verdict, reason = judge(SOUND, without, sound)
    assert verdict is Verdict.FAILED
    assert "receipts_cut" in reason.en


def test_a_driver_has_to_be_named_well() -> None:
    with pytest.raises(CallerError, match=r"with \{port\} in it"):
        driver_of("python driver.py", "gm65", [], limit_s=1)
    with pytest.raises(CallerError, match="did you mean 'gm65'"):
        driver_of("python driver.py {port}", "gm66", [], limit_s=1)
    with pytest.raises(CallerError, match="NAME=VALUE"):
        driver_of("x {port}", "gm65", ["present ABC"], limit_s=1)
    absent = driver_of("/nonexistent/driver {port}", "gm65", [], limit_s=1)
    with pytest.raises(OperatingError, match="driver_unstartable"):
        list(torture(absent, TABLE))


def test_our_slowest_driver_has_time_to_start_and_to_say_its_error() -> None:
    probe_s = float(OWN_PROBE[OWN_PROBE.index("--limit") + 1])
    start_s = 10
    assert probe_s + READER_OVERTIME_S + start_s <= DRIVER_LIMIT_S


def test_every_row_has_its_own_name() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE) >= 20
