"""``tillway clearing run``: one day, or all that are over."""

from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tillway import clearing

STAYS_OPEN = "2026-11-28"


class Backend:
    """A backend whose business day is the 30th of November."""

    def __init__(self, earliest_open_day: str | None) -> None:
        self.ran: list[str] = []
        self._standing = {"today": "2026-11-30", "earliest_open_day": earliest_open_day}

    def get(self, path: str) -> Any:
        return self._standing if path == "/operator/v1/clearing" else {}

    def post(self, path: str, body: Any = None) -> Any:
        day = path.removeprefix("/operator/v1/clearing/").removesuffix("/run")
        self.ran.append(day)
        return {
            "day": day,
            "payouts": [],
            "reconciliation": {"matched": 1, "found": 0, "breaks": 0, "kinds": []},
            "swept_minor": 0,
            "state": "open" if day == STAYS_OPEN else "closed",
        }


def run(backend: Backend, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setattr(clearing, "api_of", lambda *_, **__: backend)
    line = ("--url", "https://x", "--ca", "ca.crt", "--token-file", "token")
    return CliRunner().invoke(clearing.app, ["run", *line, *words])


def test_without_a_date_every_day_that_is_over_is_closed_the_earliest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend = Backend("2026-11-29")
    assert run(backend, monkeypatch).exit_code == 0
    assert backend.ran == ["2026-11-29"]
    backend = Backend(None)
    assert run(backend, monkeypatch).exit_code == 0
    assert backend.ran == ["2026-11-29"], "yesterday, also if nothing moved"


def test_a_day_that_stays_open_holds_up_the_later_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Backend("2026-11-27")
    assert run(backend, monkeypatch).exit_code == 1
    assert backend.ran == ["2026-11-27", STAYS_OPEN]


def test_a_date_is_that_day_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Backend("2026-11-20")
    assert run(backend, monkeypatch, "--date", "2026-11-29").exit_code == 0
    assert backend.ran == ["2026-11-29"]
