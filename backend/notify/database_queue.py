"""The queue that needs no broker: what is due in the outbox is looked up, again and again."""

from collections.abc import Callable, Mapping, Sequence

from backend.db.ports import RunRead, Submit
from backend.db.tables import Row
from backend.notify.limits import CALLBACK_GAPS_MS, CALLBACK_POLL_MS
from backend.notify.model import Tried, crowded, fitting
from backend.notify.repository import CallbackRepository
from backend.notify.service import ClaimCallbacks, NoteDelivered, NoteFailed
from backend.pause import Pause
from protocol.clock import Clock


class DatabaseQueue:
    """Keeps nothing that the outbox does not."""

    def __init__(
        self,
        *,
        submit: Submit,
        run_read: RunRead,
        repository: CallbackRepository,
        clock: Clock,
        gaps_ms: Sequence[int] = CALLBACK_GAPS_MS,
    ) -> None:
        self._submit = submit
        self._run_read = run_read
        self._repository = repository
        self._clock = clock
        self._gaps_ms = gaps_ms
        self._pause = Pause()

    async def run(self, ready: Callable[[], None]) -> None:
        while True:
            ready()
            await self._pause.sleep(CALLBACK_POLL_MS / 1000)

    def wake(self) -> None:
        self._pause.wake()

    async def take(self, being_tried: Mapping[str, int]) -> list[Row]:
        full = crowded(being_tried)
        due = await self._run_read(lambda: self._repository.due(self._clock.now_ms(), full))
        places = fitting([row["merchant_id"] for row in due], being_tried)
        ids = tuple(due[place]["callback_id"] for place in places)
        rows: list[Row] = await self._submit(ClaimCallbacks(callback_ids=ids)) if ids else []
        return rows

    async def note_delivered(self, callback_id: str, tried: Tried) -> None:
        await self._submit(NoteDelivered(callback_id=callback_id, tried=tried))

    async def note_failed(self, callback_id: str, tried: Tried) -> str:
        note = NoteFailed(callback_id=callback_id, tried=tried, gaps_ms=self._gaps_ms)
        row: Row = await self._submit(note)
        return str(row["state"])
