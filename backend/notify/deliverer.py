"""The task that brings callbacks to merchants' servers: claims, sends, notes, with bounds.

Rule: it keeps nothing that the outbox does not. Killed at any point, the lease runs out and the
callback is sent again.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from backend.db.command import Command
from backend.db.tables import Row
from backend.notify.http_sender import Sender
from backend.notify.limits import (
    CALLBACK_NONCE_BYTES,
    CALLBACK_POLL_MS,
    CALLBACKS_AT_ONCE_MAX,
    CALLBACKS_PER_MERCHANT_MAX,
)
from backend.notify.model import signed_headers
from backend.notify.repository import CallbackRepository
from backend.notify.service import ClaimCallbacks, NoteDelivered, NoteFailed
from backend.observability.metrics import Metrics
from protocol.clock import Clock, Entropy
from protocol.crypto.keys import SigningKey
from protocol.errors import OperatingError

_log = structlog.get_logger()

Submit = Callable[[Command], Awaitable[Any]]
RunRead = Callable[[Callable[[], Any]], Awaitable[Any]]


class CallbackDeliverer:
    """Owns the sending of callbacks. Run one task of it per installation; two do no harm."""

    def __init__(
        self,
        *,
        submit: Submit,
        run_read: RunRead,
        repository: CallbackRepository,
        sender: Sender,
        signing_key: SigningKey,
        clock: Clock,
        entropy: Entropy,
        metrics: Metrics,
    ) -> None:
        self._submit = submit
        self._run_read = run_read
        self._repository = repository
        self._sender = sender
        self._key = signing_key
        self._clock = clock
        self._entropy = entropy
        self._metrics = metrics
        self._news = asyncio.Event()
        self._open: Counter[str] = Counter()

    def wake(self) -> None:
        """Look at once. Call it on the loop, for instance after a commit with callbacks."""
        self._news.set()

    async def run(self) -> None:
        """Deliver until cancelled: whenever a slot is free, what is due takes it."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._news.clear()
                try:
                    rows = await self._claim()
                except OperatingError as error:
                    _log.warning("callbacks_paused", code=error.code)
                    rows = []
                for row in rows:
                    tasks.create_task(self._deliver(row))
                if not rows:
                    await self._wait()

    async def deliver_due(self) -> int:
        """One round: what is due now and finds a slot. How many were tried."""
        rows = await self._claim()
        async with asyncio.TaskGroup() as tasks:
            for row in rows:
                tasks.create_task(self._deliver(row))
        return len(rows)

    async def _claim(self) -> list[Row]:
        """Take what is due into the free slots: few of each merchant, so that one whose server
        hangs delays nobody else."""
        free = CALLBACKS_AT_ONCE_MAX - self._open.total()
        if free <= 0:
            return []
        full = [one for one, count in self._open.items() if count >= CALLBACKS_PER_MERCHANT_MAX]
        due = await self._run_read(lambda: self._repository.due(self._clock.now_ms(), full))
        ids = self._fitting(due, free)
        rows: list[Row] = await self._submit(ClaimCallbacks(callback_ids=ids)) if ids else []
        self._open.update(row["merchant_id"] for row in rows)
        return rows

    def _fitting(self, due: Sequence[Row], free: int) -> tuple[str, ...]:
        """Those of the due that get a slot, the longest overdue first."""
        taken: list[str] = []
        counts = self._open.copy()
        for row in due:
            if len(taken) < free and counts[row["merchant_id"]] < CALLBACKS_PER_MERCHANT_MAX:
                counts[row["merchant_id"]] += 1
                taken.append(row["callback_id"])
        return tuple(taken)

    async def _deliver(self, row: Row) -> None:
        try:
            await self._send(row)
        finally:
            self._open[row["merchant_id"]] -= 1
            self._open += Counter()  # forgets who has none
            self._news.set()

    async def _send(self, row: Row) -> None:
        body = row["body"].encode()
        nonce = self._entropy.token_bytes(CALLBACK_NONCE_BYTES).hex()
        proof = signed_headers(body, key=self._key, now_ms=self._clock.now_ms(), nonce=nonce)
        headers = {"Content-Type": "application/json", **proof}
        error = await self._sender.send(row["url"], body, headers)
        try:
            await self._note(row["callback_id"], error)
        except OperatingError as failure:
            # Not noted: the lease runs out and it is sent again.
            _log.warning("callback_not_noted", callback_id=row["callback_id"], code=failure.code)

    async def _note(self, callback_id: str, error: str) -> None:
        if not error:
            await self._submit(NoteDelivered(callback_id=callback_id))
            self._metrics.count_callback("delivered")
            return
        state = await self._submit(NoteFailed(callback_id=callback_id, error=error))
        self._metrics.count_callback("dead" if state == "dead" else "failed")
        _log.warning("callback_failed", callback_id=callback_id, error=error, state=state)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(CALLBACK_POLL_MS / 1000):
                await self._news.wait()
        except TimeoutError:
            return
