"""``tillway clearing bill``: what is asked for, and that no file has its name with wrong bytes."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from protocol.errors import OperatingError
from tillway import operator_place
from tillway.clearing import app

CONTENT = "\ufeff交易时间\r\n".encode() * 3


class Backend:
    """Gives out one paper, in parts."""

    asked: list[str]
    told: str

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def download(self, path: str, take: Callable[[bytes], None]) -> dict[str, str]:
        self.asked.append(path)
        for start in range(0, len(CONTENT), 7):
            take(CONTENT[start : start + 7])
        return {"bill-sha256": self.told}


@pytest.fixture(autouse=True)
def backend(monkeypatch: pytest.MonkeyPatch) -> type[Backend]:
    monkeypatch.setattr(operator_place, "JsonApi", Backend)
    Backend.asked = []
    Backend.told = hashlib.sha256(CONTENT).hexdigest()
    return Backend


def run(tmp_path: Path, *words: str) -> Any:
    (tmp_path / "token").write_text("secret")
    place = ["--url", "https://x", "--ca", str(tmp_path / "ca"), "--out", str(tmp_path / "bill")]
    day = ["--merchant", "mch_1", "--date", "2026-11-24"]
    return CliRunner().invoke(
        app, ["bill", *words, *day, *place, "--token-file", str(tmp_path / "token")]
    )


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["trade"], "trade?bill_type=ALL"),
        (["trade", "--type", "REFUND"], "trade?bill_type=REFUND"),
        (["fund-flow"], "fund-flow"),
        (["settlement"], "settlement"),
    ],
)
def test_each_paper_is_written_as_it_came(
    tmp_path: Path, backend: type[Backend], words: list[str], path: str
) -> None:
    done = run(tmp_path, *words)
    assert done.exit_code == 0, done.output
    assert backend.asked == [f"/operator/v1/bills/mch_1/2026-11-24/{path}"]
    assert (tmp_path / "bill").read_bytes() == CONTENT
    assert backend.told in done.output


def test_other_bytes_than_were_told_leave_no_file(tmp_path: Path, backend: type[Backend]) -> None:
    backend.told = "0" * 64
    done = run(tmp_path, "trade")
    assert isinstance(done.exception, OperatingError)
    assert [one.name for one in tmp_path.iterdir()] == ["token"]


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "bill.part").mkdir()
    done = run(tmp_path, "trade")
    assert isinstance(done.exception, OperatingError)
    assert done.exception.code == "file_unwritable"
