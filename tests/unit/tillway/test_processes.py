"""The launcher waits for the ready line and nothing else, and blames nobody for yesterday.

``python -m tillway`` is played by a package of that name in the program's own path.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.errors import OperatingError, TillwayError
from tillway import processes
from tillway.processes import Program, kill, start, stop

READY = '{"ready": true, "ports": {"http": 7}}'
STAY = "import time; time.sleep(60)"


def play(
    tmp_path: Path, script: str, name: str = "hub", say: Callable[[str], object] = print
) -> Program:
    package = tmp_path / "path/tillway"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text("import os, sys\n" + script)
    # The current directory, which has the real one, would come before PYTHONPATH.
    env = {"PYTHONPATH": str(package.parent), "PYTHONSAFEPATH": "1"}
    return start(name, ("run",), log_dir=tmp_path / "logs", env=env, say=say)


def says(*texts: str) -> str:
    writes = "".join(f"os.write(1, {text.encode()!r})\n" for text in texts)
    return writes + STAY


@pytest.mark.parametrize(
    "texts",
    [
        (READY + "\n",),
        ("Loading model\n" + READY + "\n",),
        ("half a", " line\n" + READY[:5], READY[5:] + "\n" + "more\n"),
        ("x" * 200_000 + "\n" + READY + "\n",),
        ("\udcff\n".encode("utf-8", "surrogateescape").decode("latin-1") + READY + "\n",),
        ("[1]\n{}\n" + READY + "\n",),
    ],
)
def test_the_ready_line_is_found_whatever_was_said_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: tuple[str, ...]
) -> None:
    monkeypatch.setattr(processes, "READY_TIMEOUT_S", 20)
    program = play(tmp_path, says(*texts))
    assert program.port("http") == 7
    assert stop(program) != 0


def test_half_a_line_does_not_outlast_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "READY_TIMEOUT_S", 1)
    with pytest.raises(OperatingError, match="not ready within 1 s"):
        play(tmp_path, says(READY))


BUSY = """
import time
while time.process_time() < 1.5:
    pass
"""


def test_a_slow_program_is_waited_for_while_it_gets_on_and_said_to_be_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "IDLE_TIMEOUT_S", 1)
    monkeypatch.setattr(processes, "LOOK_S", 0.1)
    monkeypatch.setattr(processes, "REMIND_S", 1)
    said: list[str] = []
    program = play(tmp_path, BUSY + says(READY + "\n"), say=said.append)
    assert stop(program) != 0
    assert said[0].startswith("hub is still starting after 1 s")


def test_a_program_whose_children_get_on_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "IDLE_TIMEOUT_S", 1)
    monkeypatch.setattr(processes, "LOOK_S", 0.1)
    parent = f"import subprocess\nsubprocess.run([sys.executable, '-c', {BUSY!r}], check=True)\n"
    assert stop(play(tmp_path, parent + says(READY + "\n"))) != 0


def test_a_program_that_runs_and_does_nothing_ends_the_wait_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "IDLE_TIMEOUT_S", 2)
    with pytest.raises(OperatingError, match="hub runs, is not ready, and has done nothing for 2"):
        play(tmp_path, STAY)


def test_a_program_that_talks_on_is_never_stopped_by_a_full_pipe(tmp_path: Path) -> None:
    done = tmp_path / "done"
    chatter = f"""
os.write(1, {(READY + chr(10)).encode()!r})
for _ in range(300):
    os.write(1, b"x" * 4096)
open({str(done)!r}, "w").close()
"""
    program = play(tmp_path, chatter)
    assert program.process.wait(timeout=30) == 0
    assert done.exists()


def test_a_program_s_own_error_is_reported_and_an_earlier_run_s_is_not(tmp_path: Path) -> None:
    with pytest.raises(TillwayError) as first:
        play(tmp_path, 'sys.exit("port_taken (127.0.0.1:8883)")')
    assert first.value.code == "port_taken"
    with pytest.raises(TillwayError, match="ended with -11") as second:
        play(tmp_path, "os.kill(os.getpid(), 11)")
    assert second.value.code == "internal"


def test_the_last_lines_of_a_log_that_is_not_text_are_shown(tmp_path: Path) -> None:
    with pytest.raises(OperatingError, match="ended with 3:\nwhy"):
        play(tmp_path, r'os.write(2, b"why\n\xff\n"); sys.exit(3)')


def test_a_killed_program_leaves_nothing_open(tmp_path: Path) -> None:
    program = play(tmp_path, says(READY + "\n"))
    kill(program)
    assert not program.is_running
    assert program.process.returncode == -9
