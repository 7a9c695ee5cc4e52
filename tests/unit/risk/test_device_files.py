"""Files of observations become files of verdicts; a bad one is named by its line."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from backend.risk.devices.judging import Verdict
from backend.risk.devices.observations import judge_file
from protocol.errors import CallerError, OperatingError
from tests.support.device_fleet import Seen, judged, observe_fleet
from tillway.risk.devices import devices as devices_command


def lines_of(seen: list[Seen]) -> list[str]:
    return [json.dumps(one.line) for one in seen]


def test_a_file_of_observations_becomes_a_file_of_verdicts(tmp_path: Path) -> None:
    seen = list(observe_fleet(8, devices=10, days=10))
    source, out = tmp_path / "seen.jsonl", tmp_path / "trust.csv"
    source.write_text("\n".join(lines_of(seen)) + "\n\n")
    assert judge_file(source, out) == len(seen)
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["obs"] for row in rows] == [one.line["obs"] for one in seen]
    assert [float(row["trust"]) for row in rows] == pytest.approx([t.trust for t in judged(seen)])
    assert {row["verdict"] for row in rows} <= set(Verdict)


def test_a_day_is_judged_before_the_next_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    seen = observe_fleet(8, devices=20, days=12, share_attacked=0.1)
    lines: list[dict[str, Any]] = [one.line for one in seen]
    turned = [
        line | {"attrs": dict(reversed(line["attrs"].items()))}
        for line in sorted(lines, key=lambda line: -line["day"])
    ]

    def judgements(name: str, told: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
        source, out = tmp_path / f"{name}.jsonl", tmp_path / f"{name}.csv"
        source.write_text("\n\n".join(json.dumps(line) for line in told))
        assert judge_file(source, out) == len(lines)
        rows = list(csv.DictReader(out.read_text().splitlines()))
        assert [row["obs"] for row in rows] == [line["obs"] for line in told]
        return {row["obs"]: row for row in rows}

    first = judgements("by day", lines)
    assert len({row["verdict"] for row in first.values()}) > 2
    assert judgements("turned", turned) == first


@pytest.mark.parametrize("is_in_each", [True, False])
def test_an_enrolment_may_be_told_by_its_day(tmp_path: Path, is_in_each: bool) -> None:
    lines: list[dict[str, Any]] = [
        one.line for one in observe_fleet(8, devices=10, days=10, share_attacked=0.1)
    ]
    days = {line["claimed"]: line["day"] for line in lines if line["enrol"]}
    assert set(days.values()) == {0}
    late = days.keys() - {min(days)}
    lines = [line | {"day": line["day"] + 3 * (line["claimed"] in late)} for line in lines]
    dated = [
        line | {"enrol": days[line["claimed"]] + 3 * (line["claimed"] in late)}
        if is_in_each or line["enrol"] else {**line, "enrol": None}
        for line in lines
    ]  # fmt: skip

    def answers(told: list[dict[str, Any]]) -> str:
        source, out = tmp_path / "seen.jsonl", tmp_path / "trust.csv"
        source.write_text("\n".join(json.dumps(line) for line in told))
        judge_file(source, out)
        return out.read_text()

    assert answers(dated) == answers(lines)
    assert "not_enrolled" not in answers(dated)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "line 2"),
        ("[]", "line 2: not an object"),
        ('{"obs": 1, "claimed": "a", "day": 1}', "line 2: attrs is missing"),
        ('{"obs": 1, "claimed": null, "day": 1, "attrs": {}}', "line 2: claimed is missing"),
        ('{"obs": 1, "claimed": "a", "day": "x", "attrs": {}}', "line 2: day"),
        ('{"obs": 1, "claimed": "a", "day": 1e400, "attrs": {}}', "line 2: day"),
        ('{"obs": 1, "claimed": "a", "day": NaN, "attrs": {}}', "line 2: day"),
        ('{"obs": 1, "claimed": "a", "day": true, "attrs": {}}', "line 2: day"),
        ('{"obs": 1, "claimed": "a", "day": %s, "attrs": {}}' % ("9" * 5000), "too long"),
        ('{"obs": [1], "claimed": "a", "day": 1, "attrs": {}}', "line 2: obs: neither text nor"),
        ('{"obs": 1, "claimed": {}, "day": 1, "attrs": {}}', "line 2: claimed: neither text nor"),
        ("obs,claimed,day,attrs", "line 2: no JSON: Expecting value at column 1"),
        ('{"obs": 1, "claimed": "a", "day": 1, "enrol": "false", "attrs": {}}', "line 2: enrol"),
        ('{"obs": 1, "claimed": "a", "day": 1, "enrol": 1e99, "attrs": {}}', "nor a day"),
        ("[" * 100_000, "line 2: nested too deeply"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_written(tmp_path: Path, line: str, why: str) -> None:
    good = lines_of(list(observe_fleet(8, devices=1, days=1)))[0]
    source, out = tmp_path / "seen.jsonl", tmp_path / "trust.csv"
    source.write_text(f"{good}\n{line}\n")
    with pytest.raises(CallerError, match=why) as refused:
        judge_file(source, out)
    assert refused.value.detail_zh.startswith("seen.jsonl：第 2 行：")
    assert "seen.jsonl: line 2: " in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["seen.jsonl"]


@pytest.mark.parametrize(
    "content", [b"\0" * 64, b"\xff\xfe{\0}\0\n\0", b"\x1f\x8b\x08\0", b"PAR1\x87"]
)
def test_a_file_that_is_no_text_is_refused_in_both_languages(
    tmp_path: Path, content: bytes
) -> None:
    source, out = tmp_path / "seen.jsonl", tmp_path / "trust.csv"
    source.write_bytes(content)
    with pytest.raises(CallerError, match=r"line 1: (not UTF-8|no JSON)") as refused:
        judge_file(source, out)
    assert re.fullmatch(
        "seen.jsonl：第 1 行：(不是 UTF-8 编码|第 1 列起不是 JSON)", refused.value.detail_zh
    )


@pytest.mark.parametrize(
    ("content", "lines"), [(b"", 0), (b"\n \r\n", 0), (b"\xef\xbb\xbf%s\r\n", 1)]
)
def test_an_empty_file_has_no_answers_and_a_byte_order_mark_says_nothing(
    tmp_path: Path, content: bytes, lines: int
) -> None:
    source, out = tmp_path / "seen.jsonl", tmp_path / "trust.csv"
    good = lines_of(list(observe_fleet(8, devices=1, days=1)))[0]
    source.write_bytes(content.replace(b"%s", good.encode()))
    assert judge_file(source, out) == lines
    assert len(out.read_text().splitlines()) == lines + 1


def test_each_line_of_an_observation_that_is_there_twice_has_its_answer(tmp_path: Path) -> None:
    source, out = tmp_path / "seen.jsonl", tmp_path / "trust.csv"
    good = lines_of(list(observe_fleet(8, devices=1, days=1)))[0]
    source.write_text(f"{good}\n{good}\n")
    assert judge_file(source, out) == 2
    first, second = csv.DictReader(out.read_text().splitlines())
    assert first["obs"] == second["obs"]


def test_what_cannot_be_written_is_said_and_what_was_there_stays(tmp_path: Path) -> None:
    source, nowhere = tmp_path / "seen.jsonl", tmp_path / "no" / "trust.csv"
    content = lines_of(list(observe_fleet(8, devices=1, days=1)))[0]
    source.write_text(content)
    for out in (nowhere, tmp_path):
        with pytest.raises(OperatingError, match="file_unwritable"):
            devices_command(source, out)
    with pytest.raises(CallerError, match="over itself") as refused:
        devices_command(source, source)
    assert refused.value.detail_zh == "seen.jsonl：不能覆盖输入文件"
    assert source.read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == ["seen.jsonl"]


def test_half_a_character_is_written_as_its_number(tmp_path: Path) -> None:
    source, out = tmp_path / "seen.jsonl", tmp_path / "trust.csv"
    source.write_text('{"obs": "\\ud800", "claimed": "a", "day": 1, "attrs": {"\\ud800": 1}}\n')
    assert judge_file(source, out) == 1
    assert out.read_text().splitlines()[1].startswith("\\ud800,0.5,same")
