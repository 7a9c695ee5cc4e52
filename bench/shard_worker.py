"""One shard's process: its writer, its relay, and the callers whose payers live there."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

import uvloop

from backend.db.collector import tune_collector
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.db.working_set import WorkingSet
from backend.shards.founding import own_place
from backend.shards.model import Place
from backend.shards.relay import Relay
from backend.shards.repository import ShardReader
from backend.shards.service import Charge, seals_of
from bench.engine_kit import MERCHANTS, SystemClock
from bench.payment_command import FillUp, PayFromBalance
from bench.shard_payment import BenchPayee, order_of
from protocol.ids import PAYMENT, RANDOM_BYTES, REQUEST, mint

USERS = 4_000
_ids = count()


@dataclass(frozen=True, slots=True)
class Task:
    """So many payments, of which this share crosses, by so many callers at once."""

    payments: int
    cross_percent: int
    callers: int
    seed: int


@dataclass(slots=True)
class Done:
    """When it began and ended (of the machine's clock), and what callers waited, in ms."""

    began: float = 0.0
    ended: float = 0.0
    home_ms: list[float] = field(default_factory=list)
    charged_ms: list[float] = field(default_factory=list)
    paid_ms: list[float] = field(default_factory=list)
    groups: int = 0
    """How many commits it took, those for other shards' payers among them."""


@dataclass(slots=True)
class Commits:
    """Counts the writer's commits."""

    count: int = 0

    def one(self, _ws: WorkingSet) -> None:
        """Told by the writer's thread."""
        self.count += 1


class Population:
    """The payers of one shard, and the merchants here and elsewhere."""

    def __init__(self, place: Place) -> None:
        self._place = place
        home, number = place.map.shard_of, place.number
        merchants = [f"mch_{merchant}" for merchant in range(MERCHANTS)]
        self.users = [user for user in _all_users() if home(user) == number]
        self._here = [merchant for merchant in merchants if home(merchant) == number]
        self._elsewhere = [merchant for merchant in merchants if home(merchant) != number]

    def payments(self, task: Task) -> list[tuple[bool, PayFromBalance]]:
        """Whether it crosses, and the payment."""
        dice, made = random.Random(task.seed + self._place.number), []
        for _ in range(task.payments):
            crosses = dice.randrange(100) < task.cross_percent
            now_ms = time.time_ns() // 1_000_000
            tail = (next(_ids) << 8 | self._place.number).to_bytes(RANDOM_BYTES, "big")
            payment = PayFromBalance(
                request_id=mint(REQUEST, time_ms=now_ms, random_bytes=tail),
                payment_id=mint(PAYMENT, time_ms=now_ms, random_bytes=tail),
                user_id=dice.choice(self.users),
                merchant_id=dice.choice(self._elsewhere if crosses else self._here),
                amount_minor=dice.randrange(100, 20_000),
            )
            made.append((crosses, payment))
        return made


class Worker:
    """The running shard."""

    def __init__(
        self,
        place: Place,
        submit: Callable[[Any], Awaitable[Any]],
        relay: Relay,
        commits: Commits,
    ) -> None:
        self._place = place
        self._submit = submit
        self._relay = relay
        self._commits = commits
        self.people = Population(place)

    async def run(self, task: Task) -> Done:
        """Let the callers pay; each waits for the merchant's credit before it pays again."""
        todo, done, groups = iter(self.people.payments(task)), Done(), self._commits.count
        done.began = time.monotonic()
        await asyncio.gather(*(self._call(todo, done) for _ in range(task.callers)))
        done.ended = time.monotonic()
        done.groups = self._commits.count - groups
        return done

    async def _call(self, todo: Iterator[tuple[bool, PayFromBalance]], done: Done) -> None:
        for crosses, payment in todo:
            began = time.monotonic()
            if not crosses:
                await self._submit(payment)
                done.home_ms.append((time.monotonic() - began) * 1000)
                continue
            crossing = await self._submit(Charge(self._place, order_of(payment)))
            done.charged_ms.append((time.monotonic() - began) * 1000)
            await self._relay.ended(crossing)
            done.paid_ms.append((time.monotonic() - began) * 1000)


def work(line: Connection, urls: Sequence[str], number: int) -> None:
    """The process: takes tasks until it is told None."""
    with _opened(urls, number) as (worker, relay):
        tune_collector()
        uvloop.run(_serve(line, worker, relay))


async def _serve(line: Connection, worker: Worker, relay: Relay) -> None:
    carrying = asyncio.create_task(relay.run())
    line.send("ready")
    while (task := await asyncio.to_thread(line.recv)) is not None:
        line.send(await worker.run(task))
    carrying.cancel()
    await asyncio.gather(carrying, return_exceptions=True)


@contextmanager
def _opened(urls: Sequence[str], number: int) -> Iterator[tuple[Worker, Relay]]:
    place = own_place(urls[number], urls)
    engine = open_engine(urls[number])
    commits = Commits()
    writer = GroupCommitWriter(
        open_store(engine),
        clock=SystemClock(),
        seals=seals_of(place),
        observers=[commits.one],
    )
    readers = [Reader.open(url) for url in urls]
    asked = [ShardReader(reader) for reader in readers]
    pool = ThreadPoolExecutor(max(1, len(place.peers)), thread_name_prefix="relay")

    async def run_read(read: Callable[[], Any]) -> Any:  # noqa: ANN401
        return await asyncio.get_running_loop().run_in_executor(pool, read)

    relay = Relay(
        place,
        submit=writer.submit,
        run_read=run_read,
        own=asked[number],
        peers={peer: asked[peer] for peer in place.peers},
        payee=BenchPayee(),
    )
    worker = Worker(place, writer.submit, relay, commits)
    for outcome in writer.apply([FillUp(user, 10**9) for user in worker.people.users]):
        outcome.value()
    writer.start()
    try:
        yield worker, relay
    finally:
        writer.close()
        pool.shutdown()
        engine.dispose()
        for held, reader in zip(asked, readers, strict=True):
            held.close()
            reader.close()


def _all_users() -> list[str]:
    return [f"usr_{user}" for user in range(USERS)]
