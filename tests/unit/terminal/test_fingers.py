"""Goal: ``tillway terminal fingers`` lists, enrols and deletes, and says what went wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from firmware_sim.board_file import board_with
from firmware_sim.hosting import HostedBoard
from protocol.errors import CallerError
from terminal import fingers
from terminal.adapters.ef01_fingerprint import EnrolStep
from terminal.cli import app
from terminal.config import load


@pytest.fixture(autouse=True)
def _logs_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner's streams close after each call; a logger that kept one would outlive it."""
    monkeypatch.setattr("terminal.logs.configure", lambda: None)


def _run(*words: str) -> Result:
    return CliRunner().invoke(app, ["fingers", *words])


def _said(result: Result) -> dict[str, Any]:
    said = json.loads(result.stdout.splitlines()[-1])
    assert isinstance(said, dict)
    return said


def test_a_finger_comes_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HostedBoard(board_with("ef01"), state_dir=tmp_path, pace=False) as board:
        port = board.paths["device"]

        def hand(step: EnrolStep) -> None:
            if step is EnrolStep.LIFT:
                board.do("device", "remove")
            else:
                board.do("device", "place", finger="alice")

        monkeypatch.setattr(fingers, "_tell", hand)
        enrolled = _run(port, "--enrol", "--slot", "7")
        assert (enrolled.exit_code, _said(enrolled)) == (
            0, {"enrolled": 7, "capacity": 1000, "slots": [7]},
        )  # fmt: skip
        again = _run(port, "--enrol")
        assert again.exit_code == 1
        assert _said(again)["error"]["code"] == "finger_known"
        deleted = _run(port, "--delete", "7")
        assert _said(deleted) == {"deleted": True, "capacity": 1000, "slots": []}


def test_a_port_that_is_not_there_is_said(tmp_path: Path) -> None:
    missing = _run(str(tmp_path / "nothing"))
    assert missing.exit_code == 1
    assert _said(missing)["error"]["code"] == "device_disconnected"


def test_the_person_is_told_each_step_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    for step in EnrolStep:
        fingers._tell(step)
    assert capsys.readouterr().err.count("手指") == len(EnrolStep)


def test_the_sensors_password_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "terminal.toml"
    shop = '[merchant]\nid = "m"\nzh = "店"\nen = "Shop"\n'
    path.write_text(shop + '[devices]\nfingerprint = "/dev/x"\nfingerprint_address = 7\n')
    monkeypatch.setenv("TILLWAY_TERMINAL_DEVICES__FINGERPRINT_PASSWORD", "4294967295")
    devices = load(path).devices
    assert (devices.fingerprint, devices.fingerprint_address) == ("/dev/x", 7)
    assert devices.fingerprint_password == 0xFFFFFFFF
    monkeypatch.setenv("TILLWAY_TERMINAL_DEVICES__FINGERPRINT_PASSWORD", "4294967296")
    with pytest.raises(CallerError, match="config_invalid"):
        load(path)
