"""Goal: what the bench refuses is told in both languages, with the details by which a person finds
what is wrong. The code is read, so that no new refusal is forgotten."""

import ast
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

import firmware_sim
from firmware_sim.board import Board
from firmware_sim.board_file import load_board
from firmware_sim.fault_form import FaultForm
from firmware_sim.form_words import first_of
from firmware_sim.kinds.telium import BankBody, PresentBody
from firmware_sim.runs.shelf import scenario_in
from protocol.errors import CallerError

ROOM = Path(firmware_sim.__file__).parent
REFUSING = (
    "board.py", "control.py", "faults.py", "wire_log.py", "yaml_file.py", "devices/**/*.py",
    "kinds/*.py", "recording/replay_run.py", "recording/trace.py", "recording/traces.py",
    "rendering/camera.py", "runs/*.py",
)  # fmt: skip
CODES = {"field_invalid", "busy", "trace_invalid"}
"""What a press or a form can be refused with; others are told where the program starts."""
UNTOLD = {
    "f'{name} is no {of.__name__}'",  # a test's mistake
    "why",  # another site's page, which is a program's to read
    "str(error.detail)",  # no such address
}
HAN = re.compile(r"[\u4e00-\u9fff]")


def _refusals() -> list[tuple[str, ast.Call]]:
    return [
        (f"{path.relative_to(ROOM)}:{call.lineno}", call)
        for pattern in REFUSING
        for path in sorted(ROOM.glob(pattern))
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in {"CallerError", "OperatingError"}
        and len(call.args) == 2
        and ast.literal_eval(call.args[0]) in CODES
    ]


def test_every_refusal_has_its_details_in_chinese_too() -> None:
    refusals = _refusals()
    english = [
        where
        for where, call in refusals
        if "detail_zh" not in {one.arg for one in call.keywords}
        and ast.unparse(call.args[1]) not in UNTOLD
    ]
    assert english == []
    assert len(refusals) > 50


@pytest.mark.parametrize(
    ("form", "words", "en", "zh"),
    [
        (BankBody, {"line": "x"}, "line: ", "line：须是其中之一：'up'、'down'、'silent'"),
        (BankBody, {}, "line: Field required", "line：必填"),
        (PresentBody, {"card": "A"}, "card: ", "card：格式须符合 "),
        (FaultForm, {"kind": "drop", "at": -1}, "at: ", "at：至少为 0"),
        (FaultForm, {"kind": "drop", "x": 1}, "x: ", "x：没有这个词"),
    ],
)
def test_a_form_says_what_is_wrong_in_both_languages(
    form: type[BankBody], words: dict[str, object], en: str, zh: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        form.model_validate(words)
    told = first_of(refused.value)
    assert told[0].startswith(en)
    assert told[1].startswith(zh)


@pytest.mark.parametrize(
    ("source", "zh"),
    [
        (
            "name: x\nboard: poss\nsteps: []\n",
            "scenario 第 2 行：board：没有电路板 'poss'；是不是 'pos'？",
        ),
        ("name: x\nbord: pos\nsteps: []\n", "scenario 第 2 行：bord：没有这个键；是不是 'board'？"),
        ("name: x\nname: y\n", "scenario 第 2 行：'name' 写了两次"),
        ("name: [\n", "scenario 第 2 行：不是 YAML（第 1 列：expected"),
        ("name: x\n\tsteps: []\n", "scenario 第 2 行：不是 YAML（第 1 列：found character"),
        ("name: x\nsteps: [\x07]\n", "scenario 第 2 行：第 9 列：文字文件里不能有字符 0007"),
    ],
)
def test_a_scenario_that_cannot_be_run_says_line_and_reason_in_chinese(
    source: str, zh: str
) -> None:
    with pytest.raises(CallerError) as refused:
        scenario_in(source)
    assert refused.value.detail_zh.startswith(zh)


def test_a_deed_that_cannot_be_done_is_refused_in_chinese(tmp_path: Path) -> None:
    board = Board(load_board("pos"), state_dir=tmp_path, now_ms=lambda: 0)
    for device, act, words in (
        ("pinpad", "enter_pin", {"pin": "1234"}), ("pinpad", "dance", {}), ("oven", "x", {}),
        ("fingerprint", "place", {"finger": ""}),
    ):  # fmt: skip
        with pytest.raises(CallerError) as refused:
            board.do(device, act, **words)
        assert HAN.search(refused.value.detail_zh), (device, act)
