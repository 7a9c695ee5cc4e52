"""Goal: a wrong board file or setting is refused with the field that is wrong."""

from pathlib import Path

import pytest

from firmware_sim.board_file import load_board
from firmware_sim.config import load_settings
from protocol.errors import CallerError


def test_the_built_in_boards_load() -> None:
    assert sorted(load_board("pos").devices) == ["fingerprint", "printer", "scanner"]
    assert load_board("vending").devices == {}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("name = 'x'\n[devices.a]\nkind = 'toaster'", "toaster"),
        ("name = 'x'\n[devices.a]\nkind = 'escpos'\nbaud = 1", "baud"),
        ("name = 'x'\nnonsense = 1", "nonsense"),
        ("name = ", "board.toml"),
        ("name = '../x'", "name"),
    ],
)
def test_a_wrong_board_file_is_refused_by_field(tmp_path: Path, content: str, word: str) -> None:
    path = tmp_path / "board.toml"
    path.write_text(content)
    with pytest.raises(CallerError, match="config_invalid") as refusal:
        load_board(str(path))
    assert word in refusal.value.detail


def test_a_board_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(CallerError) as refusal:
        load_board("kiosk")
    assert "pos, vending" in refusal.value.detail


def test_settings_are_file_then_environment_then_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sim.toml"
    path.write_text("board = 'a'\nhttp_port = 1\npace = false\n")
    monkeypatch.setenv("TILLWAY_SIM_HTTP_PORT", "2")
    settings = load_settings(path, board="b", state_dir=None)
    assert (settings.board, settings.http_port, settings.pace) == ("b", 2, False)


def test_a_wrong_setting_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "sim.toml"
    path.write_text("http_port = 70000\n")
    with pytest.raises(CallerError, match=r"config_invalid.*http_port"):
        load_settings(path)
