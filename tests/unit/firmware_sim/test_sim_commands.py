"""Goal: what a tester types: exit codes for CI, reports that machines and people can read."""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from firmware_sim.cli import app
from firmware_sim.reports.junit import to_junit
from firmware_sim.reports.page import to_page
from firmware_sim.reports.report import Case, Report, Verdict
from protocol.errors import TillwayError
from tests.kit.command_line import tillway

HELD = """
name: a code is scanned
steps:
  - {do: scanner.present, text: "134567890123456789"}
  - {send: scanner, hex: 7E 00 08 01 00 00 D5 AB CD}
  - {expect: scanner, frame: reply}
  - {send: scanner, hex: 7E 00 08 01 00 02 01 AB CD}
  - {expect: scanner, frame: code}
"""
FAILED = HELD + "  - {check: scanner, state: {codes_read: 2}}\n"


def _sim(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """A scenario that holds."""
    path = tmp_path / "held.yaml"
    path.write_text(HELD)
    return path


def test_scenarios_end_with_0_or_1_and_leave_reports(tmp_path: Path, scenario: Path) -> None:
    assert _sim("scenario", scenario).exit_code == 0
    failed = tmp_path / "failed.yaml"
    failed.write_text(FAILED)
    junit, html = tmp_path / "out" / "junit.xml", tmp_path / "out" / "report.html"
    result = _sim("scenario", scenario, failed, "--seed", "3", "--junit", junit, "--html", html)
    assert result.exit_code == 1
    assert "expected scanner.codes_read 2; it is 1" in result.output
    assert "seed 3" in result.output
    suite = ET.parse(junit).getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert "<- code" in str(suite.findtext("testcase/failure"))
    assert "expected scanner.codes_read 2; it is 1" in html.read_text()
    assert "134567890123456789" not in junit.read_text() + html.read_text() + result.output


def test_a_wrong_scenario_ends_before_anything_runs(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("name: x\nstpes: []\n")
    result = _sim("scenario", path)
    assert isinstance(result.exception, TillwayError)
    assert "wrong.yaml:2: stpes: there is no such key; did you mean 'steps'?" in str(
        result.exception
    )


def test_what_is_wrong_with_several_scenarios_is_told_together(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("name: x\nstpes: []\n")
    second.write_text("name: x\nsteps:\n  - {wait: 1}\n  - {do: oven.bake}\n")
    result = _sim("scenario", first, second)
    assert isinstance(result.exception, TillwayError)
    assert [row.split(": ")[0] for row in result.exception.detail.splitlines()] == [
        "first.yaml:2", "second.yaml:3", "second.yaml:4",
    ]  # fmt: skip
    ended = tillway("sim", "scenario", str(first), str(second))
    assert ended.returncode == 2
    assert "\n  second.yaml:4: steps.1.do: no device 'oven'; there are " in ended.stderr
    assert "\n  second.yaml 第 4 行：steps.1.do：没有器件 'oven'；有：" in ended.stderr


def test_a_trace_is_shown_exported_and_played_both_ways(tmp_path: Path, scenario: Path) -> None:
    trace, capture = tmp_path / "t.jsonl", tmp_path / "t.pcap"
    assert _sim("scenario", scenario, "--record", trace).exit_code == 0
    assert "134567890123456789" not in trace.read_text()
    assert "<- code text=13************6789" in _sim("trace", "show", trace).output
    assert _sim("trace", "pcap", trace, capture).exit_code == 0
    assert capture.read_bytes()[:4] == b"\xd4\xc3\xb2\xa1"
    assert _sim("replay", trace, "--to", "pty").exit_code == 0
    driver = tmp_path / "driver.py"
    driver.write_text(
        "import serial, sys\n"
        "port = serial.Serial(sys.argv[1], 9600, timeout=2)\n"
        "for word in sys.argv[2:]:\n"
        "    port.write(bytes.fromhex(word)); port.read(7)\n"
        "sys.exit(0 if port.read_until(b'\\r').endswith(b'6789\\r') else 1)\n"
    )
    words = ["7E00080100 00D5ABCD", "7E00080100 0201ABCD"]
    command = f"{sys.executable} {driver} {{port}} " + " ".join(w.replace(" ", "") for w in words)
    html = tmp_path / "replay.html"
    result = _sim("replay", trace, "--driver", command, "--limit", "20", "--html", html)
    assert result.exit_code == 0, result.output
    page = html.read_text()
    assert page.count('class="step">host says write</th>') == 2
    assert "7e 00 08 01 00 00 d5 ab cd" in page, "what the driver said"
    assert "text = 13************6789" in page, "what the device was played to say"
    assert '<th scope="col">s</th>' in page, "and when"
    turned = f"{sys.executable} {driver} {{port}} {words[1].replace(' ', '')}"
    result = _sim("replay", trace, "--driver", turned, "--limit", "20")
    assert result.exit_code == 1
    assert "expected" in result.output
    assert "came -> write address=0002" in result.output


def test_conform_ends_with_0_and_a_report(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    result = _sim("conform", "gm65", "--device", "pty", "--only", "read", "--junit", junit)
    assert result.exit_code == 0, result.output
    assert ET.parse(junit).getroot()[0].get("failures") == "0"


def test_nothing_to_test_is_no_success() -> None:
    for words in (("conform", "gm65"), ("torture", "true {port}", "--kind", "gm65")):
        result = _sim(*words, "--only", "nonsense")
        assert isinstance(result.exception, TillwayError)
        assert "has 'nonsense' in its name" in str(result.exception)


def test_a_driver_without_success_is_told_by_code_2_with_reports(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    result = _sim("torture", "false {port}", "--kind", "gm65", "--junit", junit)
    assert result.exit_code == 2
    assert ET.parse(junit).getroot()[0].get("errors") == "1"


def test_a_report_shows_what_the_device_made(tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    result = _sim("conform", "escpos", "--device", "memory", "--only", "cut", "--html", html)
    assert result.exit_code == 0, result.output
    assert "data:image/png;base64," in html.read_text()


def test_a_report_is_in_the_language_that_is_asked_for(tmp_path: Path, scenario: Path) -> None:
    html, trace = tmp_path / "report.html", tmp_path / "trace.jsonl"
    wanted = ("--html", html, "--lang", "zh")
    _sim("scenario", scenario, "--record", trace, *wanted)
    assert "<dt>种子</dt><dd>各文件自己的</dd>" in html.read_text()
    _sim("replay", trace, "--to", "memory", *wanted)
    assert "器件答的和记录一样" in html.read_text()
    _sim("conform", "gm65", "--device", "memory", "--only", "read_zone", *wanted)
    assert "<dt>是什么</dt><dd>模拟的扫码器 GM65</dd>" in html.read_text()
    _sim("torture", "false {port}", "--kind", "gm65", *wanted)
    assert "线路正常时驱动也不成功" in html.read_text()


def test_a_device_that_is_not_there_is_an_error_of_ours() -> None:
    result = _sim("conform", "gm65", "--device", "serial:/nonexistent/tty")
    assert isinstance(result.exception, TillwayError)
    assert result.exception.code == "port_unusable"
    assert result.exception.detail == "/nonexistent/tty: No such file or directory"
    nobody = _sim("conform", "escpos", "--device", "tcp:127.0.0.1:9").exception
    assert isinstance(nobody, TillwayError)
    assert nobody.detail == "socket://127.0.0.1:9: Connection refused"


def test_a_trace_that_is_not_there_is_told_as_a_file_and_not_as_a_wrong_line() -> None:
    missing = _sim("trace", "show", "nowhere.jsonl").exception
    assert isinstance(missing, TillwayError)
    assert (missing.code, missing.detail) == (
        "file_unusable",
        "nowhere.jsonl: No such file or directory",
    )


@pytest.mark.parametrize("device", ["pyt", "/dev/ttyUSB0", "serial:", "memory:x"])
def test_a_device_that_is_named_wrongly_is_told_how(device: str) -> None:
    result = _sim("conform", "gm65", "--device", device)
    assert isinstance(result.exception, TillwayError)
    assert "tcp:HOST:PORT, rfc2217:HOST:PORT" in str(result.exception)


def test_kinds_lists_options_and_acts() -> None:
    output = _sim("kinds").output
    assert "escpos: ESC/POS receipt printer" in output
    assert "act present(png, text" in output


def test_reports_carry_hostile_words_and_pictures() -> None:
    hostile = "<script>alert(1)</script>\x00\ud800'\"&"
    case = Case("a", hostile, Verdict.FAILED, hostile, "x", 1.5, (hostile,), (("p", b"PNG"),))
    report = Report(hostile.replace("\ud800", ""), (case,), {"fact": hostile})
    parsed = ET.fromstring(to_junit(report))
    assert parsed[0].get("failures") == "1"
    page = to_page(
        Report("t", (Case("a", "<script>", Verdict.PASSED, pictures=(("p", b"PNG"),)),)), "en"
    )
    assert b"<script>" not in page
    assert b"data:image/png;base64,UE5H" in page
