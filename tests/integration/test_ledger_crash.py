"""kill -9 in the middle of groups: every answered payment is there, and the ledger is whole."""

import subprocess
import sys
from operator import methodcaller
from pathlib import Path

from tests.support.books import open_books

ROOT = Path(__file__).parents[2]
CRASHES = 4
ANSWERS_BEFORE_KILL = (1, 150, 700, 2000)


def answered_until_killed(url: str, run: int) -> list[str]:
    """Start a writer, kill it after some answers; what it had answered."""
    command = [sys.executable, "-m", "tests.integration.crash_writer", url, str(run)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        answered = [writer.stdout.readline() for _ in range(ANSWERS_BEFORE_KILL[run])]
        writer.kill()
        answered += writer.stdout.readlines()
    assert "" not in answered, "the writer ended by itself"
    # The last line may have been cut short by the kill.
    return [line.strip() for line in answered if line.endswith("\n")]


def test_every_acknowledged_payment_survives_a_kill(migrated_url: str) -> None:
    with open_books(migrated_url) as books:
        books.fund("ann", 10**12)
    answered: list[str] = []
    for run in range(CRASHES):
        answered += answered_until_killed(migrated_url, run)
        with open_books(migrated_url) as books:
            assert books.report().breaks == []
            first_legs = [f"{event_id}:1" for event_id in answered]
            stored = books.read(methodcaller("transfers_by_id", first_legs))
            assert len(stored) == len(answered) >= sum(ANSWERS_BEFORE_KILL[: run + 1])
