"""RabbitMQ before the deliverer: a relay puts committed callbacks in, a consumer takes them out.

Rule 1: the outbox is the truth. A message is a ticket that names a callback; the callback's body
        never leaves the database but to its merchant, and a ticket is used by a claim there.
Rule 2: a callback is *queued* only after the broker's confirm. Killed in between, the relay puts
        it in again under the same message id, and the second ticket finds the callback claimed.
Rule 3: a message is acknowledged after its outcome is committed here. A lost message costs time,
        never a callback: the broker's promise runs out and the relay puts it in again.
Rule 4: whatever is wrong with the broker, the link is begun anew, and nobody waits for it but
        callbacks.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from aio_pika.abc import AbstractIncomingMessage

from backend.db.command import Command
from backend.db.ports import RunRead, Submit
from backend.db.tables import Row
from backend.notify.limits import (
    CALLBACK_GAPS_MS,
    CALLBACK_POLL_MS,
    CALLBACKS_PER_CLAIM_MAX,
    QUEUE_AGAIN_S,
    QUEUE_WAITING_PER_MERCHANT_MAX,
)
from backend.notify.model import Tried, fitting
from backend.notify.rabbit_link import (
    LINK_ERRORS,
    Link,
    Waiting,
    acknowledge,
    bury,
    give_back,
    linked,
)
from backend.notify.rabbit_topology import WORK, Topology
from backend.notify.repository import CallbackRepository
from backend.notify.service import (
    ClaimQueued,
    HandBack,
    NoteDelivered,
    NoteFailed,
    NoteQueued,
    Ticket,
)
from backend.notify.states import CallbackState
from backend.observability.metrics import Metrics
from backend.pause import Pause
from protocol.clock import Clock
from protocol.errors import OperatingError

_log = structlog.get_logger()


class RabbitQueue:
    """A ``CallbackQueue``. Several may share a broker and a database: each relays and consumes."""

    def __init__(
        self,
        url: str,
        *,
        submit: Submit,
        run_read: RunRead,
        repository: CallbackRepository,
        clock: Clock,
        metrics: Metrics,
        prefix: str = "tillway",
        gaps_ms: Sequence[int] = CALLBACK_GAPS_MS,
    ) -> None:
        self._url = url
        self._submit = submit
        self._run_read = run_read
        self._repository = repository
        self._clock = clock
        self._metrics = metrics
        self._gaps_ms = gaps_ms
        self._topology = Topology(prefix, gaps_ms)
        self._pause = Pause()
        self._link: Link | None = None
        self._tried: dict[str, AbstractIncomingMessage] = {}

    async def run(self, ready: Callable[[], None]) -> None:
        def changed() -> None:
            self._pause.wake()
            ready()

        while True:
            try:
                async with linked(self._url, self._topology, changed) as link:
                    await self._serve(link, ready)
            except LINK_ERRORS as error:
                _log.warning("callback_queue_away", error=type(error).__name__)
            finally:
                self._link = None
                self._metrics.queue_linked.set(0)
            await asyncio.sleep(QUEUE_AGAIN_S)

    def wake(self) -> None:
        self._pause.wake()

    async def take(self, being_tried: Mapping[str, int]) -> list[Row]:
        link = self._link
        while link is not None and not link.is_lost:
            merchants = [one.ticket.merchant_id for one in link.waiting]
            chosen = [link.waiting[place] for place in fitting(merchants, being_tried)]
            if not chosen:
                await self._hand_back(link)
                return []
            rows = await self._claim(link, chosen)
            if rows:
                return rows
        return []

    async def note_delivered(self, callback_id: str, tried: Tried) -> None:
        message = self._tried.pop(callback_id, None)
        await self._commit(NoteDelivered(callback_id=callback_id, tried=tried), message)
        await acknowledge(message)

    async def note_failed(self, callback_id: str, tried: Tried) -> str:
        message = self._tried.pop(callback_id, None)
        note = NoteFailed(callback_id=callback_id, tried=tried, gaps_ms=self._gaps_ms)
        row: Row = await self._commit(note, message)
        if row["state"] == CallbackState.DEAD:
            await bury(message)
        else:
            await self._put_aside(row)
            await acknowledge(message)
        return str(row["state"])

    async def _serve(self, link: Link, ready: Callable[[], None]) -> None:
        """Relay until the link is lost: what is due goes in, a full round after a full round."""
        _log.info("callback_queue_linked")
        self._link = link
        self._metrics.queue_linked.set(1)
        while not link.is_lost:
            try:
                count = await self._relay(link)
            except OperatingError as error:
                _log.warning("callback_relay_paused", code=error.code)
                count = 0
            ready()
            if count < CALLBACKS_PER_CLAIM_MAX and not link.is_lost:
                await self._pause.sleep(CALLBACK_POLL_MS / 1000)

    async def _relay(self, link: Link) -> int:
        """Put in what is due, and note what the broker has confirmed. How many were due."""
        places = QUEUE_WAITING_PER_MERCHANT_MAX
        crowd = [one for one, count in _waiting(link).items() if count >= places]
        due = await self._run_read(lambda: self._repository.due(self._clock.now_ms(), crowd))
        is_kept = await asyncio.gather(*(link.publish(_ticket(row), WORK) for row in due))
        await self._note_queued([row for row, kept in zip(due, is_kept, strict=True) if kept])
        return len(due)

    async def _note_queued(self, rows: Sequence[Row]) -> None:
        if rows:
            confirmed = tuple((row["callback_id"], row["next_try_ms"]) for row in rows)
            await self._submit(NoteQueued(confirmed=confirmed))

    async def _claim(self, link: Link, chosen: Sequence[Waiting]) -> list[Row]:
        """Use these tickets; the rows of those that were good."""
        tickets = tuple(one.ticket for one in chosen)
        verdicts = await self._submit(ClaimQueued(tickets=tickets))
        rows = []
        for waiting, (verdict, row) in zip(chosen, verdicts, strict=True):
            link.waiting.remove(waiting)
            if verdict == "try":
                self._tried[waiting.ticket.callback_id] = waiting.message
                rows.append(row)
            elif verdict == "drop":
                await acknowledge(waiting.message)
            else:
                await bury(waiting.message)
        return rows

    async def _hand_back(self, link: Link) -> None:
        """Merchants whose servers hang keep few of the places here; their other tickets go back to
        the outbox for a while."""
        counts = _waiting(link)
        excess = []
        for waiting in reversed(link.waiting):
            if counts[waiting.ticket.merchant_id] > QUEUE_WAITING_PER_MERCHANT_MAX:
                counts[waiting.ticket.merchant_id] -= 1
                excess.append(waiting)
        if not excess:
            return
        await self._submit(HandBack(tickets=tuple(one.ticket for one in excess)))
        for waiting in excess:
            link.waiting.remove(waiting)
            await acknowledge(waiting.message)

    async def _put_aside(self, row: Row) -> None:
        """Let the broker keep a failed one for its gap. Where that fails the outbox does."""
        link = self._link
        if link is None or row["state"] != CallbackState.PENDING:
            return
        gap_ms = self._gaps_ms[row["failed_tries"] - 1]
        if await link.publish(_ticket(row), self._topology.retry(gap_ms)):
            try:
                await self._note_queued([row])
            except OperatingError as error:
                _log.warning("callback_relay_paused", code=error.code)

    async def _commit(self, note: Command, message: AbstractIncomingMessage | None) -> Any:  # noqa: ANN401
        try:
            return await self._submit(note)
        except OperatingError:
            await give_back(message)
            raise


def _ticket(row: Row) -> Ticket:
    return Ticket(row["callback_id"], row["merchant_id"], row["failed_tries"])


def _waiting(link: Link) -> Counter[str]:
    return Counter(one.ticket.merchant_id for one in link.waiting)
