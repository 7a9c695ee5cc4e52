"""kill -9 in the middle of crossings: every answered payment is credited, every other one is too or
never began, and the shards are whole together."""

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.integration.crash_shards import USERS
from tests.support.shards import founded, open_shards, order

ROOT = Path(__file__).parents[2]
ANSWERS_BEFORE_KILL = (1, 40, 120)


def answered_until_killed(urls: list[str], run: int) -> list[tuple[str, str]]:
    """Start the shards, kill them after some answers; payments and payers that were answered."""
    command = [sys.executable, "-m", "tests.integration.crash_shards", str(run), *urls]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(ANSWERS_BEFORE_KILL[run])]
        process.kill()
        lines += process.stdout.readlines()
    assert "" not in lines, "the shards ended by themselves"
    # The last line may have been cut short by the kill.
    words = [line.split() for line in lines if line.endswith("\n")]
    return [(payment, payer) for payment, payer in words]


def test_every_answered_crossing_is_credited_after_a_kill(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path / f'shard{number}.db'}" for number in range(2)]
    founded(urls)
    with open_shards(urls) as shards:
        for user in USERS:
            shards.fund(user, 10**9)
    answered: list[tuple[str, str]] = []
    for run in range(len(ANSWERS_BEFORE_KILL)):
        answered += answered_until_killed(urls, run)
        with open_shards(urls) as shards:
            asyncio.run(shards.carry())
            report = shards.report()
            assert report.is_whole
            assert not report.under_way_minor
            assert report.crossings >= len(answered)
            stages = {shards.stage(order(payment, payer, "")) for payment, payer in answered}
            assert stages == {"credited"}
