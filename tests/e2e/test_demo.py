"""The product's front door: the demo plays the whole day with real processes and accounts for it.

Once on SQLite, once on PostgreSQL, which a setting chooses and nothing else.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("demo")
"""A day at a time: each starts fifteen programs."""

TIMEOUT_S = 600
"""Ends a day that hangs: it takes a minute on two idle cores."""
ACTS = (
    "pay code", "merchant QR", "vending", "fingerprint", "insufficient", "revoked", "replayed",
    "expired", "risk", "cut line", "power cut", "offline", "refund", "day end",
    "bank card", "money-market fund", "coupon", "Alipay", "UnionPay", "charging", "parking",
)  # fmt: skip


def play(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tillway", "demo", "--once", "--directory", str(directory), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
        env={**os.environ, "COLUMNS": "130"},
    )


def processes_of(directory: Path) -> list[str]:
    """The command lines of every process that was started for this directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in line and "tillway demo " not in line:
            found.append(line)
    return found


@pytest.mark.slow
@pytest.mark.timeout(TIMEOUT_S + 30)
def test_the_day_is_played_as_expected_and_nothing_is_left_running(
    database_url: str, tmp_path: Path
) -> None:
    directory = tmp_path / "demo"
    is_sqlite = database_url.startswith("sqlite")
    words = () if is_sqlite else ("--database-url", database_url)
    done = play(directory, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every expectation held" in done.stdout
    check_summary(json.loads((directory / "summary.json").read_text()), directory)
    assert processes_of(directory) == []


def check_summary(summary: dict[str, Any], directory: Path) -> None:
    assert summary["ok"] is True
    assert len(summary["cases"]) > 40
    assert all(set(case) == {"name", "expected", "actual", "ok"} for case in summary["cases"])
    names = " ".join(case["name"] for case in summary["cases"])
    for act in ACTS:
        assert act in names
    assert summary["ledger"]["balanced"] is True
    assert summary["ledger"]["reserve_equation"] is True
    assert summary["ledger"]["transfers"] > 100
    assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p99"]
    pictures = [path for path in summary["receipts"] if path.endswith(".png")]
    assert len(pictures) > 10
    assert all(Path(path).read_bytes().startswith(b"\x89PNG") for path in pictures)
    assert all(Path(path).is_relative_to(directory) for path in summary["receipts"])


@pytest.mark.timeout(TIMEOUT_S)
def test_a_taken_port_ends_the_demo_with_a_sentence_that_names_it(tmp_path: Path) -> None:
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        directory = tmp_path / "demo"
        done = play(directory, "--backend-port", str(port))
    assert done.returncode == 1
    assert "port_taken" in done.stdout
    assert str(port) in done.stdout
    assert processes_of(directory) == []
