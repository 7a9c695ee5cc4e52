"""The hub dies at every step of one story; a hub that starts on what is on the disk then ends it.

The steps are counted, not listed: each statement of the spool, before and after it, each word to a
terminal and each batch that leaves. A kill leaves all that was written; a power cut may also tear
off what was written to the log since the last commit.
"""

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from hub.domain.effects import ParcelKey, Push
from hub.spool.store import open_connection
from hub.stepped import SteppedHub, SteppedHubPorts
from protocol import answers, envelope
from tests.kit.hub_shop import (
    HUB,
    STORE,
    FakeClock,
    RecordingLine,
    RecordingLink,
    SeededEntropy,
    Shop,
)

SHOP = Shop()
TILLS = ("till-1", "till-2")
for _tid in TILLS:
    SHOP.key_of(_tid)


class Dead(BaseException):
    """The hub's process is no more."""


class Steps:
    """Counts the steps of a story and ends it at one of them."""

    def __init__(self, last: int | None, on_death: Callable[[], None]) -> None:
        self.count = 0
        self.names: list[str] = []
        self._last, self._on_death = last, on_death
        self._is_dead = False

    def take(self, name: str) -> None:
        if self._is_dead:
            raise Dead
        self.count += 1
        self.names.append(name)
        if self.count == self._last:
            self._is_dead = True
            self._on_death()
            raise Dead(name)


class CountedConnection:
    """The spool's connection, each of whose statements is two steps."""

    def __init__(
        self, real: sqlite3.Connection, steps: Steps, committed: Callable[[], None]
    ) -> None:
        self._real, self._steps, self._committed = real, steps, committed

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self._counted(sql, lambda: self._real.execute(sql, *values))

    def executemany(self, sql: str, values: Any) -> sqlite3.Cursor:
        return self._counted(sql, lambda: self._real.executemany(sql, values))

    @property
    def in_transaction(self) -> bool:
        return self._real.in_transaction

    def close(self) -> None:
        self._real.close()

    def _counted(self, sql: str, run: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        name = " ".join(sql.split()[:3])
        self._steps.take(f"before {name}")
        cursor = run()
        if sql == "COMMIT":
            self._committed()
        self._steps.take(f"after {name}")
        return cursor


@dataclass
class Backend:
    """Remembers what it was asked, in its order, and answers the same request the same."""

    asked: list[tuple[str, tuple[int, int], str]] = field(default_factory=list)

    def answer(self, batch: bytes) -> list[bytes]:
        opened = SHOP.open_batch(batch)
        for item in opened.items:
            one = envelope.unseal(item.envelope).envelope
            self.asked.append((one.device, one.position, one.request_id))
        return SHOP.answer_batch(batch)


@dataclass
class CountedLink(RecordingLink):
    """Terminals: what they were told and what was acknowledged, outlives every hub."""

    steps: Steps | None = None
    accepted: dict[int, str] = field(default_factory=dict)
    got: list[tuple[str, str]] = field(default_factory=list)
    pushed: list[bytes] = field(default_factory=list)

    def settle(self, ticket: int) -> None:
        super().settle(ticket)
        self._step("settle")

    def deliver(self, device: str, payload: bytes, parcel: ParcelKey | None) -> None:
        super().deliver(device, payload, parcel)
        self._step("deliver")

    def _step(self, name: str) -> None:
        if self.steps is not None:
            self.steps.take(name)


class Story:
    """Two tills, a backend that is away for a while, one push: on one spool file."""

    def __init__(self, directory: Path, last: int | None = None) -> None:
        self.directory = directory
        self.path = directory / "spool.db"
        self.synced_bytes = 0
        self.steps = Steps(last, self._die)
        self.backend, self.clock = Backend(), FakeClock()
        self.line, self.link = RecordingLine(), CountedLink(steps=self.steps)
        self.acknowledged: list[str] = []
        self.is_dead = False
        self.wires = {(tid, n): SHOP.envelope(tid, n) for tid in TILLS for n in range(1, 4)}

    # --- the hub

    def start(self, path: Path, *, steps: Steps | None) -> SteppedHub:
        connection = open_connection(path)
        connection.execute("PRAGMA synchronous = OFF")  # no disk is slower for the story's sake
        self._real = connection
        counted = connection
        if steps is not None:
            counted = cast(sqlite3.Connection, CountedConnection(connection, steps, self._synced))
        self.link.steps = steps
        ports = SteppedHubPorts(
            hub_id=HUB, store=STORE, signing_key=SHOP.hub_key, backend_key=SHOP.find_backend_key,
            clock=self.clock, entropy=SeededEntropy(), line=self.line, link=self.link,
        )  # fmt: skip
        return SteppedHub(ports, counted)

    def _synced(self) -> None:
        self.synced_bytes = self._log_bytes()

    def _log_bytes(self) -> int:
        log = self.path.with_name("spool.db-wal")
        return log.stat().st_size if log.exists() else 0

    def _die(self) -> None:
        """What is on the disk at this moment is all that the next hub has."""
        self.is_dead = True
        after = self.directory / "after"
        after.mkdir()
        for file in self.directory.glob("spool.db*"):
            if not file.name.endswith("-shm"):  # shared memory dies with the machine
                shutil.copy(file, after / file.name)

    # --- what happens

    def run(self) -> None:
        """Play until the end, or until the hub dies."""
        try:
            self._play(self.start(self.path, steps=self.steps))
        except Dead:
            assert self.is_dead
        self._real.close()

    def _play(self, hub: SteppedHub) -> None:
        hub.devices_arrived([SHOP.device(tid) for tid in TILLS])
        self._say(hub, "till-1", 1)
        self._answer(hub)
        self._say(hub, "till-1", 2)
        self._say(hub, "till-2", 1)
        for number in sorted(self.line.batches):  # the backend carries it out, and nobody hears
            self.backend.answer(self.line.batches.pop(number))
            hub.batch_lost(number)
        self._say(hub, "till-2", 2)
        push = Push(cursor=1, device="till-1", kind="res", payload=SHOP.push("till-1", 1))
        hub.pushes_arrived(1, [push])
        self.clock.ms += 20_000
        hub.tick()
        self._answer(hub)
        self._say(hub, "till-1", 3)
        self._answer(hub)
        self.clock.ms += 2_000
        hub.tick()
        self._take(hub)
        hub.tick()

    def _say(self, hub: SteppedHub, tid: str, number: int) -> None:
        wire = self.wires[tid, number]
        before = len(self.link.settled)
        try:
            hub.receive(tid, wire)
        finally:
            if len(self.link.settled) > before:
                self.acknowledged.append(envelope.unseal(wire).envelope.request_id)

    def _answer(self, hub: SteppedHub) -> None:
        for number in sorted(self.line.batches):
            hub.batch_answered(number, self.backend.answer(self.line.batches.pop(number)))

    def _take(self, hub: SteppedHub) -> None:
        """Terminals acknowledge what they were offered."""
        told, self.link.told = self.link.told, []
        for device, payload, parcel in told:
            if parcel is not None:
                self.link.got.append((device, answers.unseal(payload).answer.request_id))
                hub.delivered(device, parcel)

    # --- afterwards

    def go_on(self, *, torn_bytes: int | None = None) -> None:
        """A new hub on what the old one left; every terminal says again what was not settled."""
        path = self.directory / "after" / "spool.db"
        log = path.with_name("spool.db-wal")
        if torn_bytes is not None and log.exists():
            with log.open("r+b") as file:
                file.truncate(max(self.synced_bytes, log.stat().st_size - torn_bytes))
        self.line.batches.clear()
        self._take_quietly()
        hub = self.start(path, steps=None)
        hub.devices_arrived([SHOP.device(tid) for tid in TILLS])
        for tid in TILLS:
            hub.connected(tid)
        for (tid, number), wire in sorted(self.wires.items()):
            if envelope.unseal(wire).envelope.request_id not in self.acknowledged:
                self._say_again(hub, tid, number)
        push = Push(cursor=1, device="till-1", kind="res", payload=SHOP.push("till-1", 1))
        hub.pushes_arrived(1, [push])
        for _ in range(60):
            self._answer(hub)
            self._take(hub)
            self.clock.ms += 1_000
            hub.tick()
        assert self._rows_left() == 0, "nothing stays behind"
        self._real.close()

    def _say_again(self, hub: SteppedHub, tid: str, number: int) -> None:
        """The same request in a new envelope, as terminals do."""
        asked = envelope.unseal(self.wires[tid, number]).envelope
        hub.receive(
            tid,
            SHOP.envelope(
                tid, 100 + number, request_id=asked.request_id, body=dict(asked.body),
                sent_at_ms=self.clock.ms,
            ),
        )  # fmt: skip

    def _take_quietly(self) -> None:
        """What terminals were told before the death they have, though nobody noted it."""
        for device, payload, parcel in self.link.told:
            if parcel is not None:
                self.link.got.append((device, answers.unseal(payload).answer.request_id))
        self.link.told.clear()

    def _rows_left(self) -> int:
        query = "SELECT (SELECT count(*) FROM uplink) + (SELECT count(*) FROM downlink)"
        return int(self._real.execute(query).fetchone()[0])


def check(story: Story) -> None:
    """Nothing lost, nothing in another order, every answer given."""
    asked = [request for _, _, request in story.backend.asked]
    answered = {request for _, request in story.link.got}
    assert set(story.acknowledged) <= set(asked), "what was acknowledged reaches the backend"
    assert set(story.acknowledged) <= answered, "and its answer the terminal"
    assert "" in answered, "the push came"
    for tid in TILLS:
        first = dict.fromkeys(
            request for device, _, request in story.backend.asked if device == tid
        )
        said = [envelope.unseal(story.wires[tid, n]).envelope.request_id for n in range(1, 4)]
        assert list(first) == [one for one in said if one in first], "in the order of the device"


def test_the_story_without_a_death_has_its_steps(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.run()
    assert {"settle", "deliver", "after COMMIT"} <= set(story.steps.names)
    assert len(story.acknowledged) == 5


@pytest.mark.parametrize(
    "torn", [None, 1, 4_096, 1_000_000], ids=["kill", "torn1", "torn4k", "cut"]
)
def test_whatever_step_it_dies_at_the_next_hub_ends_the_story(
    tmp_path: Path, torn: int | None
) -> None:
    whole = Story(_made(tmp_path / "whole"))
    whole.run()
    assert whole.steps.count > 100
    for last in range(1, whole.steps.count + 1):
        story = Story(_made(tmp_path / str(last)), last)
        story.run()
        story.go_on(torn_bytes=torn)
        check(story)


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory
