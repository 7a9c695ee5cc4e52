"""A program ends with the one that started it, however that one ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.kit.patience import PATIENCE_S

PARENT = """
import sys, time
from pathlib import Path
from tillway.processes import start
program = start("board", ["sim", "run", "--board", "vending", "--state-dir", sys.argv[1]],
                log_dir=Path(sys.argv[1]), env={})
print(program.process.pid, flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def test_a_program_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        os.kill(parent.pid, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_S
        while is_running(child) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_running(child)
