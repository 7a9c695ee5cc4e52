"""What the pages about callbacks show and do, without HTTP.

Rule: whose callback it is, is decided here once: another merchant's is not found.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from backend.audit.model import ActKind
from backend.audit.service import Audited, Watch
from backend.console.limits import ROWS_PER_PAGE
from backend.console.model import Person
from backend.db.tables import Row
from backend.notify.dead_letters import DeadLetters, replays_of
from backend.notify.model import CallbackFilter, Place
from backend.notify.repository import CallbackRepository
from backend.notify.states import OPEN_STATES, CallbackState
from backend.notify.tables import CALLBACK
from backend.payments.services import Services
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackStory:
    """A callback and all of its tries, the latest first. Nothing in it is secret."""

    row: Row
    body: dict[str, Any]
    attempts: list[Row]
    """``outcome`` is ``delivered``, ``failed`` or ``replayed``."""

    @property
    def next_try_ms(self) -> int | None:
        """When it is tried next; None for one that is at its end."""
        return self.row["next_try_ms"] if self.row["state"] in OPEN_STATES else None

    @property
    def is_dead(self) -> bool:
        """Whether it was given up, and may be sent again."""
        return bool(self.row["state"] == CallbackState.DEAD)

    @property
    def text(self) -> str:
        """What it says, as people read JSON."""
        return json.dumps(self.body, ensure_ascii=False, indent=2)

    @property
    def payment_id(self) -> str:
        """The payment that it tells of; empty for other news."""
        return str(self.body.get("resource", {}).get("payment_id", ""))


class CallbacksDesk:
    """One per process. ``wake`` makes the deliverer look at once."""

    def __init__(
        self, services: Services, callbacks: CallbackRepository, wake: Callable[[], None]
    ) -> None:
        self._services = services
        self._callbacks = callbacks
        self._letters = DeadLetters(callbacks)
        self._wake = wake

    async def listed(self, wanted: CallbackFilter, after: str) -> list[Row]:
        """Callbacks, the latest first; one more than a page has."""
        place = Place.read(after) if after else None
        rows: list[Row] = await self._services.run_read(
            lambda: self._callbacks.listed(wanted, limit=ROWS_PER_PAGE + 1, after=place)
        )
        return rows

    async def story(self, person: Person, callback_id: str) -> CallbackStory:
        """A callback that this person may see; else ``callback_unknown``."""
        row = await self._services.run_read(lambda: self._letters.shown(callback_id))
        if person.scope not in (None, row["merchant_id"]):
            raise CallerError("callback_unknown", callback_id)
        return CallbackStory(row=row, body=row["body"], attempts=_attempts(row))

    async def replay(self, person: Person, callback_id: str) -> None:
        """Send one that was given up again; its history names who asked for it."""
        await self.story(person, callback_id)
        [command] = replays_of([callback_id], actor=person.actor)
        act = person.act(ActKind.LETTER, "replay", f"callback {callback_id}")
        watch = Watch(CALLBACK, callback_id, ("state", "failed_tries"))
        await self._services.submit(Audited(command=command, act=act, watch=watch))
        self._wake()


def host_of(url: str) -> str:
    """Where a callback goes, without the path, which may carry a merchant's own secret."""
    return urlsplit(url).hostname or "—"


def _attempts(row: Row) -> list[Row]:
    tries: list[Row] = row["tries"]
    if row["delivered_at_ms"] is None:
        return tries
    taken = {
        "outcome": "delivered",
        "at_ms": row["delivered_at_ms"],
        "status": row["answer_status"],
        "duration_ms": row["answer_ms"],
        "error": "",
        "actor": "",
    }
    return sorted([taken, *tries], key=lambda one: -int(one["at_ms"]))
