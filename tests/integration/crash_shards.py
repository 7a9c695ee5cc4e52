"""Run by the crash test: payers of two shards pay each other's merchants for ever; every payment
whose merchant was credited is said on stdout."""

import asyncio
import itertools
import sys

from tests.support.shards import Shards, open_shards, order

USERS = [f"usr_{number}" for number in range(8)]
MERCHANTS = [f"mch_{number}" for number in range(8)]


async def main(shards: Shards, run: str) -> None:
    numbers = itertools.count()

    async def caller(user: str) -> None:
        home = shards.home(user)
        elsewhere = [one for one in MERCHANTS if shards.home(one) is not home]
        for number in numbers:
            wanted = order(f"pay_{run}_{number}", user, elsewhere[number % len(elsewhere)], 100)
            crossing = await home.writer.submit(shards.payment(wanted))
            await home.relay.ended(crossing)
            sys.stdout.write(f"{wanted.event_id} {user}\n")
            sys.stdout.flush()

    for shard in shards.all:
        shard.writer.start()
    async with asyncio.TaskGroup() as tasks:
        for shard in shards.all:
            tasks.create_task(shard.relay.run())
        for user in USERS:
            tasks.create_task(caller(user))


if __name__ == "__main__":
    with open_shards(sys.argv[2:], is_threaded=True) as opened:
        asyncio.run(main(opened, sys.argv[1]))
