"""Run by the crash test: posts payments for ever and says each answered one on stdout."""

import asyncio
import itertools
import sys

from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.ledger.rules import Event, balance_paid
from backend.ledger.service import LedgerSeal
from tests.support.books import DATE, ManualClock, Post

CALLERS = 64


async def main(url: str, run: str) -> None:
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
            sys.stdout.write(f"{event.id}\n")
            sys.stdout.flush()

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
