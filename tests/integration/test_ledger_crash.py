"""kill -9 in the middle of groups: every answered payment is there, and the ledger is whole."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from operator import methodcaller
from pathlib import Path

import pytest

from tests.support.books import open_books

pytestmark = pytest.mark.xdist_group("ledger_crash")
ROOT = Path(__file__).parents[2]
CRASHES = 4
ANSWERS_BEFORE_KILL = (1, 150, 700, 2000)


@pytest.fixture(scope="module")
def nursery() -> Iterator["subprocess.Popen[str]"]:
    """What gives birth to the writers that are killed."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.crash_writer"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as program:  # fmt: skip
        yield program
        assert program.stdin is not None
        program.stdin.close()


def answered_until_killed(nursery: "subprocess.Popen[str]", url: str, run: int) -> list[str]:
    """Start a writer, kill it after some answers; what it had answered."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(f"{url} {run}\n")
    nursery.stdin.flush()
    writer = int(nursery.stdout.readline())
    until_dead = iter(nursery.stdout.readline, "dead\n")
    answered = list(islice(until_dead, ANSWERS_BEFORE_KILL[run]))
    assert len(answered) == ANSWERS_BEFORE_KILL[run], "the writer ended by itself"
    os.kill(writer, signal.SIGKILL)
    answered += until_dead
    # The last line is empty, or was cut short by the kill.
    return [line.strip() for line in answered[:-1]]


def test_every_acknowledged_payment_survives_a_kill(
    migrated_url: str, nursery: "subprocess.Popen[str]"
) -> None:
    with open_books(migrated_url) as books:
        books.fund("ann", 10**12)
    answered: list[str] = []
    for run in range(CRASHES):
        answered += answered_until_killed(nursery, migrated_url, run)
        with open_books(migrated_url) as books:
            assert books.report().breaks == []
            first_legs = [f"{event_id}:1" for event_id in answered]
            stored = books.read(methodcaller("transfers_by_id", first_legs))
            assert len(stored) == len(answered) >= sum(ANSWERS_BEFORE_KILL[: run + 1])
