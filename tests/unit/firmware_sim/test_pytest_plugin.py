"""Goal: a tester's own tests get a board by one option, real ports by another, and see on a failure
what was said.
"""

import subprocess
import sys
from pathlib import Path

TESTS = """
import serial
from firmware_sim.faults import Fault, FaultKind

def _ask(port):
    with serial.Serial(port, 9600, timeout=2) as scanner:
        scanner.write(bytes.fromhex("7E000701000A01EE8A"))
        return scanner.read(7)

def test_reads(tillway_ports):
    assert _ask(tillway_ports["eye"]).hex() == "020000013ee4ac"

def test_fails(tillway_board):
    tillway_board.do("eye", "present", text="134567890123456789")
    tillway_board.set_fault("eye", Fault(FaultKind.TRUNCATE, at=3))
    assert _ask(tillway_board.paths["eye"]) == b"wrong"
"""


def _pytest(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    (folder / "test_mine.py").write_text(TESTS)
    (folder / "eye.yaml").write_text("name: eye\ndevices:\n  eye: {kind: gm65}\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest",
         "-p", "no:schemathesis", "-p", "no:xdist", "--rootdir", str(folder), "-c", "/dev/null",
         *words],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_board_that_does_not_exist_is_said_in_a_line(tmp_path: Path) -> None:
    ran = _pytest(tmp_path, "--tillway-board=vendng", "-k", "reads")
    assert ran.returncode == 1
    assert "--tillway-board: no board 'vendng'; did you mean 'vending'?" in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr
    assert "load_board" not in ran.stdout


def test_each_test_has_a_board_and_a_failure_shows_seed_and_frames(tmp_path: Path) -> None:
    ran = _pytest(tmp_path, "--tillway-board=eye.yaml", "--tillway-seed=77")
    assert ran.returncode == 1
    assert "1 failed, 1 passed" in ran.stdout
    assert "tillway board eye, seed 77" in ran.stdout
    assert "-> read address=000a" in ran.stdout
    assert "present text=13************6789" in ran.stdout
    assert "<- junk (damaged) why=unfinished  [020000]" in ran.stdout


def test_real_ports_take_the_boards_place(tmp_path: Path) -> None:
    ran = _pytest(tmp_path, "--tillway-port", "eye=/nonexistent/tty")
    assert "1 failed, 1 skipped" in ran.stdout
    assert "/nonexistent/tty" in ran.stdout
    wrong = _pytest(tmp_path, "--tillway-port", "eye")
    assert "takes DEVICE=PORT" in wrong.stdout + wrong.stderr
