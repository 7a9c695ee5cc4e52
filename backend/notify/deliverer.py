"""The task that brings callbacks to merchants' servers: takes, sends, notes, with bounds.

Rule 1: it keeps nothing that the outbox does not. Killed at any point, the lease runs out and the
        callback is sent again.
Rule 2: a callback that goes wrong, whoever's fault it is, is one failed try of its own: it stops no
        other, and ends as a dead letter that people see.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from functools import partial

import structlog

from backend.db.tables import Row
from backend.notify.http_sender import Sender
from backend.notify.limits import CALLBACK_NONCE_BYTES, CALLBACKS_AT_ONCE_MAX
from backend.notify.model import Tried, signed_headers
from backend.notify.ports import CallbackForm, CallbackQueue
from backend.observability.flows import Flow, Outcome
from backend.observability.metrics import Metrics
from protocol.clock import SECOND_MS, Clock, Entropy
from protocol.crypto.keys import SigningKey
from protocol.errors import OperatingError, TillwayError

_log = structlog.get_logger()


class CallbackDeliverer:
    """Owns the sending of callbacks. Run one task of it per installation; two do no harm."""

    def __init__(
        self,
        *,
        queue: CallbackQueue,
        sender: Sender,
        signing_key: SigningKey,
        clock: Clock,
        entropy: Entropy,
        metrics: Metrics,
        forms: Mapping[str, CallbackForm] | None = None,
    ) -> None:
        self._queue = queue
        self._sender = sender
        self._key = signing_key
        self._clock = clock
        self._entropy = entropy
        self._metrics = metrics
        self._forms = forms or {}
        self._news = asyncio.Event()
        self._open: Counter[str] = Counter()

    def wake(self) -> None:
        """Look at once. Call it on the loop, for instance after a commit with callbacks."""
        self._queue.wake()

    async def run(self) -> None:
        """Deliver until cancelled: whenever a slot is free, what is due takes it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._queue.run(self._news.set))
            while True:
                self._news.clear()
                try:
                    rows = await self._take()
                except OperatingError as error:
                    _log.warning("callbacks_paused", code=error.code)
                    rows = []
                for row in rows:
                    tasks.create_task(self._deliver(row))
                if not rows:
                    await self._news.wait()

    async def deliver_due(self) -> int:
        """One round: what is due now and finds a slot. How many were tried."""
        rows = await self._take()
        async with asyncio.TaskGroup() as tasks:
            for row in rows:
                tasks.create_task(self._deliver(row))
        return len(rows)

    async def _take(self) -> list[Row]:
        if self._open.total() >= CALLBACKS_AT_ONCE_MAX:
            return []
        rows = await self._queue.take(self._open)
        self._open.update(row["merchant_id"] for row in rows)
        return rows

    async def _deliver(self, row: Row) -> None:
        try:
            await self._send(row)
        finally:
            self._open[row["merchant_id"]] -= 1
            self._open += Counter()  # forgets who has none
            self._news.set()

    async def _send(self, row: Row) -> None:
        began = time.perf_counter()
        tried = await self._try(row)
        self._metrics.flows.note(
            Flow.CALLBACK,
            Outcome.FAILED if tried.error else Outcome.DONE,
            took_ms=(time.perf_counter() - began) * SECOND_MS,
            at_ms=self._clock.now_ms(),
        )
        try:
            await self._note(row["callback_id"], tried)
        except OperatingError as failure:
            # Not noted: the lease runs out and it is sent again.
            _log.warning("callback_not_noted", callback_id=row["callback_id"], code=failure.code)

    async def _try(self, row: Row) -> Tried:
        try:
            return await self._dressed_and_sent(row)
        except TillwayError as error:
            return Tried(error.code)
        except Exception as error:  # noqa: BLE001  # outermost: one callback
            _log.exception("callback_bug", callback_id=row["callback_id"])
            return Tried(type(error).__name__)

    async def _dressed_and_sent(self, row: Row) -> Tried:
        form = self._forms.get(row["form"])
        if form is None:
            body, headers = self._own_form(row)
            return await self._sender.send(row["url"], body, headers)
        body, headers = await form.dress(row)
        is_taken = partial(form.is_taken, row)
        return await self._sender.send(row["url"], body, headers, is_taken=is_taken)

    def _own_form(self, row: Row) -> tuple[bytes, dict[str, str]]:
        body = row["body"].encode()
        nonce = self._entropy.token_bytes(CALLBACK_NONCE_BYTES).hex()
        proof = signed_headers(body, key=self._key, now_ms=self._clock.now_ms(), nonce=nonce)
        return body, {"Content-Type": "application/json", **proof}

    async def _note(self, callback_id: str, tried: Tried) -> None:
        if not tried.error:
            await self._queue.note_delivered(callback_id, tried)
            self._metrics.count_callback("delivered")
            return
        state = await self._queue.note_failed(callback_id, tried)
        self._metrics.count_callback("dead" if state == "dead" else "failed")
        _log.warning("callback_failed", callback_id=callback_id, error=tried.error, state=state)
