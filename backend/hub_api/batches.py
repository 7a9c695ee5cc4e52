"""Taking a hub's batch in: verify beside the loop, submit all commands together, answer together.

Overload is refused before any work: a bounded number of batches is open at a time, and fewer for
one hub, so that one busy store cannot starve the others.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog

from backend.clock import ahead_ms
from backend.db.command import Command, Outcome
from backend.devices.directory import Directory, KnownKey
from backend.devices.model import DeviceRow
from backend.hub_api.flow import flow_of, outcome_of
from backend.hub_api.guard import Guarded
from backend.hub_api.ingest import (
    Dispatcher,
    Opened,
    answer_to,
    check_items,
    open_items,
    request_of,
)
from backend.hub_api.limits import (
    BATCHES_OPEN_MAX,
    BATCHES_OPEN_PER_HUB_MAX,
    VERIFY_CHUNK_ITEMS_MIN,
)
from backend.observability.metrics import Metrics
from backend.workers import Aside
from protocol import batch as batches
from protocol import cbor
from protocol.answers import Answer, seal_group
from protocol.batch import SealedBatch
from protocol.clock import SECOND_MS, Clock
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError, OperatingError, TillwayError
from transport.logs import traced

_log = structlog.get_logger()
SubmitAll = Callable[[Sequence[Command]], Awaitable[list[Outcome]]]


class BatchDesk:
    """Answers batches. One per process; owned by the event loop."""

    def __init__(
        self,
        *,
        directory: Directory,
        submit_all: SubmitAll,
        dispatcher: Dispatcher,
        signing_key: SigningKey,
        clock: Clock,
        aside: Aside,
        verify_threads: int,
        metrics: Metrics,
    ) -> None:
        self._directory = directory
        self._submit_all = submit_all
        self._dispatcher = dispatcher
        self._signing_key = signing_key
        self._clock = clock
        self._aside = aside  # libcrypto lets the interpreter go while it counts
        self._verify_threads = verify_threads
        self._metrics = metrics
        self._open: Counter[str] = Counter()

    async def answer(self, hub: DeviceRow, data: bytes) -> bytes:
        """The signed answers to a batch, in the order of its items, as one CBOR list.

        ``hub`` is whom the connection belongs to, as the registry has it now. Raises
        ``CallerError`` or ``OperatingError`` when the batch as a whole is refused: then nothing of
        it was carried out.
        """
        try:
            with self._admitted(hub.tid), self._metrics.batch_seconds.time():
                answers = await self._answer(hub, data)
        except TillwayError as error:
            self._metrics.count_batch(error.code)
            raise
        self._metrics.count_batch("done")
        return answers

    async def _answer(self, row: DeviceRow, data: bytes) -> bytes:
        hub, now_ms = row.tid, self._clock.now_ms()
        sealed, opened = await self._aside(_open, data)
        if sealed.batch.hub != hub:
            raise CallerError("identity_mismatch", "batch")
        kid = sealed.sign1.kid
        keys = await self._directory.keys(
            [kid, *(one.sealed.sign1.kid for one in opened if one.sealed)]
        )
        hub_key = keys.get(kid)
        if hub_key is None or not row.is_good(kid, now_ms=now_ms):
            raise CallerError("signature_invalid", "hub")
        self._metrics.batch_items.observe(len(opened))
        with traced(hub=hub, batch_id=sealed.batch.batch_id):
            errors = await self._check(sealed, hub_key, opened, keys)
            outcomes = await self._carry_out(hub, opened, errors)
        now_ms = self._clock.now_ms()
        answers = [
            answer_to(one, "", outcome, now_ms=now_ms)
            for one, outcome in zip(opened, outcomes, strict=True)
        ]
        return await self._aside(_seal, answers, self._signing_key)

    async def _check(
        self,
        sealed: SealedBatch,
        hub_key: KnownKey,
        opened: Sequence[Opened],
        keys: Mapping[bytes, KnownKey],
    ) -> list[TillwayError | None]:
        """Verify the batch and all its items, a large batch in as many chunks as there are threads.
        Raises ``CallerError`` unless the hub signed it."""
        # The hub's times are of a clock that nobody put forward.
        now_ms = self._clock.now_ms() - ahead_ms(self._clock)
        chunks = min(self._verify_threads, max(1, len(opened) // VERIFY_CHUNK_ITEMS_MIN))
        size = -(-len(opened) // chunks)
        first = self._aside(_believe, sealed, hub_key, opened[:size], keys, now_ms)
        others = [
            self._aside(_check_chunk, opened[start : start + size], keys, now_ms)
            for start in range(size, len(opened), size)
        ]
        checked = await asyncio.gather(first, *others)
        return [error for chunk in checked for error in chunk]

    async def _carry_out(
        self, hub: str, opened: Sequence[Opened], errors: Sequence[TillwayError | None]
    ) -> list[Any]:
        """Submit what passed, all at once, and return ``(type, body)`` or an error for each."""
        merchants = await self._directory.merchants(
            one.envelope.store for one in opened if one.envelope
        )
        asked = [
            error or self._asked(hub, one, merchants)
            for one, error in zip(opened, errors, strict=True)
        ]
        began = time.perf_counter()
        carried = iter(await self._carried([one for one in asked if isinstance(one, Guarded)]))
        outcomes = [next(carried) if isinstance(one, Guarded) else one for one in asked]
        took_ms = (time.perf_counter() - began) * SECOND_MS
        for one, error, outcome in zip(opened, errors, outcomes, strict=True):
            self._count(one, outcome)
            if error is None:
                self._note_flow(one, outcome, took_ms)
        refused = sum(isinstance(outcome, TillwayError) for outcome in outcomes)
        _log.info("batch_answered", items=len(opened), refused=refused)
        return outcomes

    def _asked(self, hub: str, opened: Opened, merchants: dict[str, str]) -> Guarded | TillwayError:
        """What an item asks for, or why it cannot be asked."""
        try:
            return self._command(hub, opened, merchants)
        except TillwayError as refused:
            return refused
        except Exception:  # noqa: BLE001  # one item's outermost boundary: the others are answered
            _log.exception("request_bug")
            return OperatingError("internal")

    async def _carried(self, commands: Sequence[Guarded]) -> list[Any]:
        """``(type, body)`` or an error for each; *busy* for all where the writer has no room."""
        try:
            outcomes = await self._submit_all(commands)
        except OperatingError as busy:
            return [busy] * len(commands)
        return [result if error is None else error for result, error in outcomes]

    def _note_flow(self, opened: Opened, outcome: object, took_ms: float) -> None:
        asked = opened.envelope
        flow = flow_of(asked.message_type, asked.body) if asked else None
        if flow is not None:
            at_ms = self._clock.now_ms()
            self._metrics.flows.note(flow, outcome_of(outcome), took_ms=took_ms, at_ms=at_ms)

    def _command(self, hub: str, opened: Opened, merchants: dict[str, str]) -> Guarded:
        assert opened.sealed is not None
        envelope = opened.sealed.envelope
        merchant = merchants.get(envelope.store)
        if merchant is None:
            raise CallerError("store_unknown")
        received_at_ms = opened.item.received_at_ms + ahead_ms(self._clock)
        request = request_of(envelope, merchant, received_at_ms)
        make = self._dispatcher.get(request.message_type)
        if make is None:
            raise CallerError("message_type_unknown")
        return Guarded(make(request), request, opened.sealed.sign1.kid, hub)

    def _count(self, opened: Opened, outcome: object) -> None:
        asked = opened.envelope
        code = outcome.code if isinstance(outcome, TillwayError) else "done"
        self._metrics.count_request(asked.message_type if asked else "unknown", code)
        if isinstance(outcome, TillwayError):
            _log.info(
                "device_request_refused",
                code=code,
                detail=outcome.detail,
                device=asked.device if asked else None,
                request_id=asked.request_id if asked else None,
                trace_id=asked.trace_id if asked else None,
            )

    @contextmanager
    def _admitted(self, hub: str) -> Iterator[None]:
        if self._open.total() >= BATCHES_OPEN_MAX or self._open[hub] >= BATCHES_OPEN_PER_HUB_MAX:
            raise OperatingError("busy")
        self._open[hub] += 1
        self._metrics.batches_open.inc()
        try:
            yield
        finally:
            self._metrics.batches_open.dec()
            self._open[hub] -= 1
            if not self._open[hub]:
                del self._open[hub]


def _open(data: bytes) -> tuple[SealedBatch, list[Opened]]:
    """The batch and its items, taken apart and not believed."""
    sealed = batches.unseal(data)
    return sealed, open_items(sealed.batch)


def _believe(
    sealed: SealedBatch,
    hub_key: KnownKey,
    chunk: Sequence[Opened],
    keys: Mapping[bytes, KnownKey],
    now_ms: int,
) -> list[TillwayError | None]:
    """Check the first items of a batch, once the hub's signature holds."""
    sealed.verify(hub_key.verify_key)
    return _check_chunk(chunk, keys, now_ms)


def _check_chunk(
    chunk: Sequence[Opened], keys: Mapping[bytes, KnownKey], now_ms: int
) -> list[TillwayError | None]:
    return check_items(chunk, keys, now_ms=now_ms)


def _seal(answers: Sequence[Answer], key: SigningKey) -> bytes:
    return cbor.encode(seal_group(answers, key))
