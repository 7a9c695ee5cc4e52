"""Observations of devices as a file: a JSON object a line in, a judgement a line out."""

import csv
import json
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np

from backend.risk.answer_file import answer_file
from backend.risk.devices.judging import Devices, Trust
from backend.risk.devices.limits import DAY_MAX, LINE_BYTES_MAX
from backend.risk.devices.readings import ReadingError, plain_reading
from backend.risk.table_faults import Fault

Judged = tuple[object, Trust]
"""What the line calls the observation, and the judgement."""
SETTLES_AFTER_DAYS = 3
"""Nobody is asked while a file is read, so a change that stays is believed after so many days."""


def judge_file(source: Path, out: Path) -> int:
    """Judge the lines by day, those of one day in the order of the file, and write
    ``obs,trust,verdict,reasons`` in the order of the file; returns how many. No line is judged by a
    later one. Raises ``CallerError`` naming the file and the line, and ``OSError`` for what cannot
    be written; nothing is written then, and ``out`` is what it was."""
    devices, enrolments = Devices(settles_after_days=SETTLES_AFTER_DAYS), _Enrolments()
    with source.open("rb") as given, answer_file(out, source) as found:
        lines = given if given.seekable() else BytesIO(given.read())
        text = TextIOWrapper(found, "utf-8", errors="backslashreplace", newline="")
        order = _by_day(lines, source.name, enrolments)
        judged = _judged(devices, enrolments, lines, order, source.name)
        written = _write(text, _as_in_the_file(judged))
        text.detach()
        return written


class _Enrolments:
    """Which lines are enrolments. ``enrol`` is a truth, or in all lines the day on which the device
    was enrolled: then the device's first line of that day is. Where no number but 0 and 1 is there,
    these are truths."""

    def __init__(self) -> None:
        self._are_days = False
        self._enrolled: set[str] = set()

    def look_at(self, told: dict[str, Any]) -> None:
        """A line of the file, before any is judged."""
        self._are_days = self._are_days or told["enrol"] not in (False, True)

    def has(self, told: dict[str, Any]) -> bool:
        """Whether the line that is judged next is one."""
        enrol, device = told["enrol"], str(told["claimed"])
        if isinstance(enrol, bool) or not self._are_days:
            return bool(enrol)
        if enrol != told["day"] or device in self._enrolled:
            return False
        self._enrolled.add(device)
        return True


def _by_day(lines: BinaryIO, file: str, enrolments: _Enrolments) -> Iterator[tuple[int, int, int]]:
    """The lines in the order in which they are judged: the place among the answers, the number in
    the file, where it begins."""
    numbers, offsets, days, offset = array("q"), array("q"), array("q"), 0
    for number, line in enumerate(lines, 1):
        if line.strip():
            with _naming(file, number):
                told = _told(line)
            days.append(told["day"])
            enrolments.look_at(told)
            numbers.append(number)
            offsets.append(offset)
        offset += len(line)
    for place in np.argsort(np.asarray(days), kind="stable").tolist():
        yield place, numbers[place], offsets[place]


def _judged(
    devices: Devices,
    enrolments: _Enrolments,
    lines: BinaryIO,
    order: Iterable[tuple[int, int, int]],
    file: str,
) -> Iterator[tuple[int, Judged]]:
    for place, number, offset in order:
        lines.seek(offset)
        with _naming(file, number):
            yield place, _one(devices, enrolments, _told(lines.readline()))


def _as_in_the_file(judged: Iterable[tuple[int, Judged]]) -> Iterator[Judged]:
    """Each as soon as those before it in the file are there."""
    waiting: dict[int, Judged] = {}
    following = 0
    for place, one in judged:
        waiting[place] = one
        while following in waiting:
            yield waiting.pop(following)
            following += 1


@contextmanager
def _naming(file: str, number: int) -> Iterator[None]:
    try:
        yield
    except ReadingError as wrong:
        fault = Fault(f"line {number}: {wrong}", f"第 {number} 行：{wrong.zh}")
        raise fault.refusal(file) from wrong


def _told(line: bytes) -> dict[str, Any]:
    if len(line) > LINE_BYTES_MAX:
        raise ReadingError(f"more than {LINE_BYTES_MAX} bytes", f"超过 {LINE_BYTES_MAX} 字节")
    told = _parsed(line)
    if not isinstance(told, dict):
        raise ReadingError("not an object", "不是对象")
    missing = [name for name in ("obs", "claimed", "day", "attrs") if told.get(name) is None]
    if missing:
        raise ReadingError(f"{missing[0]} is missing", f"缺少 {missing[0]}")
    for name in ("obs", "claimed"):
        if not _is_text_or_number(told[name]):
            raise ReadingError(f"{name}: neither text nor number", f"{name}：不是文字或数")
    if not _is_day(told["day"]):
        raise ReadingError("day: not a number, or none of a day", "day：不是数，或不可能是某一天")
    enrol = False if told.get("enrol") is None else told["enrol"]
    if not isinstance(enrol, bool) and not _is_day(enrol):
        raise ReadingError(
            "enrol: neither true nor false, nor a day", "enrol：不是 true 或 false，也不是某一天"
        )
    return told | {
        "day": int(told["day"]), "enrol": enrol if isinstance(enrol, bool) else int(enrol)
    }  # fmt: skip


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as wrong:
        raise ReadingError("not UTF-8", "不是 UTF-8 编码") from wrong
    except json.JSONDecodeError as wrong:
        en, zh = f"no JSON: {wrong.msg} at column {wrong.colno}", f"第 {wrong.colno} 列起不是 JSON"
        raise ReadingError(en, zh) from wrong
    except ValueError as wrong:  # more digits than Python reads
        raise ReadingError("a number is too long", "数字过长") from wrong
    except RecursionError as wrong:
        raise ReadingError("nested too deeply", "嵌套过深") from wrong


def _is_text_or_number(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_day(value: object) -> bool:
    """NaN is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < DAY_MAX


def _one(devices: Devices, enrolments: _Enrolments, told: dict[str, Any]) -> Judged:
    reading = plain_reading(told["attrs"])
    return told["obs"], devices.observe(
        str(told["claimed"]),
        dict(sorted(reading.items())),  # the order of a line's attributes says nothing
        day=told["day"],
        is_enrolment=enrolments.has(told),
    )


def _write(out: TextIO, judged: Iterable[Judged]) -> int:
    rows = csv.writer(out)
    rows.writerow(["obs", "trust", "verdict", "reasons"])
    written = 0
    for written, (obs, trust) in enumerate(judged, 1):  # noqa: B007  (the last is the count)
        rows.writerow([obs, f"{trust.trust:.9g}", trust.verdict, ";".join(trust.reasons)])
    return written
