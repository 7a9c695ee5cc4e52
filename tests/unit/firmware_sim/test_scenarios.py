"""Goal: a scenario does what it says, the same each time by its seed, and fails with line, seed
and the last frames; a wrong file is refused by line with the nearest valid word.
"""

import json
import re
import sys
from pathlib import Path

import pytest

from firmware_sim.limits import FILE_WRONGS_TOLD_MAX
from firmware_sim.scenario.comparing import is_as_said
from firmware_sim.scenario.form import load_scenario
from firmware_sim.scenario.result import Result
from firmware_sim.scenario.running import run_scenario
from firmware_sim.wrongs import FileWrongError
from protocol.errors import CallerError, OperatingError

SCAN = """
name: a code is scanned
board: pos
seed: 7
steps:
  - do: scanner.present
    text: TILLWAY-0001
  - {send: scanner, hex: 7E 00 08 01 00 00 D5 AB CD}
  - {expect: scanner, frame: reply, fields: {status: 0}, within: 500ms}
  - {send: scanner, hex: 7E 00 08 01 00 02 01 AB CD}
  - {expect: scanner, frame: reply}
  - {expect: scanner, frame: code, fields: {text: TILLWAY-0001}}
  - {check: scanner, state: {codes_read: 1, is_reading: false}}
"""

LATE = "name: x\nsteps:\n  - {wait: 1ms}\n  - "
"""A scenario whose second step is wrong."""

SHORT = {
    "ASK": "{send: printer, hex: 10 04 01}",
    "FINE": "{expect: printer, hex: 12}",
    "PRINT": "{send: printer, hex: 41 42 0A 1D 56 00}",
}


def _run(folder: Path, text: str, seed: int | None = None) -> Result:
    path = folder / "scenario.yaml"
    path.write_text(text)
    return run_scenario(load_scenario(path), seed=seed)


def test_a_code_is_scanned_in_virtual_time(tmp_path: Path) -> None:
    result = _run(tmp_path, SCAN)
    assert result.has_held, result.explain()
    assert result.steps == 7
    assert 80 <= result.took_ms < 200


def test_the_same_seed_gives_the_same_run_to_the_millisecond(tmp_path: Path) -> None:
    text = SCAN + "  - {wait: 1ms..10s}\n"
    first, again, other = (_run(tmp_path, text, seed) for seed in (1, 1, 2))
    assert first.took_ms == again.took_ms
    assert first.last == again.last
    assert first.took_ms != other.took_ms


def test_hours_pass_at_once(tmp_path: Path) -> None:
    text = "name: long\nsteps:\n  - repeat: 100\n    steps: [{wait: 1h}]\n  - check: printer\n"
    result = _run(tmp_path, text + "    state: {paper: adequate}\n")
    assert result.has_held
    assert result.took_ms == 100 * 3_600_000


def test_a_failure_names_line_seed_and_the_last_frames(tmp_path: Path) -> None:
    result = _run(tmp_path, SCAN.replace("{text: TILLWAY-0001}", "{text: OTHER}"))
    assert not result.has_held
    assert result.line == 12
    told = result.explain()
    assert "seed 7" in told
    assert (
        "expected of scanner: code text=OTHER within 2000 ms; came code text=TILLWAY-0001" in told
    )
    assert "<- code text=TILLWAY-0001" in told


def test_a_failure_shows_the_half_of_an_answer_too(tmp_path: Path) -> None:
    result = _run(
        tmp_path,
        """
name: half
steps:
  - {fault: scanner, kind: truncate, at: 3}
  - {send: scanner, hex: 7E 00 07 01 00 0A 01 EE 8A}
  - {expect: scanner, frame: reply, within: 200ms}
""",
    )
    assert "<- junk (damaged) why=unfinished  [020000]" in result.explain()


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ("- {fault: scanner, kind: silent}\n  - {send: scanner, hex: 7E}", ""),
        ("- {silence: scanner, during: 1s}", ""),
        ("- {cut_power: printer}\n  - ASK\n  - {silence: printer, during: 1s}", ""),
        ("- {cut_power: printer}\n  - {give_power: printer}\n  - ASK\n  - FINE", ""),
        ("- {unplug: printer}\n  - ASK", "printer is unplugged"),
        ("- {unplug: printer}\n  - {plug: printer}\n  - ASK\n  - FINE", ""),
        ("- {fault: printer, kind: flip}\n  - ASK\n  - {expect: printer, hex: 16}", ""),
        ("- {fault: printer, kind: flip}\n  - {heal: printer}\n  - ASK\n  - FINE", ""),
        ("- {do: printer.open_cover}\n  - {until: printer, state: {online: false}}", ""),
        ("- {until: printer, state: {online: false}, within: 1s}", "expected printer.online False"),
        ("- {silence: printer, during: 10ms}\n  - {note: all is quiet}", ""),
        (
            (
                "- {fault: printer, kind: drop}\n  - ASK\n  - {fault: printer, kind: slow}\n"
                "  - ASK\n  - FINE"
            ),
            "",
        ),
        (
            (
                "- {fault: fingerprint, kind: truncate, at: 3}\n"
                "  - {send: fingerprint, hex: EF 01 FF FF FF FF 01 00 03 1D 00 21}\n"
                "  - {silence: fingerprint, during: 1s}"
            ),
            "expected silence of fingerprint; came 3 bytes",
        ),
        ("- PRINT\n  - {until: printer, state: {receipts_cut: '>= 1'}}", ""),
    ],
)
def test_every_step_does_what_it_says(tmp_path: Path, steps: str, reason: str) -> None:
    for short, whole in SHORT.items():
        steps = steps.replace(short, whole)
    result = _run(tmp_path, f"name: one\nsteps:\n  {steps}\n")
    assert result.has_held == (not reason), result.explain()
    assert reason in result.reason
    assert bool(re.search("[一-鿿]", result.reason_zh)) == bool(reason)
    assert result.case("one", "one.yaml").reason_zh == result.reason_zh


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "name: x\nsteps:\n  - wiat: 1s",
            ":3: steps.0.wiat: there is no such key; did you mean",
        ),
        ("name: x\nsteps:\n  - wait: 1", "a duration is a whole number with ms"),
        ("name: x\nsteps:\n  - wait: 2s..1s", "a span begins with the shorter"),
        ("name: x\nsteps:\n  - {expect: scanner, framme: a}", "did you mean 'frame'"),
        ("name: x\nsteps:\n  - {send: scanner}", "give either hex or text"),
        ("name: x\nsteps:\n  - {send: scanner, hex: 7}", "pairs of hexadecimal digits"),
        ("name: x\nsteps:\n  - {send: scanner, hex: 0x1204}", "pairs of hexadecimal digits"),
        ("name: x\nsteps: [{repeat: 1, steps: [{expect: x, hex: 0x12}]}]", "hexadecimal digits"),
        ("name: x\nsteps:\n  - {fault: scanner, kind: gremlin}", "steps.0.kind"),
        ("name: x\nsteps:\n  - {do: present}", "steps.0.do"),
        ("name: x\nsteps:\n  - repeat: 2\n    steps:\n      - {wiat: 1s}", ":5: steps.0.steps.0"),
        ("name: x\nsteps: []\ndriver: [a]", ":3: driver: a driver needs 'time: real'"),
        ("name: x\nboard: pso\nsteps: []", ":2: board: no board 'pso'; did you mean 'pos'?"),
        ("name: x\nsteps: []\nborad: pos", "did you mean 'board'"),
        ("name: x\nsteps:\n  - 7", "a step is a verb"),
        (LATE + "{do: printer.load_paper, millimetres: -1}", ":4: steps.1.millimetres: "),
        (LATE + "{do: scanner.present, text: 12345678}", "text of digits stands in quotes: '123"),
        (LATE + "{do: printer.opn_cover}", ":4: steps.1.do: escpos has no act 'opn_cover'; did"),
        (LATE + "{do: printer.jump}", "there are load_paper, tear_off"),
        (LATE + "{do: printer.load_paper, milimetres: 1}", "did you mean 'millimetres'?"),
        (LATE + "{do: printer.tear_off, name: x, act: y, self: z}", "steps.1.name: there is no"),
        (LATE + "{do: toaster.pop}", ":4: steps.1.do: no device 'toaster'; there are scanner,"),
        (LATE + "{repeat: 2, steps: [{send: scaner, hex: 7E}]}", "did you mean 'scanner'?"),
        (LATE + "{cut_power: prnter}", ":4: steps.1.cut_power: no device 'prnter'; did you mean"),
        (LATE + "{fault: prnter, kind: drop}", "steps.1.fault: no device 'prnter'; did you mean"),
        (LATE + "{fault: printer, kind: drop, at: -1}", ":4: steps.1.at: "),
        (LATE + "{check: printer, state: {colour: red}}", ":4: steps.1.state.colour: printer has"),
        (LATE + "{until: printer, state: {papr: end}}", "did you mean 'paper'?"),
        (LATE + "{check: printer, state: {receipts_cut: '>= one'}}", "'>= one' is no bound"),
        ("time: real\n" + LATE + "{send: scanner, hex: 7E}", ":5: steps.1.send: a scenario in"),
    ],
)
def test_a_wrong_scenario_is_refused_by_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CallerError, match="config_invalid") as refusal:
        _run(tmp_path, text)
    assert words in refusal.value.detail


MANY_WRONGS = """name: many
bord: pos
seed: -1
steps:
  - do: scanner.presnt
    text: A
  - {do: scaner.present, text: A}
  - {fault: scanner, kind: dorp}
  - waite: 1s
  - repeat: 0
    steps:
      - {send: scanner, hex: 7}
      - {wait: 1}
  - check: scanner
    state: {codes: 1, is_reading: true, modus: 2}
  - {wait: 1s}
"""


def test_all_that_is_wrong_with_a_scenario_is_told_by_line_with_the_nearest_right_word(
    tmp_path: Path,
) -> None:
    path = tmp_path / "many.yaml"
    path.write_text(MANY_WRONGS)
    with pytest.raises(FileWrongError) as refused:
        load_scenario(path)
    told = refused.value.detail.splitlines()
    wanted = [
        (2, "bord: there is no such key; did you mean 'board'?"),
        (3, "seed: Input should be greater than or equal to 0"),
        (5, "steps.0.do: gm65 has no act 'presnt'; did you mean 'present'?"),
        (7, "steps.1.do: no device 'scaner'; did you mean 'scanner'?"),
        (8, "did you mean 'drop'?"),
        (9, "steps.3.waite: there is no such key; did you mean 'wait'?"),
        (10, "steps.4.repeat: Input should be greater than or equal to 1"),
        (12, "steps.4.steps.0.hex: bytes are written as pairs of hexadecimal digits"),
        (13, "steps.4.steps.1.wait: a duration is a whole number with ms"),
        (15, "steps.5.state.codes: scanner has no 'codes'; did you mean 'codes_read'?"),
        (15, "steps.5.state.modus: scanner has no 'modus'; did you mean 'mode'?"),
    ]
    assert len(told) == len(wanted)
    for row, (line, words) in zip(told, wanted, strict=True):
        assert row.startswith(f"many.yaml:{line}: ")
        assert words in row
    told_zh = refused.value.detail_zh.splitlines()
    assert [row.split("：")[0] for row in told_zh] == [f"many.yaml 第 {n} 行" for n, _ in wanted]
    assert told_zh[0].endswith("没有这个键；是不是 'board'？")
    assert told_zh[4].endswith("；是不是 'drop'？")


def test_of_a_file_with_very_much_wrong_the_first_are_told_and_the_rest_is_counted(
    tmp_path: Path,
) -> None:
    path = tmp_path / "long.yaml"
    path.write_text("name: long\nsteps:\n" + "  - nonsense: 1\n" * 100)
    with pytest.raises(FileWrongError) as refused:
        load_scenario(path)
    rows, rows_zh = (
        words.splitlines() for words in (refused.value.detail, refused.value.detail_zh)
    )
    assert len(rows) == FILE_WRONGS_TOLD_MAX + 1
    assert rows[-1] == f"and {100 - FILE_WRONGS_TOLD_MAX} more"
    assert rows_zh[-1] == f"还有 {100 - FILE_WRONGS_TOLD_MAX} 处"


def test_a_value_that_fits_no_choice_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "choice.yaml"
    path.write_text("name: x\nsteps:\n  - {expect: scanner, fields: {status: [1]}}\n")
    with pytest.raises(FileWrongError) as refused:
        load_scenario(path)
    assert len(refused.value.wrongs) == 1


def test_values_are_compared_as_said() -> None:
    assert is_as_said(3, ">= 3")
    assert not is_as_said(3, "> 3")
    assert is_as_said(3, "!= 4")
    assert is_as_said("end", "end")
    assert is_as_said([{"text": "支付成功"}], "contains 支付成功")
    assert not is_as_said(True, ">= 1")
    assert is_as_said(2, "2")
    assert is_as_said("10", 10)
    assert not is_as_said("1", True)
    assert not is_as_said("010", 10)


@pytest.mark.parametrize("code", ["12345678", "6901234567892", "134567890123456789"])
@pytest.mark.parametrize("quote", ["", "'"])
def test_a_code_of_digits_is_expected_with_quotes_and_without(
    tmp_path: Path, code: str, quote: str
) -> None:
    """Goal: of a long one a frame keeps the ends; so does what is expected, and what is told."""
    scan = SCAN.replace("    text: TILLWAY-0001", f"    text: '{code}'")
    assert code in scan
    expected = scan.replace("{text: TILLWAY-0001}", f"{{text: {quote}{code}{quote}}}")
    assert _run(tmp_path, expected).has_held
    other = code[:-1] + "0"
    result = _run(tmp_path, expected.replace(f"{quote}{code}{quote}}}", f"{quote}{other}{quote}}}"))
    assert not result.has_held
    assert other not in result.explain() or len(other) < 12


def test_a_driver_that_is_not_there_is_said_and_braces_are_its_own(tmp_path: Path) -> None:
    text = "name: x\ntime: real\nboard: controller\nsteps: []\ndriver: "
    with pytest.raises(OperatingError, match="driver_unstartable: /nonexistent/driver"):
        _run(tmp_path, text + "[/nonexistent/driver, '{controller}']\n")
    program = "import sys; sys.exit(sys.argv[1] != chr(123) + '\"a\": 1}')"
    words = [sys.executable, "-c", program, '{"a": 1}']
    result = _run(tmp_path, text + json.dumps(words))
    assert result.has_held, result.explain()


def test_a_driver_is_run_on_real_ports_and_its_end_counts(tmp_path: Path) -> None:
    program = (
        "import serial,sys; p=serial.Serial(sys.argv[1],115200,timeout=2);"
        "p.write(b'hello\\n\\x1dV\\x00'); p.write(b'\\x10\\x04\\x01'); "
        "sys.exit(p.read(1)!=b'\\x12')"
    )
    text = (
        f'name: driver\ntime: real\ndriver: [python3, -c, "{program}", "{{printer}}"]\n'
        "steps:\n  - {until: printer, state: {receipts_cut: 1}, within: 10s}\n"
    )
    text = text.replace("\\", "\\\\")
    result = _run(tmp_path, text.replace("python3", sys.executable))
    assert result.has_held, result.explain()
    wrong = _run(tmp_path, text.replace("python3", sys.executable) + "exit_code: 3\n")
    assert "ended with 0, not 3" in wrong.reason
