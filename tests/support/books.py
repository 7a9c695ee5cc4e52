"""A ledger in a fresh database, and a command that posts, for tests."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from backend.db.command import Read
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.db.working_set import WorkingSet
from backend.ledger import model
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.model import Transfer
from backend.ledger.projection import next_step
from backend.ledger.repository import LedgerRepository
from backend.ledger.rules import Event, top_up
from backend.ledger.service import LedgerSeal, post, reads
from backend.ledger.verify import Report, verify

DATE = "2026-09-30"
START_MS = 1_790_700_000_000


@dataclass(slots=True)
class ManualClock:
    """Time that moves when told."""

    ms: int = START_MS

    def now_ms(self) -> int:
        return self.ms


@dataclass(frozen=True, slots=True)
class Post:
    """Post these transfers."""

    transfers: Sequence[Transfer]
    is_new: bool = False

    def reads(self) -> list[Read]:
        return reads(self.transfers, is_new=self.is_new)

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        return post(ws, self.transfers, now_ms, is_new=self.is_new)


@dataclass(slots=True)
class Books:
    """One writer on one database."""

    engine: Engine
    url: str
    writer: GroupCommitWriter
    clock: ManualClock = field(default_factory=ManualClock)

    def post(self, transfers: Sequence[Transfer]) -> bool:
        """Post in a group of its own; raises what the ledger refuses."""
        result: bool = self.writer.apply([Post(transfers)])[0].value()
        return result

    def fund(self, user_id: str, amount_minor: int, currency: str = "CNY") -> None:
        """Give a payer money."""
        event = Event(f"fund_{user_id}_{currency}", currency, DATE)
        self.post(top_up(event, user_id=user_id, channel_id="NUCC", settlement_date=DATE,
                         amount_minor=amount_minor))  # fmt: skip

    def read(self, question: Callable[[LedgerRepository], Any]) -> Any:
        """Ask the repository on a snapshot."""
        reader = Reader.open(self.url)
        try:
            with reader.snapshot() as connection:
                return question(LedgerRepository(connection))
        finally:
            reader.close()

    def balance(self, account_id: str) -> int:
        """The posted balance of an account; 0 if it was never touched."""
        rows = self.read(lambda repository: list(repository.accounts(account_id)))
        return model.balance(rows[0]) if rows else 0

    def available(self, account_id: str) -> int:
        """The balance less holds."""
        rows = self.read(lambda repository: list(repository.accounts(account_id)))
        return model.available(rows[0]) if rows else 0

    def follow(self, *, steps_max: int = 1_000) -> None:
        """Let the follower take so many steps, or come to the chains' ends."""
        for _ in range(steps_max):
            step = self.derived(next_step)
            if step is None:
                return
            self.writer.apply([step])[0].value()

    def derived(self, question: Callable[[LedgerRepository, DerivedRepository], Any]) -> Any:
        """Ask both repositories on one snapshot."""
        reader = Reader.open(self.url)
        try:
            with reader.snapshot() as connection:
                return question(LedgerRepository(connection), DerivedRepository(connection))
        finally:
            reader.close()

    def report(self) -> Report:
        """Verify everything."""
        report: Report = self.read(verify)
        return report


@contextmanager
def open_books(url: str, chain: str = "main") -> Iterator[Books]:
    """Open a migrated database for posting."""
    engine = open_engine(url)
    clock = ManualClock()
    writer = GroupCommitWriter(open_store(engine), clock=clock, seals=[LedgerSeal(chain)])
    try:
        yield Books(engine, url, writer, clock)
    finally:
        writer.close()
        engine.dispose()
