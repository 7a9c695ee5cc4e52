"""Goal: a wrong board file or setting is refused with the file, the line and the field."""

from pathlib import Path

import pytest

from firmware_sim.board_file import load_board
from firmware_sim.config import load_settings
from protocol.errors import CallerError


def test_the_built_in_boards_load() -> None:
    assert {"fingerprint", "printer", "scanner"} <= set(load_board("pos").devices)
    assert load_board("vending").name == "vending"
    assert set(load_board("controller").devices) == {"controller"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name: x\ndevices:\n  a:\n    kind: toaster", ":4: devices.a.kind: no kind"),
        ("name: x\ndevices:\n  a:\n    kind: gm56", "did you mean 'gm65'"),
        ("name: x\ndevices:\n  a:\n    kind: escpos\n    baud: 1", ":5: devices.a.baud"),
        ("name: x\ndevices:\n  a:\n    kind: gm65\n    transprot: pty", "mean 'transport'"),
        (
            "name: x\ndevices:\n  a:\n    kind: gm65\n    transport: tpc:9",
            ":5: devices.a.transport: ",
        ),
        ("name: x\ndevices: {a: {kind: gm65, transport: tpc:9}}", "did you mean 'tcp'?"),
        ("name: x\ndevices: {a: {kind: gm65, transport: 'tcp:99999'}}", "port is 0 to 65535"),
        ("name: x\ndevices: {a: {kind: ocpp16, transport: 'ws:/x'}}", "is no ws://HOST"),
        ("name: x\ndevices:\n  a:\n    transport: pty", ":3: devices.a: a device says its kind"),
        ("name: x\ndevices:\n  a: gm65", ":3: devices.a"),
        ("name: x\nnonsense: 1", ":2: nonsense: there is no such key"),
        ("name: x\ndevises: {}", "did you mean 'devices'"),
        ("name: [", "board.yaml:1"),
        ("name: x\nname: y", ":2: 'name' stands here twice"),
        ("name: ../x", ":1: name"),
        ("name: &a x\nseed: *a", ":2: no anchors"),
        ("name: !!python/object:os.system x", ":1: no anchors and no tags"),
        ("name: x\ndevices: " + "{a: " * 40 + "1" + "}" * 40, "nested too deep"),
        ("just words", ":1: here belong keys"),
        (
            "name: x\ndevices:\n  a:\n    kind: qibixx\n    machine: {colums: {}}",
            ":5: devices.a.machine.colums: there is no such key; did you mean 'columns'?",
        ),
        (
            "name: x\ndevices: {a: {kind: qibixx, machine: {columns: {1: {price_mino: 3}}}}}",
            "did you mean 'price_minor'?",
        ),
        (
            "name: x\ndevices: {a: {kind: pn532, cards: {b: {type: phone, txt: x}}}}",
            "did you mean 'text'?",
        ),
    ],
)
def test_a_wrong_board_file_is_refused_by_line(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "board.yaml"
    path.write_text(content)
    with pytest.raises(CallerError, match="config_invalid") as refusal:
        load_board(str(path))
    assert words in refusal.value.detail
    assert "board.yaml" in refusal.value.detail
    assert "board.yaml" in refusal.value.detail_zh


def test_all_that_is_wrong_with_a_board_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "board.yaml"
    path.write_text(
        "name: own\ndevices:\n  a: {kind: gm65, bauds: 9600}\n  b: {}\n  c: {kind: gm66}\n"
    )
    with pytest.raises(CallerError) as refused:
        load_board(str(path))
    rows = refused.value.detail.splitlines()
    assert [row.split(": ")[0] for row in rows] == [f"board.yaml:{line}" for line in (3, 4, 5)]


def test_words_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "board.yaml"
    path.write_text("name: on\ndevices: {scanner: {kind: gm65, transport: 'memory:007'}}")
    board = load_board(str(path))
    assert board.name == "on"
    assert board.devices["scanner"].entry.transport == "memory:007"


def test_a_board_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(CallerError) as refusal:
        load_board("kiosk")
    assert "pos" in refusal.value.detail
    assert "vending" in refusal.value.detail


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
