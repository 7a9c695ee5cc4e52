"""The long poll: what is new for a store, at once or when something commits.

Rule: a waiter is registered before it reads, so that a commit between its read and its wait wakes
it. Another backend's commit is heard by the database's bell (``db.postgres_bell``); in case that is
missed there is one look every ``PUSH_RECHECK_S`` seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from backend.db.working_set import WorkingSet
from backend.devices.announce import REGISTRY
from backend.hub_api.limits import POLLS_OPEN_PER_HUB_MAX, PUSH_RECHECK_S
from backend.notify.tables import PUSH
from backend.observability.metrics import Metrics
from backend.workers import Aside
from protocol import cbor
from protocol.answers import Answer, seal_group
from protocol.clock import Clock
from protocol.crypto.keys import SigningKey
from protocol.limits import ANSWER_BYTES_MAX, PUSH_ITEMS_MAX, PUSH_WAIT_S_MAX

PUSH_CHANNEL = "tillway_pushes"
PushRow = Mapping[str, Any]


class PushSource(Protocol):
    """Where committed pushes are read. Blocking."""

    def after(self, store: str, seq: int, count_max: int) -> Sequence[PushRow]:
        """The next pushes of a store beyond ``seq``, in order."""
        ...


class Bell(Protocol):
    """Tells other backends where to look, and is told by them (None: everywhere)."""

    def start(self, heard: Callable[[frozenset[str] | None], None]) -> None: ...
    def ring(self, words: frozenset[str]) -> None: ...
    async def stop(self) -> None: ...


@dataclass(slots=True, eq=False)
class _Waiter:
    """One open poll."""

    hub: str
    news: asyncio.Event = field(default_factory=asyncio.Event)
    is_let_go: bool = False

    def let_go(self) -> None:
        """Answer it with what there is."""
        self.is_let_go = True
        self.news.set()


class PushFeed:
    """Hands pushes to hubs. Owned by the event loop, but for ``committed``."""

    def __init__(
        self,
        *,
        source: PushSource,
        run_read: Callable[[Callable[[], Any]], Awaitable[Any]],
        signing_key: SigningKey,
        clock: Clock,
        aside: Aside,
        metrics: Metrics,
        bell: Bell | None = None,
    ) -> None:
        """``bell``: None where no other backend is on the database."""
        self._source = source
        self._run_read = run_read
        self._signing_key = signing_key
        self._clock = clock
        self._aside = aside
        self._metrics = metrics
        self._bell = bell
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiters: dict[str, list[_Waiter]] = {}
        self._is_closing = False

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say which loop the waiters live on, before the writer starts, and listen."""
        self._loop = loop
        if self._bell is not None:
            self._bell.start(self._heard)

    def committed(self, ws: WorkingSet) -> None:
        """Called by the writer's thread after each commit."""
        stores = frozenset(row["store"] for row in ws.inserted(PUSH))
        if stores and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell, stores)

    async def next(self, hub: str, store: str, after: int, wait_s: int) -> bytes:
        """CBOR ``[[cursor, kind, device, bytes or row], …]``; empty when the wait is over, and for
        the eldest of a hub's polls when one too many comes."""
        with self._waiting(hub, store) as waiter:
            rows = await self._wait(store, after, wait_s, waiter)
        self._metrics.pushes.inc(len(rows))
        now_ms = self._clock.now_ms()
        return await self._aside(_seal_rows, rows, self._signing_key, now_ms)

    async def stop(self) -> None:
        """Stop telling other backends: nothing is committed any more."""
        if self._bell is not None:
            await self._bell.stop()

    def close(self) -> None:
        """Answer every open poll with what there is, for a quick stop."""
        self._is_closing = True
        self._wake(frozenset(self._waiters))

    async def _wait(
        self, store: str, after: int, wait_s: int, waiter: _Waiter
    ) -> Sequence[PushRow]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(wait_s, PUSH_WAIT_S_MAX)
        while True:
            waiter.news.clear()
            rows = await self._run_read(lambda: self._source.after(store, after, PUSH_ITEMS_MAX))
            left = deadline - loop.time()
            if rows or left <= 0 or self._is_closing or waiter.is_let_go:
                return list(rows)
            try:
                async with asyncio.timeout(min(left, PUSH_RECHECK_S)):
                    await waiter.news.wait()
            except TimeoutError:
                continue

    @contextmanager
    def _waiting(self, hub: str, store: str) -> Iterator[_Waiter]:
        waiters = self._waiters.setdefault(store, [])
        own = [one for one in waiters if one.hub == hub]
        for eldest in own[: len(own) + 1 - POLLS_OPEN_PER_HUB_MAX]:
            eldest.let_go()
        waiter = _Waiter(hub)
        waiters.append(waiter)
        self._metrics.polls_open.inc()
        try:
            yield waiter
        finally:
            self._metrics.polls_open.dec()
            waiters.remove(waiter)
            if not waiters:
                self._waiters.pop(store, None)

    def _tell(self, stores: frozenset[str]) -> None:
        self._wake(stores)
        if self._bell is not None:
            self._bell.ring(stores)

    def _heard(self, stores: frozenset[str] | None) -> None:
        """Another backend has committed news of these stores; None: it may have, of any."""
        self._wake(frozenset(self._waiters) if stores is None else stores)

    def _wake(self, stores: frozenset[str]) -> None:
        for store in stores:
            for waiter in self._waiters.get(store, ()):
                waiter.news.set()


def _seal_rows(rows: Sequence[PushRow], key: SigningKey, now_ms: int) -> bytes:
    """Sign what goes to devices, in one group; a registry row is for the hub, and the connection
    vouches for it."""
    kinds = [_kind(row) for row in rows]
    spoken = [row for row, kind in zip(rows, kinds, strict=True) if kind != REGISTRY]
    sealed = iter(seal_group([_answer(row, now_ms) for row in spoken], key))
    return cbor.encode(
        [
            [
                row["seq"],
                kind,
                row["device"],
                _body(row) if kind == REGISTRY else next(sealed),
            ]
            for row, kind in zip(rows, kinds, strict=True)
        ]
    )


def _kind(row: PushRow) -> str:
    message_type: str = row["message_type"]
    if message_type == REGISTRY:
        return REGISTRY
    if message_type in {"settings.wanted", "firmware.wanted"}:
        return "settings"
    return "command" if message_type.startswith("command.") else "answer"


def _answer(row: PushRow, now_ms: int) -> Answer:
    return Answer(
        message_type=row["message_type"],
        request_id="",
        device=row["device"],
        store=row["store"],
        answered_at_ms=now_ms,
        body=_body(row),
        trace_id=row["trace_id"],
    )


def _body(row: PushRow) -> dict[str, Any]:
    body: dict[str, Any] = cbor.decode(row["body"], bytes_max=ANSWER_BYTES_MAX)
    return body
