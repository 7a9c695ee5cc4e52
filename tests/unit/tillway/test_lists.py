"""Every list of the launcher says when there is nothing, and of a wrong word which there are."""

import importlib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.listing.filters import CALLBACK_STATES, PAYMENT_STATES, REFUND_STATES
from tillway.cli import ROOMS
from tillway.json_api import JsonApi

NOTHING: dict[str, Any] = {
    **{name: [] for name in (
        "acts", "artifacts", "breaks", "callbacks", "cases", "devices", "entries", "models",
        "payments", "refunds", "reports", "rollouts", "switches", "users",
    )},
    "after": None, "next": None, "undecided": 0, "warned": 0, "overdue": 0,
    "sums": {"by_state": [], "is_all": True, "newest": 0},
}  # fmt: skip
LISTS = (
    "audit list", "callback list", "clearing breaks list", "console user list", "devices list",
    "firmware list", "payment list", "refund list", "risk cases list", "risk lists list block",
    "risk models list", "risk reports list", "rollout list", "switch list",
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where an operator's command finds the backend, which has nothing."""
    token = tmp_path / "operator.token"
    token.write_text("secret")
    token.chmod(0o600)
    monkeypatch.setattr(
        JsonApi,
        "get",
        lambda _, path: NOTHING if "callbacks" not in path else NOTHING | {"sums": None},
    )
    return ["--url", "https://127.0.0.1:1", "--token-file", str(token), "--ca", str(token)]


def told(command: str, *words: str) -> tuple[int, str]:
    """What a command ends with and says, in a window as wide as it wants."""
    room, *rest = command.split()
    app = importlib.import_module(ROOMS[room].module).app
    said = CliRunner(env={"COLUMNS": "1000"}).invoke(app, [*rest, *words])
    return said.exit_code, said.output


@pytest.mark.parametrize("command", LISTS)
def test_a_list_of_nothing_says_so_in_its_first_line(command: str, place: list[str]) -> None:
    code, said = told(command, *place)
    assert code == 0, said
    assert said.splitlines()[0] == "none"


@pytest.mark.parametrize(
    ("command", "option", "words"),
    [
        ("payment list", "--state", PAYMENT_STATES),
        ("payment csv --out f", "--state", PAYMENT_STATES),
        ("refund list", "--state", REFUND_STATES),
        ("callback list", "--state", CALLBACK_STATES),
        ("audit list", "--kind", ("sign_in", "switch", "request")),
        ("devices list", "--kind", ("terminal", "thing", "hub")),
        ("devices list", "--status", ("enrolled", "active", "suspended", "revoked")),
        ("risk cases list", "--standing", ("in_time", "warned", "overdue", "done")),
        ("risk cases list", "--state", ("open", "assigned", "proposed", "decided")),
        ("risk cases list", "--severity", ("critical", "high", "medium", "low")),
        ("risk reports list", "--state", ("alert", "analysis", "confirmed", "filed", "dismissed")),
    ],
)
def test_a_wrong_word_is_answered_with_the_ones_that_there_are(
    command: str, option: str, words: tuple[str, ...], place: list[str]
) -> None:
    code, said = told(command, *place, option, "bogus")
    assert code == 2
    assert all(word in said for word in words)
    for word in words:
        code, said = told("payment list" if "csv" in command else command, *place, option, word)
        assert code == 0, said


def test_a_wrong_list_of_risk_is_answered_with_the_ones_that_there_are(place: list[str]) -> None:
    code, said = told("risk lists list purple", *place)
    assert code == 2
    assert "allow, block, grey" in said
