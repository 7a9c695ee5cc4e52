"""Observations of devices as a file: a JSON object a line in, a judgement a line out."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from backend.risk.devices.judging import Devices, Trust
from backend.risk.devices.limits import DAY_MAX, LINE_BYTES_MAX
from backend.risk.devices.readings import ReadingError, plain_reading
from protocol.errors import CallerError

SETTLES_AFTER_DAYS = 3
"""Nobody is asked while a file is read, so a change that stays is believed after so many days."""


def judge_file(source: Path, out: Path) -> int:
    """Judge each line in the order of the file and write ``obs,trust,verdict,reasons``; returns how
    many. No line is judged by a later one. Raises ``CallerError`` naming the line."""
    devices = Devices(settles_after_days=SETTLES_AFTER_DAYS)
    beside = out.with_name(f".{out.name}.part")
    with (
        source.open("rb") as lines,
        beside.open("w", newline="", encoding="utf-8", errors="backslashreplace") as found,
    ):
        written = _write(found, _judged(devices, lines))
    beside.replace(out)
    return written


def _judged(devices: Devices, lines: Iterable[bytes]) -> Iterator[tuple[object, Trust]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _one(devices, line)
        except (ReadingError, ValueError, RecursionError) as wrong:
            raise CallerError("table_invalid", f"line {number}: {wrong}") from wrong


def _one(devices: Devices, line: bytes) -> tuple[object, Trust]:
    if len(line) > LINE_BYTES_MAX:
        raise ReadingError(f"more than {LINE_BYTES_MAX} bytes")
    told = json.loads(line)
    if not isinstance(told, dict):
        raise ReadingError("not an object")
    missing = [name for name in ("obs", "claimed", "day", "attrs") if told.get(name) is None]
    if missing:
        raise ReadingError(f"{missing[0]} is missing")
    day = told["day"]
    if not isinstance(day, int | float) or not abs(day) < DAY_MAX:
        raise ReadingError("day: not a number, or none of a day")
    is_enrolment = told.get("enrol", False)
    if is_enrolment not in (True, False, None):
        raise ReadingError("enrol: neither true nor false")
    return told["obs"], devices.observe(
        str(told["claimed"]),
        plain_reading(told["attrs"]),
        day=int(day),
        is_enrolment=bool(is_enrolment),
    )


def _write(out: TextIO, judged: Iterable[tuple[object, Trust]]) -> int:
    rows = csv.writer(out)
    rows.writerow(["obs", "trust", "verdict", "reasons"])
    written = 0
    for written, (obs, trust) in enumerate(judged, 1):  # noqa: B007  (the last is the count)
        rows.writerow([obs, f"{trust.trust:.9g}", trust.verdict, ";".join(trust.reasons)])
    return written
