"""Dead letters for people: listed, looked at, sent again. The command line and HTTP do the same.

Rule 1: what is shown is masked as our logs are; what is sent is not.
Rule 2: a replay goes through the writer, and the callback's history names who asked for it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend.db.tables import Row
from backend.notify.limits import DEAD_LETTERS_PER_LIST_MAX, DEAD_LETTERS_PER_REPLAY_MAX
from backend.notify.model import DeadLetterFilter, Place
from backend.notify.repository import CallbackRepository
from backend.notify.service import ReplayCallback
from protocol.errors import CallerError
from transport.logs import redact


@dataclass(frozen=True, slots=True)
class Page:
    """Some dead letters, and where the next page begins; empty at the end."""

    rows: list[Row]
    after: str


class DeadLetters:
    """Blocking: call it on a reading thread."""

    def __init__(self, repository: CallbackRepository) -> None:
        self._repository = repository

    def page(
        self,
        wanted: DeadLetterFilter,
        *,
        limit: int = DEAD_LETTERS_PER_LIST_MAX,
        after: str = "",
    ) -> Page:
        """The dead letters from a place on, the last given up first."""
        place = Place.read(after) if after else None
        rows = self._repository.dead_letters(wanted, limit=limit, after=place)
        if len(rows) < limit:
            return Page(rows, "")
        return Page(rows, str(Place(rows[-1]["died_at_ms"], rows[-1]["callback_id"])))

    def shown(self, callback_id: str) -> dict[str, Any]:
        """One callback in whatever state, with its body and its history."""
        row = self._repository.callback(callback_id)
        if row is None:
            raise CallerError("callback_unknown", callback_id)
        body = redact(None, "", json.loads(row["body"]))
        return {**row, "body": body, "tries": self._repository.tries(callback_id)}

    def replays(self, wanted: DeadLetterFilter, *, actor: str) -> list[ReplayCallback]:
        """The commands that send the matching ones again, the last given up first; at most
        ``DEAD_LETTERS_PER_REPLAY_MAX``."""
        rows = self._repository.dead_letters(wanted, limit=DEAD_LETTERS_PER_REPLAY_MAX)
        return replays_of([row["callback_id"] for row in rows], actor=actor)

    def count(self, wanted: DeadLetterFilter) -> int:
        """How many there are."""
        return self._repository.dead_count(wanted)


def replays_of(callback_ids: Sequence[str], *, actor: str) -> list[ReplayCallback]:
    """The commands that send these again."""
    return [ReplayCallback(callback_id=one, actor=actor) for one in callback_ids]
