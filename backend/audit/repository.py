"""Reading the audit log outside commands. Only repositories see SQL."""

from dataclasses import dataclass

from sqlalchemy import Select, select

from backend.audit.limits import ACTS_PER_READ
from backend.audit.model import FIRST_LINK, first_broken
from backend.audit.tables import AuditAct, AuditHead
from backend.db.reading import Reader
from backend.db.tables import Row

_act = AuditAct.__table__  # type: ignore[attr-defined]
_head = AuditHead.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActFilter:
    """Which acts are looked for; empty: any. ``merchant_id`` None: everybody's."""

    merchant_id: str | None = None
    kind: str = ""
    actor: str = ""
    subject: str = ""
    """Texts that actor and subject contain."""
    from_ms: int | None = None
    until_ms: int | None = None


class AuditRepository:
    """Committed acts. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def acts(self, wanted: ActFilter, *, before: int | None = None, limit: int) -> list[Row]:
        """The newest first, those with a number below ``before``."""
        query = _narrowed(select(_act), wanted)
        if before is not None:
            query = query.where(_act.c.number < before)
        return self._reader.rows(query.order_by(_act.c.number.desc()).limit(limit))

    def first_broken(self) -> int | None:
        """The number of the first act that is not what was written, or that is missing; None if
        the whole log holds. Ends: it reads no further than the log's end of when it began."""
        head = self._reader.one(select(_head))
        count, link = (head["count"], head["link"]) if head else (0, FIRST_LINK)
        number, previous = 1, FIRST_LINK
        while number <= count:
            last = min(number + ACTS_PER_READ - 1, count)
            rows = self._reader.rows(
                select(_act).where(_act.c.number.between(number, last)).order_by(_act.c.number)
            )
            broken = first_broken(rows, previous=previous, number=number)
            if broken is not None or len(rows) < last - number + 1:
                return broken or number + len(rows)
            number, previous = last + 1, rows[-1]["link"]
        return None if previous == link else count + 1


def _narrowed(query: Select[tuple[object, ...]], wanted: ActFilter) -> Select[tuple[object, ...]]:
    if wanted.merchant_id is not None:
        query = query.where(_act.c.merchant_id == wanted.merchant_id)
    if wanted.kind:
        query = query.where(_act.c.kind == wanted.kind)
    if wanted.actor:
        query = query.where(_act.c.actor.contains(wanted.actor, autoescape=True))
    if wanted.subject:
        query = query.where(_act.c.subject.contains(wanted.subject, autoescape=True))
    if wanted.from_ms is not None:
        query = query.where(_act.c.at_ms >= wanted.from_ms)
    if wanted.until_ms is not None:
        query = query.where(_act.c.at_ms < wanted.until_ms)
    return query
