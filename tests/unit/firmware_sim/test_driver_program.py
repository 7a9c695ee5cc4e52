"""Goal: a driver under test ends within its limit, with all it has started, and fills no memory."""

import os
import sys
import time
from pathlib import Path

import pytest

from firmware_sim.driver_program import run_driver, words_of
from firmware_sim.limits import DRIVER_OUTPUT_CHARS_MAX
from protocol.errors import CallerError, OperatingError

LEAVES_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
if len(sys.argv) > 1: child.wait()
"""
FLOODS = "import os\nwhile True: os.write(1, b'x' * 65536)"


def _is_alive(process: int) -> bool:
    """A process that ended but was not waited for counts as ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("words", "code"), [((), 0), (("hang",), None)])
def test_what_a_driver_has_started_ends_with_it(words: tuple[str, ...], code: int | None) -> None:
    ended = run_driver([sys.executable, "-c", LEAVES_A_CHILD, *words], 1.5, keep=True)
    assert ended.exit_code == code
    child = int(ended.found)
    deadline = time.monotonic() + 5
    while _is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _is_alive(child)


def test_of_a_flood_the_last_is_kept_and_the_flood_ends() -> None:
    ended = run_driver([sys.executable, "-c", FLOODS], 0.5, keep=True)
    assert ended.exit_code is None
    assert ended.found == "x" * DRIVER_OUTPUT_CHARS_MAX


def test_both_outputs_and_the_code_are_told_and_there_is_nothing_to_read() -> None:
    program = "import sys; print(repr(sys.stdin.read())); sys.exit('bad')"
    ended = run_driver([sys.executable, "-c", program], 10, keep=True)
    assert (ended.exit_code, ended.found, ended.said) == (1, "''\n", "bad\n")


def test_a_command_that_cannot_be_is_refused() -> None:
    assert words_of("a 'b c'") == ["a", "b c"]
    with pytest.raises(CallerError, match="No closing quotation"):
        words_of("a 'b")
    with pytest.raises(OperatingError, match="driver_unstartable"):
        run_driver([os.devnull], 1, keep=True)
