"""What the parts of a payment cost in processor time, each alone, without callers and event loop.

A payment at home; the charge of one that crosses; reading it; crediting it. In groups of 512 and of
64, because a group costs something by itself. Processor time hardly depends on who else is busy.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import process_time

from backend.db.command import Command
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.shards.founding import own_place
from backend.shards.model import Crossing, Place
from backend.shards.repository import ShardReader
from backend.shards.service import Charge, receive, seals_of
from bench.cpu import family_s
from bench.engine_kit import SystemClock
from bench.payment_command import FillUp
from bench.result import Result
from bench.shard_payment import BenchPayee, order_of
from bench.shard_worker import Population, Task

GROUPS = (512, 64)


def bare_costs(urls: Sequence[str], postmaster: int, payments: int) -> list[Result]:
    """On two founded databases that nobody else uses. Each part once to warm up, then measured."""
    results: list[Result] = []
    received = 0
    for group in GROUPS:
        with _opened(urls, group) as (payer, payee, reader):
            for turn in range(2):
                task = Task(payments, 0, 1, seed=group + turn)
                parts = _Parts(payer, payee, reader, postmaster, group, received)
                found = parts.measure(task)
                received += payments
        for name, (python, postgres) in found.items():
            against = f"Python {python:.0f}, PostgreSQL {postgres:.0f}, in groups of {group}"
            results.append(
                Result(f"shards_bare_{name}_{group}", python + postgres, "core-µs/payment", against)
            )
    return results


@dataclass(frozen=True, slots=True)
class _Shard:
    place: Place
    writer: GroupCommitWriter
    people: Population


@dataclass(frozen=True, slots=True)
class _Parts:
    payer: _Shard
    payee: _Shard
    reader: ShardReader
    postmaster: int
    group: int
    received: int

    def measure(self, task: Task) -> dict[str, tuple[float, float]]:
        """(Python, PostgreSQL) in µs, of each part."""
        home = [one for _, one in self.payer.people.payments(task)]
        away = self.payer.people.payments(Task(task.payments, 100, 1, task.seed))
        charges = [Charge(self.payer.place, order_of(one)) for _, one in away]
        batches: list[tuple[Crossing, ...]] = []
        steps: dict[str, Callable[[], None]] = {
            "home": lambda: _apply(self.payer.writer, home),
            "charge": lambda: _apply(self.payer.writer, charges),
            "read": lambda: batches.extend(self._read(task.payments)),
            "credit": lambda: self._credit(batches),
        }
        return {name: self._spent(step, task.payments) for name, step in steps.items()}

    def _read(self, payments: int) -> Iterator[tuple[Crossing, ...]]:
        number, after = self.payee.place.number, self.received
        while after < self.received + payments:
            news = self.reader.news(number, after_seq=after, settled_seq=0, limit=self.group)
            yield news.crossings
            after = news.crossings[-1].seq

    def _credit(self, batches: Sequence[Sequence[Crossing]]) -> None:
        for batch in batches:
            _apply(self.payee.writer, [receive(BenchPayee(), self.payer.place.number, batch)])

    def _spent(self, step: Callable[[], None], payments: int) -> tuple[float, float]:
        python_s, postgres_s = process_time(), family_s(self.postmaster)
        step()
        python_s, postgres_s = process_time() - python_s, family_s(self.postmaster) - postgres_s
        return python_s / payments * 1e6, postgres_s / payments * 1e6


@contextmanager
def _opened(urls: Sequence[str], group: int) -> Iterator[tuple[_Shard, _Shard, ShardReader]]:
    shards, engines = [], [open_engine(url) for url in urls]
    for url, engine in zip(urls, engines, strict=True):
        place = own_place(url, urls)
        writer = GroupCommitWriter(
            open_store(engine),
            clock=SystemClock(),
            seals=seals_of(place),
            commands_per_group_max=group,
        )
        people = Population(place)
        _apply(writer, [FillUp(user, 10**9) for user in people.users])
        shards.append(_Shard(place, writer, people))
    reader = Reader.open(urls[0])
    asked = ShardReader(reader)
    try:
        yield shards[0], shards[1], asked
    finally:
        asked.close()
        reader.close()
        for shard, engine in zip(shards, engines, strict=True):
            shard.writer.close()
            engine.dispose()


def _apply(writer: GroupCommitWriter, commands: Sequence[Command]) -> None:
    for outcome in writer.apply(commands):
        outcome.value()
