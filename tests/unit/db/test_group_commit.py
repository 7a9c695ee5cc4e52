"""The writer: what it answers, what it undoes, what it survives."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlmodel import Field

from backend.db.command import Read
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.limits import COMMANDS_PER_GROUP_MAX, COMMANDS_PER_HALF_MIN, COMMANDS_PER_TURN_MIN
from backend.db.open_store import open_store
from backend.db.store import StoreError
from backend.db.tables import INTEGER, TEXT, BackendTable, table_ref
from backend.db.working_set import WorkingSet
from protocol.errors import CallerError, OperatingError
from tests.kit.patience import PATIENCE_S


class Jar(BackendTable, table=True):
    """A counter for these tests."""

    __tablename__ = "test_jar"
    id: str = Field(primary_key=True, sa_type=TEXT)
    owner: str = Field(sa_type=TEXT)
    coins: int = Field(sa_type=INTEGER)


JAR = table_ref(Jar)


class FixedClock:
    def now_ms(self) -> int:
        return 1_763_900_000_000


@dataclass(frozen=True, slots=True)
class Put:
    """Put coins into a jar, making it if need be; a jar holds a hundred."""

    jar: str
    coins: int

    def reads(self) -> list[Read]:
        return [(JAR, self.jar)]

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        if self.coins == 13:
            raise ZeroDivisionError("a bug")
        if ws.get(JAR, self.jar) is None:
            ws.insert(JAR, {"id": self.jar, "owner": "ann", "coins": 0})
        row = ws.add(JAR, self.jar, coins=self.coins)
        if row["coins"] > 100:
            raise CallerError("amount_invalid")
        return int(row["coins"])


@dataclass(frozen=True, slots=True)
class Blind:
    """Insert without reading: collides in the database when the jar exists."""

    jar: str
    owner: Any = "bob"

    def reads(self) -> list[Read]:
        return []

    def decide(self, ws: WorkingSet, now_ms: int) -> str:
        ws.insert(JAR, {"id": self.jar, "owner": self.owner, "coins": 1})
        return self.jar


OpenWriter = Callable[..., GroupCommitWriter]


@pytest.fixture
def open_writer(database_url: str) -> Iterator[OpenWriter]:
    engine = open_engine(database_url)
    Jar.__table__.create(engine)  # type: ignore[attr-defined]
    writers: list[GroupCommitWriter] = []

    def opened(**options: Any) -> GroupCommitWriter:
        writer = GroupCommitWriter(open_store(engine), clock=FixedClock(), **options)
        writers.append(writer)
        return writer

    yield opened
    for writer in writers:
        writer.close()
    engine.dispose()


def test_apply_answers_in_order_and_commands_see_each_other(open_writer: OpenWriter) -> None:
    outcomes = open_writer().apply([Put("a", 1), Put("b", 5), Put("a", 2)])
    assert [outcome.value() for outcome in outcomes] == [1, 5, 3]


def test_a_refused_command_is_undone_and_the_others_stand(open_writer: OpenWriter) -> None:
    writer = open_writer()
    outcomes = writer.apply([Put("a", 90), Put("a", 20), Put("c", 200), Put("a", 10)])
    assert outcomes[0].value() == 90
    with pytest.raises(CallerError, match="amount_invalid"):
        outcomes[1].value()
    assert outcomes[3].value() == 100
    # The refused one had made jar c: it must not exist.
    assert writer.apply([Put("c", 1)])[0].value() == 1


def test_a_bug_fails_only_its_own_command(open_writer: OpenWriter) -> None:
    outcomes = open_writer().apply([Put("a", 1), Put("a", 13), Put("a", 1)])
    with pytest.raises(OperatingError, match="internal"):
        outcomes[1].value()
    assert outcomes[2].value() == 2


def test_what_the_database_refuses_fails_only_the_command_at_fault(open_writer: OpenWriter) -> None:
    writer = open_writer()
    writer.apply([Put("a", 1)])
    outcomes = writer.apply([Put("b", 1), Blind("a"), Blind("d", owner=None), Put("b", 1)])
    assert [outcome.error is None for outcome in outcomes] == [True, False, False, True]
    assert writer.apply([Put("b", 1)])[0].value() == 3


@pytest.mark.parametrize("poison", [2**70, 1.5, "\ud800", "a\x00b", ["list"], b"\xff", object()])
def test_a_value_the_database_cannot_take_fails_only_its_own_command(
    open_writer: OpenWriter, poison: object
) -> None:
    writer = open_writer()
    outcomes = writer.apply([Put("b", 1), Blind("p", owner=poison), Put("b", 1)])
    assert [outcome.error is None for outcome in outcomes][::2] == [True, True]
    assert outcomes[1].error is None or outcomes[1].error.advice.retry == "never"  # type: ignore[attr-defined]
    assert writer.apply([Put("b", 1)])[0].value() == 3


@dataclass(frozen=True, slots=True)
class Lookup:
    """Read a jar, and insert nothing."""

    jar: Any

    def reads(self) -> list[Read]:
        return [(JAR, self.jar)]

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        return ws.get(JAR, self.jar) is None


@pytest.mark.parametrize("bad", [Blind("p", owner="\ud800"), Lookup("\ud800"), Blind("a")])
@pytest.mark.parametrize("place", [0, 100, 255])
def test_one_poisoned_command_costs_the_others_a_few_commits(
    open_writer: OpenWriter, monkeypatch: pytest.MonkeyPatch, bad: Any, place: int
) -> None:
    writer = open_writer()
    writer.apply([Put("a", 1)])
    commits: list[None] = []
    commit = writer._store.commit

    def counted() -> None:
        commit()
        commits.append(None)

    monkeypatch.setattr(writer._store, "commit", counted)
    commands: list[Any] = [Put(f"j{number}", number % 7 + 1) for number in range(255)]
    commands.insert(place, bad)
    outcomes = writer.apply(commands)
    assert [index for index, one in enumerate(outcomes) if one.error is not None] == [place]
    assert len(commits) == 8  # log2 of 256
    assert isinstance(outcomes[place].error, OperatingError) == (bad == Blind("a"))
    assert writer.apply([Put("j100", 1)])[0].value() == 100 % 7 + 2


@dataclass(frozen=True, slots=True)
class Unsortable:
    """Names a key that cannot be sorted among the others: a bug that the group's read meets."""

    def reads(self) -> list[Read]:
        return [(JAR, 7)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        ws.get(JAR, 7)


def test_a_bug_outside_of_its_decision_fails_only_its_own_command(open_writer: OpenWriter) -> None:
    outcomes = open_writer().apply([Put("a", 1), Unsortable(), Put("b", 1), Put("a", 1)])
    assert [outcomes[index].value() for index in (0, 2, 3)] == [1, 1, 2]


def test_a_lost_database_fails_the_group_and_nothing_of_it_is_kept(
    open_writer: OpenWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = open_writer()
    writer.apply([Put("a", 1)])
    with monkeypatch.context() as broken:
        broken.setattr(writer._store, "commit", _disk_full)
        outcomes = writer.apply([Put("a", 1), Put("b", 1)])
    assert [getattr(one.error, "code", None) for one in outcomes] == ["internal", "internal"]
    assert writer.apply([Put("a", 1)])[0].value() == 2


def _disk_full() -> None:
    raise StoreError("failed", "disk full")


@pytest.mark.asyncio
async def test_submitted_commands_are_answered_after_their_commit(open_writer: OpenWriter) -> None:
    writer = open_writer(commands_per_group_max=7)
    writer.start()
    async with asyncio.timeout(PATIENCE_S):
        answers = await asyncio.gather(*(writer.submit(Put("a", 1)) for _ in range(50)))
    assert sorted(answers) == list(range(1, 51))
    await writer.stop()


@pytest.mark.asyncio
async def test_commands_submitted_together_are_answered_together(open_writer: OpenWriter) -> None:
    writer = open_writer(commands_per_group_max=7, commands_waiting_max=50)
    writer.start()
    asked = [Put("a", 1), Put("b", 13), *[Put("c", 1)] * 20, Put("a", 100)]
    async with asyncio.timeout(PATIENCE_S):
        outcomes = await writer.submit_all(asked)
        assert await writer.submit_all([]) == []
        with pytest.raises(OperatingError, match="busy"):
            await writer.submit_all([Put("a", 1)] * 51)
        assert await writer.submit(Put("a", 1)) == 2
    assert [one.result for one in outcomes[2:22]] == list(range(1, 21))
    codes = [getattr(one.error, "code", None) for one in outcomes]
    assert (codes[1], codes[22], codes.count(None)) == ("internal", "amount_invalid", 21)
    await writer.stop()


@pytest.mark.asyncio
async def test_a_full_queue_says_busy_and_stop_finishes_what_waits(open_writer: OpenWriter) -> None:
    writer = open_writer(commands_waiting_max=0)
    writer.start()
    with pytest.raises(OperatingError, match="busy"):
        await writer.submit(Put("a", 1))
    await writer.stop()
    writer = open_writer()
    writer.start()
    waiting = [asyncio.create_task(writer.submit(Put("a", 1))) for _ in range(20)]
    await asyncio.sleep(0)
    await writer.stop()
    async with asyncio.timeout(PATIENCE_S):
        assert max(await asyncio.gather(*waiting)) == 20
    with pytest.raises(OperatingError, match="busy"):
        await writer.submit(Put("a", 1))


class _ClosedWhilePut:
    """A queue at whose first put another thread closes the writer, and is given time to do it."""

    def __init__(self, writer: GroupCommitWriter) -> None:
        self._inner = writer._queue
        self.closer = threading.Thread(target=writer.close)

    def put(self, item: Any) -> None:
        if item is not None:
            self.closer.start()
            self.closer.join(timeout=0.2)
        self._inner.put(item)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.mark.asyncio
async def test_a_command_taken_while_another_thread_stops_the_writer_is_answered(
    open_writer: OpenWriter,
) -> None:
    writer = open_writer()
    writer.start()
    queue = _ClosedWhilePut(writer)
    writer._queue = queue  # type: ignore[assignment]
    async with asyncio.timeout(PATIENCE_S):
        assert await writer.submit(Put("a", 1)) == 1
        await asyncio.to_thread(queue.closer.join)
        with pytest.raises(OperatingError, match="busy"):
            await writer.submit(Put("a", 1))


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the writer until the others wait in its queue."""

    is_over: threading.Event
    has_begun: threading.Event = field(default_factory=threading.Event)

    def reads(self) -> list[Read]:
        return []

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        self.has_begun.set()
        return self.is_over.wait(PATIENCE_S)


@pytest.mark.asyncio
async def test_groups_that_follow_each_other_closely_fail_only_where_they_should(
    open_writer: OpenWriter,
) -> None:
    """Each group shares a jar with the next, and each second one has a command that collides with
    what the group before it may be making durable just then."""
    size, is_over = COMMANDS_PER_TURN_MIN, threading.Event()
    writer = open_writer(commands_per_group_max=size)
    commands: list[Any] = [Put(f"j{number}", 1) for number in range(8 * size)]
    commands[size::size] = [Put("shared", 1)] * 7
    commands[size + 7 :: 2 * size] = [Blind(f"j{group * size - 9}") for group in (1, 3, 5, 7)]
    writer.start()
    held = asyncio.create_task(writer.submit(Hold(is_over)))
    waiting = [asyncio.create_task(writer.submit(command)) for command in commands]
    await asyncio.sleep(0)
    is_over.set()
    async with asyncio.timeout(PATIENCE_S):
        answers = await asyncio.gather(held, *waiting, return_exceptions=True)
    await writer.stop()
    assert answers[size + 1 :: size] == list(range(1, 8))
    failed = [index for index, answer in enumerate(answers) if isinstance(answer, Exception)]
    assert failed == list(range(size + 8, len(answers), 2 * size))


@pytest.mark.asyncio
async def test_where_two_groups_may_be_on_their_way_one_leaves_half_to_the_other(
    open_writer: OpenWriter, database_url: str
) -> None:
    sizes: list[int] = []
    writer = open_writer(observers=[lambda ws: sizes.append(len(ws.inserted(JAR)))])
    writer.start()
    hold, number = Hold(threading.Event()), 1_500
    held = asyncio.create_task(writer.submit(hold))
    await asyncio.sleep(0)
    assert await asyncio.to_thread(hold.has_begun.wait, PATIENCE_S)
    waiting = [asyncio.create_task(writer.submit(Put(f"j{jar}", 1))) for jar in range(number)]
    await asyncio.sleep(0)
    hold.is_over.set()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(held, *waiting)
    await writer.stop()
    if database_url.startswith("sqlite"):
        assert sizes == [0, COMMANDS_PER_GROUP_MAX, number - COMMANDS_PER_GROUP_MAX]
        return
    half = (number - 1) // 2
    rest = number - half - COMMANDS_PER_HALF_MIN
    assert sizes == [0, half, COMMANDS_PER_HALF_MIN, rest]
