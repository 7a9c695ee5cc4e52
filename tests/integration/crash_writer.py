"""Run by the crash test: posts payments for ever and says each answered one on stdout.

As a program it reads a database and a run a line and forks a writer for each, so that a real
process dies and the interpreter is started once. It says the writer's number first and ``dead``
after its end, on a line of its own: the line before is empty unless the kill cut it short.
"""

import asyncio
import itertools
import os
import sys

from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.ledger.rules import Event, balance_paid
from backend.ledger.service import LedgerSeal
from tests.support.books import DATE, ManualClock, Post

CALLERS = 64


async def post_for_ever(url: str, run: str) -> None:
    writer = GroupCommitWriter(
        open_store(open_engine(url)), clock=ManualClock(), seals=[LedgerSeal()]
    )
    writer.start()
    numbers = itertools.count()

    async def caller() -> None:
        for number in numbers:
            event = Event(f"pay_{run}_{number}", "CNY", DATE)
            transfers = balance_paid(
                event, user_id="ann", merchant_id="shop", amount_minor=100, fee_minor=1
            )
            await writer.submit(Post(transfers))
            say(f"{event.id}\n")

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


def say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        url, run = line.split()
        child = os.fork()
        if child == 0:
            try:
                say(f"{os.getpid()}\n")
                asyncio.run(post_for_ever(url, run))
            finally:
                os._exit(1)
        os.waitpid(child, 0)
        say("\ndead\n")


if __name__ == "__main__":
    main()
