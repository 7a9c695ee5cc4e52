"""`tillway sandbox` as people run it: several institutions as processes, steered and stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.kit.command_line import Ended, tillway
from tests.kit.patience import PATIENCE_S

NAMES = ("unionpay", "timestamps")
DAY_MS = 86_400_000


@dataclass
class Fleet:
    """A running sandbox and the commands beside it."""

    process: subprocess.Popen[str]
    config: Path
    said: dict[str, Any]

    def tillway(self, *words: str) -> Ended:
        return tillway("sandbox", *words, "--config", str(self.config))

    def says(self, *words: str) -> dict[str, Any]:
        done = self.tillway(*words)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    config = tmp_path / "sandbox.toml"
    config.write_text(f'state_dir = "{tmp_path / "state"}"\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "tillway", "sandbox", "run", *NAMES, "--config", str(config)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    yield Fleet(process, config, json.loads(process.stdout.readline()))
    process.terminate()
    process.wait(PATIENCE_S)
    process.stdout.close()


def test_institutions_run_side_by_side_and_each_is_steered_alone(fleet: Fleet) -> None:
    assert fleet.said["ready"]
    assert set(fleet.said["institutions"]) == set(NAMES)
    assert set(fleet.said["institutions"]["unionpay"]["ports"]) == {"http", "iso8583"}
    keys = fleet.says("init")["institutions"]
    assert keys["unionpay"] == fleet.said["institutions"]["unionpay"]["key"]

    assert fleet.says("faults", "unionpay", "be_slow=2")["be_slow"] == 2
    before = fleet.says("clock", "unionpay")["unionpay"]["now_ms"]
    after = fleet.says("clock", "unionpay", "--advance", "1d")["unionpay"]["now_ms"]
    assert DAY_MS <= after - before < DAY_MS + PATIENCE_S * 1000
    found = fleet.says("status")
    assert (found["unionpay"]["runs"], found["unionpay"]["faults"]) == (True, {"be_slow": 2})
    assert (found["timestamps"]["runs"], found["timestamps"]["faults"]) == (True, {})

    refused = fleet.tillway("faults", "unionpay", "no_such_switch=1")
    assert (refused.returncode, "no_such_switch" in refused.stderr) == (2, True)
    refused = fleet.tillway("faults", "nobody")
    assert (refused.returncode, "config_invalid" in refused.stderr) == (2, True)

    fleet.process.terminate()
    assert fleet.process.wait(PATIENCE_S) == 0
    found = fleet.says("status")
    assert not any(found[name]["runs"] for name in NAMES)


def test_when_one_institution_ends_the_others_end_too_and_it_is_named(tmp_path: Path) -> None:
    config = tmp_path / "sandbox.toml"
    config.write_text(f'state_dir = "{tmp_path / "state"}"\n')
    with subprocess.Popen(
        [sys.executable, "-m", "tillway", "sandbox", "run", *NAMES, "--config", str(config)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        first, second = _children(process.pid)
        os.kill(first, signal.SIGKILL)
        assert process.wait(PATIENCE_S) == 2
        assert "unionpay ended" in process.stderr.read()
        assert not _runs(second)


def test_when_the_sandbox_itself_is_killed_its_institutions_end_and_say_so(
    fleet: Fleet,
) -> None:
    children = _children(fleet.process.pid)
    assert len(children) == len(NAMES)
    fleet.process.kill()
    deadline_s = time.monotonic() + PATIENCE_S
    while any(map(_runs, children)):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    found = fleet.says("status")
    assert not any(found[name]["runs"] for name in NAMES)


def test_an_institution_that_cannot_start_is_named_with_its_code_and_the_others_end(
    tmp_path: Path,
) -> None:
    config = tmp_path / "sandbox.toml"
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        config.write_text(
            f'state_dir = "{tmp_path / "state"}"\n[ports.timestamps]\nhttp = {port}\n'
        )
        several = tillway("sandbox", "run", *NAMES, "--config", str(config))
        alone = tillway("sandbox", "run", "timestamps", "--config", str(config))
    assert (several.returncode, several.stdout) == (2, "")
    assert several.stderr.startswith(f"port_taken (timestamps: 127.0.0.1:{port})")
    assert (alone.returncode, alone.stdout) == (2, "")
    assert alone.stderr.startswith(f"port_taken (127.0.0.1:{port})")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[ports.nobody]\nhttp = 1", "nobody"),
        ("[ports.unionpay]\nhttp = 70000", "ports.unionpay.http"),
        ("nonsense = 1", "nonsense"),
        ("not toml", "sandbox.toml"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, text: str, says: str) -> None:
    config = tmp_path / "sandbox.toml"
    config.write_text(text)
    done = tillway("sandbox", "status", "--config", str(config))
    assert (done.returncode, says in done.stderr, "config_invalid" in done.stderr) == (
        2,
        True,
        True,
    )


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _children(pid: int) -> list[int]:
    deadline_s = time.monotonic() + PATIENCE_S
    path = Path(f"/proc/{pid}/task/{pid}/children")
    while time.monotonic() < deadline_s:
        if found := path.read_text().split():
            return [int(child) for child in found]
    raise AssertionError("no child")
