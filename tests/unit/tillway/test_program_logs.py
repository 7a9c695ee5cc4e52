"""Whatever program logs it, and whatever library: no card number and no pay code."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

import firmware_sim.cli
import hub.logs
import terminal.logs
from backend.sandbox import cli as sandbox

PAN, CODE = "6222021234567890128", "134711234908172635"


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    """What a program set up is this test's only."""
    yield
    structlog.reset_defaults()
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)
    terminal.logs.KEPT.clear()


def break_down() -> None:
    """Two bugs whose words hold a secret: one of ours, one that a library tells."""
    seen: dict[str, str] = {}
    try:
        seen[CODE]
    except KeyError:
        structlog.get_logger().exception("code_lost", detail=f"read {CODE}")
    try:
        int(f"{PAN}D2912")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")


def holds_no_secret(said: str) -> bool:
    """And tells both bugs, a JSON object each."""
    told = [json.loads(line) for line in said.splitlines()]
    assert [line["event"] for line in told] == ["code_lost", "Exception in ASGI application"]
    assert "KeyError: '***2635'" in told[0]["exception"]
    return CODE not in said and PAN not in said


@pytest.mark.parametrize(
    "configure", [hub.logs.configure, terminal.logs.configure, firmware_sim.cli._group]
)
def test_a_bug_of_a_program_is_logged_without_the_number_it_stumbled_over(
    configure: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    break_down()
    assert holds_no_secret(capsys.readouterr().err)


def test_what_a_till_shows_of_its_log_holds_none_either(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal.logs.configure()
    break_down()
    [line] = terminal.logs.kept()
    assert line == capsys.readouterr().err.splitlines()[0]


def test_the_institutions_log_as_every_program_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def run(*_: Any) -> None:
        break_down()

    monkeypatch.setattr("backend.sandbox.institution.program.run", run)
    config = tmp_path / "sandbox.toml"
    config.write_text(f'state_dir = "{tmp_path}"\n')
    done = CliRunner().invoke(sandbox.app, ["run", "bank-a", "--config", str(config)])
    assert done.exit_code == 0, done.output
    assert holds_no_secret(done.stderr)
