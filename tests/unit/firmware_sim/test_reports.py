"""Goal: a report says of each step what went over the line, held or not, masked and bounded."""

import re
from pathlib import Path

from faces.words import Language, Words
from firmware_sim.board_file import board_with
from firmware_sim.conformance import telium
from firmware_sim.conformance.check import Check, Person, Wire, expect
from firmware_sim.conformance.registry import CHECKS
from firmware_sim.conformance.running import (
    DEVICE,
    AskedPerson,
    Bench,
    SimulatedPerson,
    bench_of,
    run_checks,
)
from firmware_sim.conformance.titles import TITLES
from firmware_sim.conformance.virtual import VirtualWire
from firmware_sim.hosting import VirtualBoard
from firmware_sim.kinds.registry import KINDS
from firmware_sim.limits import (
    FRAMES_SHOWN_MAX,
    REPORT_FRAME_BYTES_MAX,
    REPORT_STEP_FRAMES_MAX,
    REPORT_STEPS_MAX,
)
from firmware_sim.reports.page import to_page
from firmware_sim.reports.report import Case, Report, Verdict
from firmware_sim.reports.words import FACTS, SIDES, VERDICTS, WORDS
from firmware_sim.scenario.form import load_scenario
from firmware_sim.scenario.running import run_scenario

CODE = "134567890123456789"
SCAN = f"""
name: a code is scanned
steps:
  - {{do: scanner.present, text: "{CODE}"}}
  - {{send: scanner, hex: 7E 00 08 01 00 00 D5 AB CD}}
  - {{expect: scanner, frame: reply}}
  - {{send: scanner, hex: 7E 00 08 01 00 02 01 AB CD}}
  - {{expect: scanner, frame: code}}
"""


def _case(folder: Path, text: str) -> Case:
    path = folder / "scenario.yaml"
    path.write_text(text)
    return run_scenario(load_scenario(path)).case("scan", "scan.yaml")


def _page(case: Case, language: Language = "en") -> str:
    return to_page(Report("report", (case,)), language).decode()


def test_a_passed_check_shows_its_bytes_and_fields() -> None:
    checks = tuple(one for one in telium.CHECKS if one.id == "telium.card_is_approved")
    with bench_of("telium", "memory") as bench:
        (case,) = run_checks(bench, checks)
    assert case.verdict == "passed"
    (seen,) = case.seen
    ask = next(row for row in seen.rows if row.name == "ask")
    assert (ask.side, ask.octets[:2], ask.bytes_said) == ("host", "02", 37)
    assert ("amount_minor", "100") in ask.fields
    answer = next(row for row in seen.rows if row.name == "answer")
    assert ("result", "approved") in answer.fields
    assert "**" in answer.octets
    page = _page(case)
    assert "<details>" in page
    assert "amount_minor = 100" in page
    assert ask.octets in page


def test_bytes_that_a_device_never_finished_are_in_the_report() -> None:
    def half(wire: Wire, _: Person) -> None:
        wire.send(bytes.fromhex("7E000701"))

    with VirtualBoard(board_with("gm65", device=DEVICE)) as board:
        wire = VirtualWire(board, DEVICE, KINDS["gm65"].decoder())
        bench = Bench(wire, SimulatedPerson(board), Words("半个", "half"))
        (case,) = run_checks(bench, (Check("gm65.half", "half", "none", half),))
    (row,) = case.seen[0].rows
    assert (row.octets, row.is_valid, row.fields) == (
        "7e 00 07 01",
        False,
        (("why", "unfinished"),),
    )


def test_of_a_check_that_says_much_the_last_is_shown_and_the_rest_is_counted() -> None:
    def chatty(wire: Wire, _: Person) -> None:
        for _number in range(FRAMES_SHOWN_MAX):
            wire.send(bytes.fromhex("7E000701000A01EE8A"))
            wire.receive(7, 1)

    with VirtualBoard(board_with("gm65", device=DEVICE)) as board:
        wire = VirtualWire(board, DEVICE, KINDS["gm65"].decoder())
        bench = Bench(wire, SimulatedPerson(board), Words("话多", "chatty"))
        (case,) = run_checks(bench, (Check("gm65.chatty", "chatty", "none", chatty),))
    assert (len(case.seen[0].rows), case.seen[0].left_out) == (FRAMES_SHOWN_MAX, FRAMES_SHOWN_MAX)
    assert f"… {FRAMES_SHOWN_MAX} more are left out …" in _page(case)


def test_each_step_of_a_scenario_that_held_shows_what_came_of_it(tmp_path: Path) -> None:
    case = _case(tmp_path, SCAN)
    assert case.verdict == "passed"
    titles = [step.title for step in case.seen]
    assert titles[:3] == [
        "line 4: do scanner.present", "line 5: send scanner", "line 6: expect scanner: reply",
    ]  # fmt: skip
    people, command = case.seen[0].rows[0], case.seen[1].rows[0]
    assert (people.side, people.name, people.device) == ("people", "present", "scanner")
    assert (command.side, command.octets) == ("host", "7e 00 08 01 00 00 d5 ab cd")
    page = _page(case)
    assert "line 5: send scanner" in page
    assert "13************6789" in page
    assert CODE not in page
    assert not re.search("31 33 34 35 36 37 38", page)


def test_a_report_of_a_long_run_has_bounds(tmp_path: Path) -> None:
    question = "{send: scanner, hex: 7E 00 07 01 00 0A 01 EE 8A}"
    words = "x" * 5_000
    case = _case(
        tmp_path,
        "name: long\nsteps:\n  - repeat: 500\n    steps:\n"
        f"      - {question}\n      - {{wait: 50ms}}\n"
        f"  - {{repeat: 60, steps: [{question}]}}\n  - {{wait: 10s}}\n"
        f"  - {{send: printer, text: '{words}'}}\n  - {{wait: 1s}}\n",
    )
    assert len(case.seen) == REPORT_STEPS_MAX + 1
    assert [one.title for one in case.seen if not one.rows and "more" in one.title] == [
        "963 more steps"
    ]
    long = next(one for one in case.seen if one.left_out)
    assert (len(long.rows), long.gap) == (REPORT_STEP_FRAMES_MAX, REPORT_STEP_FRAMES_MAX // 2)
    printed = next(row for step in case.seen for row in step.rows if row.device == "printer")
    assert len(printed.octets.split()) <= REPORT_FRAME_BYTES_MAX
    page = _page(case)
    assert len(page) < 200_000
    assert "more are left out" in page


def test_a_chinese_page_tells_a_scenario_in_chinese(tmp_path: Path) -> None:
    case = _case(
        tmp_path,
        SCAN.replace("name: a", "name_zh: 扫到码\nname: a")
        + "  - {fault: scanner, kind: drop}\n  - {unplug: printer}\n"
        "  - {check: scanner, state: {codes_read: 2}}\n",
    )
    assert case.verdict == "failed"
    page = _page(case, "zh")
    assert '<html lang="zh-CN">' in page
    for said in (
        "0 项成立，1 项失败，0 项跳过", "失败", "扫到码", "scanner.codes_read 该是 2；现在是 1",
        "种子 0；最后说的和做的：", "说了和做了什么：", "第 5 行：人做 scanner.present",
        "第 7 行：该听到 scanner：reply", "第 10 行：线路故障 scanner：丢字节",
        "拿到跟前 <code>present</code>", "文字 = 13************6789", ">主机</td>", "器件",
    ):  # fmt: skip
        assert said in page, said
    english = ("held", "failed", "expected", "what was said", "line 5", "people", "damaged")
    shown = re.sub('<style>.*</style>|class="[a-z ]*"|<code>.*?</code>', "", page, flags=re.DOTALL)
    assert [word for word in english if word in shown] == []
    assert "scanner.codes_read 该是" not in _page(case, "en")


def test_a_chinese_page_tells_a_check_in_chinese() -> None:
    checks = tuple(one for one in CHECKS["gm65"] if one.id in {"gm65.read", "gm65.code"})
    with bench_of("gm65", "memory") as bench:
        alone = Bench(bench.wire, AskedPerson(None, KINDS["gm65"]), bench.what)
        held, skipped = run_checks(alone, checks)
    assert bench.what == Words("模拟的扫码器 GM65", f"simulated {KINDS['gm65'].summary}")
    assert "成立</span>\n    读一个寄存器" in _page(held, "zh")
    page = _page(skipped, "zh")
    assert "按命令读码输出" in page
    assert "需要有人：把图片拿到镜头前：" in page


def test_a_check_that_fails_says_so_in_chinese_too() -> None:
    def asks(wire: Wire, _: Person) -> None:
        wire.send(bytes.fromhex("7E000701"))
        expect(False, "7e 01", wire.receive(1, 0.1))

    with bench_of("gm65", "memory") as bench:
        (case,) = run_checks(bench, (Check("gm65.asks", "asks", "none", asks),))
    assert (case.reason, case.reason_zh) == (
        "expected 7e 01; came nothing", "该是 7e 01；什么也没来",
    )  # fmt: skip
    assert case.lines[0].startswith("-> junk (damaged)")
    assert case.lines_zh[0].startswith("-> junk（损坏）")


def test_every_check_has_a_title_in_chinese() -> None:
    assert {check.title for checks in CHECKS.values() for check in checks} == set(TITLES)


def test_every_word_of_a_page_has_both_languages() -> None:
    for words in (*WORDS.values(), *VERDICTS.values(), *SIDES.values(), *FACTS.values()):
        assert words.zh != words.en
        assert words.zh
        assert words.en
    assert set(VERDICTS) == set(map(str, Verdict))
