"""What a command prints in a table can be copied, and is what stands there."""

import ast
from pathlib import Path

import pytest
from rich.table import Table

from faces.tables import draw

ROOT = Path(__file__).parents[3]
COMMANDS = ("backend", "hub", "terminal", "firmware_sim", "tillway")
TOLD_IN_SENTENCES = {"tillway/demo/report.py"}
PAYMENT = "pay_01M8HX5XHZMHSRFQX0SDWEDDMX"


def test_an_id_is_whole_in_the_narrowest_window_and_words_wrap(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    table = Table("payment", "why")
    table.add_row(PAYMENT, "the bank said neither yes nor no")
    draw(table)
    shown = capsys.readouterr().out
    assert PAYMENT in shown
    assert "neither yes nor no" not in shown


def test_what_stands_in_a_cell_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("account", "error")
    table.add_row("C:cat:CNY", "[ssl: cannot verify] the line [/] went down")
    draw(table)
    shown = capsys.readouterr().out
    assert "C:cat:CNY" in shown
    assert "[ssl: cannot verify] the line [/] went down" in shown


@pytest.mark.parametrize(
    ("title", "said"), [(None, "none\n"), ("2026-11-30", "2026-11-30: none\n")]
)
def test_a_table_of_nothing_says_so(
    title: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(Table("payment", title=title))
    assert capsys.readouterr().out == said


def test_every_table_of_a_command_is_drawn_here() -> None:
    others = set()
    for path in (path for room in COMMANDS for path in (ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        taken = {
            f"{node.module}.{each.name}"
            for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for each in node.names
        }  # fmt: skip
        if "rich.table.Table" in taken and "faces.tables.draw" not in taken:
            others.add(str(path.relative_to(ROOT)))
    assert others == TOLD_IN_SENTENCES
