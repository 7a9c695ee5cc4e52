"""``tillway console user password``: what a person knows and has goes to the backend, and on no
command line."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
from typer.testing import CliRunner

from tillway import console, operator_place


class Kept:
    """A backend that keeps what it is sent."""

    sent: ClassVar[list[tuple[str, Any]]] = []

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def post(self, path: str, body: Any = None) -> dict[str, Any]:
        self.sent.append((path, body))
        return {"name": "li.na", "sessions": 0}


def test_each_line_of_the_input_is_one_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_place, "JsonApi", Kept)
    monkeypatch.setattr(Kept, "sent", [])
    (tmp_path / "token").write_text("operator")
    place = ["--url", "https://b", "--ca", "ca.crt", "--token-file", str(tmp_path / "token")]
    typed = "the present one\nanother and longer\n123 456\n"
    told = CliRunner().invoke(console.app, ["user", "password", "li.na", *place], input=typed)
    assert told.exit_code == 0, told.output
    body = {"old": "the present one", "new": "another and longer", "code": "123 456"}
    assert Kept.sent == [("/operator/v1/console/users/li.na/password", body)]
    assert "another and longer" not in told.output
