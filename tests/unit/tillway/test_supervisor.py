"""Whoever ends is started anew, and told about; one that keeps ending waits for a person.

``python -m tillway`` is played by a package of that name in the program's own path.
"""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.errors import CallerError, TillwayError
from tests.kit.patience import PATIENCE_S
from tillway import revival
from tillway.processes import Program, kill, start, stop
from tillway.revival import Phase
from tillway.supervisor import LOG_FILE, Supervisor

READY = """
import os, sys, time
os.write(2, b"I am here\\n")
os.write(1, b'{"ready": true, "ports": {"http": 7}}\\n')
time.sleep(600)
"""
DIES = "import os, sys\nos.write(2, b'no such card\\n')\nsys.exit(3)\n"
HANGS = "import time\nwhile True: pass\n"


class Played:
    """One program, whose script may change from start to start."""

    def __init__(self, folder: Path) -> None:
        self.package, self.log_dir = folder / "path/tillway", folder / "logs"
        self.package.mkdir(parents=True)
        (self.package / "__init__.py").write_text("")
        self.said: list[str] = []
        self.play(READY)
        self.programs: dict[str, Program] = {}
        self.restart("hub")

    def play(self, script: str) -> None:
        (self.package / "__main__.py").write_text(script)

    def restart(self, name: str, is_wanted: Callable[[], bool] = lambda: True) -> None:
        env = {"PYTHONPATH": str(self.package.parent), "PYTHONSAFEPATH": "1"}
        self.programs[name] = start(
            name, ("run",), log_dir=self.log_dir, env=env, is_wanted=is_wanted
        )

    def supervisor(self) -> Supervisor:
        return Supervisor(self, self.said.append, self.log_dir)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revival, "BACK_OFF_S", (0, 0))
    monkeypatch.setattr(revival, "TRIES_MAX", 2)
    monkeypatch.setattr("tillway.supervisor.TRIES_MAX", 2)


def _until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _is(supervisor: Supervisor, phase: Phase, ends: int) -> Callable[[], bool]:
    def seen() -> bool:
        part = supervisor.told()["hub"]
        return (part.phase, part.ends) == (phase, ends)

    return seen


def test_a_killed_program_comes_back_and_it_is_told_why_and_what_it_said_last(
    tmp_path: Path,
) -> None:
    stack = Played(tmp_path)
    with stack.supervisor() as supervisor:
        first = stack.programs["hub"]
        kill(first)
        _until(_is(supervisor, Phase.RUNNING, 1))
        assert stack.programs["hub"].process.pid != first.process.pid
        assert stack.programs["hub"].is_running
        last = supervisor.told()["hub"].last
        assert last is not None
        assert (last.code, last.tail) == (-9, ("I am here",))
    assert stack.said[:2] == [
        "hub has ended (SIGKILL); start 1 of 2 in 0 s", "  hub: I am here",
    ]  # fmt: skip
    log = (tmp_path / "logs" / LOG_FILE).read_text()
    assert "Z hub has ended (SIGKILL)" in log
    assert "hub runs again; ends so far: 1" in log
    stop(stack.programs["hub"])


def test_one_that_keeps_ending_stays_so_until_somebody_starts_it(tmp_path: Path) -> None:
    stack = Played(tmp_path)
    with stack.supervisor() as supervisor:
        stack.play(DIES)
        kill(stack.programs["hub"])
        _until(_is(supervisor, Phase.FAILED, 3))
        part = supervisor.told()["hub"]
        assert part.last is not None
        assert "hub ended with 3" in part.last.reason
        assert part.last.tail[-1] == "no such card"
        assert any("it stays so until somebody starts it" in line for line in stack.said)
        stack.play(READY)
        supervisor.start("hub")
        _until(_is(supervisor, Phase.RUNNING, 3))
        with pytest.raises(CallerError, match="hub is running"):
            supervisor.start("hub")
        with pytest.raises(CallerError, match="there is no part 'hob'; there are hub"):
            supervisor.start("hob")
    stop(stack.programs["hub"])


def test_at_the_end_a_start_under_way_is_broken_off_and_nothing_is_started_any_more(
    tmp_path: Path,
) -> None:
    stack = Played(tmp_path)
    with stack.supervisor() as supervisor:
        stack.play(HANGS)
        killed = stack.programs["hub"]
        kill(killed)
        _until(_is(supervisor, Phase.STARTING, 1))
    assert stack.programs["hub"] is killed
    here = str(stack.package.parent)
    assert [one for one in Path("/proc").glob("[0-9]*/environ") if _is_in(one, here)] == []


def test_a_program_that_is_wanted_no_more_before_it_is_ready_is_stopped(tmp_path: Path) -> None:
    stack = Played(tmp_path)
    stop(stack.programs["hub"])
    stack.play(HANGS)
    with pytest.raises(TillwayError, match="hub is wanted no more"):
        stack.restart("hub", lambda: False)


def _is_in(environ: Path, words: str) -> bool:
    try:
        return words in environ.read_bytes().decode(errors="replace")
    except OSError:
        return False
