"""Reconciling a channel's day: rows a second from the file's bytes to its breaks, and the memory.

The measured way is the program's: the file is spooled and verified whole, both sides stand on disk,
and are compared in pairs. Beside it, in the same run, the plain way that needs the whole day in
memory: two dictionaries. Each size is a process of its own, so that its peak is its own.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from backend.channels.day_file import DayFile, DayRow, Spool, open_day_file, write_day_file
from backend.reconciliation.match import match_sides
from backend.reconciliation.sides import DayMatch, Side
from bench.result import Result
from protocol.money import Money

ROWS = 200_000
DAY = date(2026, 9, 30)
LACKING_EVERY, DOUBLE_EVERY = 9_973, 19_997


def run(scale: float) -> list[Result]:
    """Two sizes, and the plain way at the larger; ``--scale 25`` is five million rows."""
    large = max(int(ROWS * scale), 1_000)
    small = large // 4
    few, many, plain = _measured("ours", small), _measured("ours", large), _measured("plain", large)
    rate, plain_rate = large / many["s"], large / plain["s"]
    size = f"{large:,} rows, file to breaks"
    return [
        Result(
            "recon_rows_per_s", rate, "rows/s",
            f"{size}; whole day in dictionaries {plain_rate:,.0f} ({rate / plain_rate:.2f} times)",
        ),
        Result(
            "recon_peak_mib", many["mib"], "MiB",
            f"{size}, above the program; {small:,} rows: {few['mib']:.0f};"
            f" dictionaries: {plain['mib']:.0f}",
        ),
    ]  # fmt: skip


def _measured(way: str, rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.recon", way, str(rows)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(answer.stdout)
    return figures


def _references(count: int) -> Iterator[str]:
    """In no order, as a channel's are to us; each once."""
    step = 7_368_787  # prime, so that it meets every number below a smaller count once
    return (f"pay_{number * step % count:016d}" for number in range(count))


def _rows(count: int) -> Iterator[DayRow]:
    for number, reference in enumerate(_references(count)):
        row = DayRow("payment", reference, "6222000000001234", Money(100 + number % 977, "CNY"))
        if number % LACKING_EVERY:
            yield row
        if number % DOUBLE_EVERY == 1:
            yield row


def _ours(count: int) -> Iterator[Side]:
    for number, reference in enumerate(_references(count)):
        yield Side(reference, 100 + number % 977, "CNY")


def _compare(file: DayFile, count: int) -> int:
    with DayMatch() as match:
        match.add_theirs(
            Side(row.reference, row.signed_minor, row.amount.currency) for row in file.rows()
        )
        match.add_ours(_ours(count))
        found = match_sides("bench", DAY.isoformat(), match, known={}, moved=frozenset())
    return len(found.breaks)


def _compare_plainly(file: DayFile, count: int) -> int:
    ours = {side.reference: side.signed_minor for side in _ours(count)}
    theirs: dict[str, int] = {}
    breaks = 0
    for row in file.rows():
        breaks += row.reference in theirs
        theirs[row.reference] = row.signed_minor
    return breaks + sum(theirs.get(reference) != amount for reference, amount in ours.items())


def _measure(way: str, count: int) -> dict[str, float]:
    spool = Spool.of(write_day_file(DAY, _rows(count)))
    before_kib = _begin_peak()
    begun = time.perf_counter()
    with open_day_file(spool) as file:
        found = (_compare if way == "ours" else _compare_plainly)(file, count)
    took_s = time.perf_counter() - begun
    lacking, double = -(-count // LACKING_EVERY), -(-(count - 1) // DOUBLE_EVERY)
    assert found == lacking + double, (found, lacking, double)
    peak_kib = _memory_kib("VmHWM") - before_kib
    return {"s": took_s, "mib": peak_kib / 1024}


def _begin_peak() -> int:
    """What the program has now; its peak counts from here on (proc(5), ``clear_refs``)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _memory_kib("VmRSS")


def _memory_kib(name: str) -> int:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise AssertionError(name)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measure(sys.argv[1], int(sys.argv[2]))))
