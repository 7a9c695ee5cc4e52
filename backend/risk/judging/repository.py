"""Reading decisions. Only the room's repositories see SQL."""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import func, select, tuple_

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging.limits import (
    ATTEMPTS_NAMED_MAX,
    DECISIONS_COUNTED_TOGETHER,
    DECISIONS_PER_LOOKUP_MAX,
    DECISIONS_PER_PAGE_MAX,
    DECISIONS_PER_PAYMENT_MAX,
    PAYMENTS_PER_LOOKUP_MAX,
    VECTORS_READ_MAX,
)
from backend.risk.judging.records import FACT_COLUMNS, facts_of
from backend.risk.judging.scoring import ScoredPayment, doubles_from
from backend.risk.judging.tables import RiskDecision
from backend.risk.rules.language.fused import Fact

_decision = RiskDecision.__table__  # type: ignore[attr-defined]
DIGEST = PAYMENT.digest
SEEN_COLUMNS = {
    "payer": _decision.c.payer_id,
    "card": _decision.c.card,
    "merchant": _decision.c.merchant_id,
}
"""The entities whose first or latest event a feature asks for, however long ago it was; the index
of the times has their columns, too."""
_SCORES = ("model_id", "score", "challenger_id", "challenger_score")


class DecisionRepository:
    """Committed decisions. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def since(self, at_ms: int) -> Iterator[Row]:
        """All decisions from a time on, in the order in which they were made."""
        order = (_decision.c.at_ms, _decision.c.number, _decision.c.attempt_id)
        place = (at_ms, -1, "")
        while True:
            query = select(_decision).where(tuple_(*order) > tuple_(*place)).order_by(*order)
            rows = self._reader.rows(query.limit(DECISIONS_PER_PAGE_MAX))
            yield from rows
            if len(rows) < DECISIONS_PER_PAGE_MAX:
                return
            last = rows[-1]
            place = (last["at_ms"], last["number"], last["attempt_id"])

    def of_payments(self, payment_ids: Collection[str], *, before_ms: int) -> list[Row]:
        """The decisions of at most ``PAYMENTS_PER_LOOKUP_MAX`` payments before a time, the latest
        first, and no more than ``DECISIONS_PER_LOOKUP_MAX``."""
        query = select(_decision).where(_decision.c.payment_id.in_(payment_ids))
        query = query.where(_decision.c.at_ms < before_ms)
        query = query.order_by(_decision.c.at_ms.desc(), _decision.c.number.desc())
        return self._reader.rows(query.limit(DECISIONS_PER_LOOKUP_MAX))

    def seen_before(self, at_ms: int) -> Iterator[tuple[str, str, int, int]]:
        """Which entities were seen before a time: the kind, the name, and the first and the last
        time within a stretch; stretch by stretch, the oldest first."""
        at = _decision.c.at_ms
        begin_ms = 0
        while begin_ms < at_ms:
            far = select(at).where(at >= begin_ms, at < at_ms).order_by(at)
            end = self._reader.one(far.offset(DECISIONS_COUNTED_TOGETHER).limit(1))
            end_ms = at_ms if end is None else max(end["at_ms"], begin_ms + 1)
            for entity, column in SEEN_COLUMNS.items():
                query = (
                    select(column, func.min(at), func.max(at))
                    .where(at >= begin_ms, at < end_ms, column != "")
                    .group_by(column)
                )
                with self._reader.lasting() as connection:
                    for name, first_ms, last_ms in connection.execute(query):
                        yield entity, name, first_ms, last_ms
            begin_ms = end_ms

    def challenged(self, *, from_ms: int, until_ms: int) -> Iterator[ScoredPayment]:
        """What champion and challenger said of the attempts of a time, where both did."""
        order = (_decision.c.at_ms, _decision.c.number, _decision.c.attempt_id)
        names = ("attempt_id", "number", "payment_id", "at_ms", *_SCORES)
        place = (from_ms, -1, "")
        while True:
            query = (
                select(*(_decision.c[name] for name in names))
                .where(tuple_(*order) > tuple_(*place), _decision.c.at_ms < until_ms)
                .order_by(*order)
                .limit(DECISIONS_PER_PAGE_MAX)
            )
            rows = self._reader.rows(query)
            yield from (_scored(row) for row in rows if row["model_id"] and row["challenger_id"])
            if len(rows) < DECISIONS_PER_PAGE_MAX:
                return
            last = rows[-1]
            place = (last["at_ms"], last["number"], last["attempt_id"])

    def vectors(self, *, from_ms: int, until_ms: int) -> dict[str, bytes]:
        """The features, of the set that is in use, by which the attempts of a time were judged: for
        each payment those of its latest attempt, at most ``VECTORS_READ_MAX``, the latest."""
        order = (_decision.c.at_ms, _decision.c.number, _decision.c.attempt_id)
        names = ("attempt_id", "number", "at_ms", "payment_id", "vector")
        query = (
            select(*(_decision.c[name] for name in names))
            .where(_decision.c.feature_digest == DIGEST, _decision.c.at_ms >= from_ms)
            .where(_decision.c.vector != b"")
            .order_by(*(column.desc() for column in order))
            .limit(DECISIONS_PER_PAGE_MAX)
        )
        found: dict[str, bytes] = {}
        before: tuple[int, int, str] = (until_ms, -1, "")
        while len(found) < VECTORS_READ_MAX:
            rows = self._reader.rows(query.where(tuple_(*order) < tuple_(*before)))
            for row in rows:
                found.setdefault(row["payment_id"], bytes(row["vector"]))
            if len(rows) < DECISIONS_PER_PAGE_MAX:
                break
            before = (rows[-1]["at_ms"], rows[-1]["number"], rows[-1]["attempt_id"])
        return found

    def of_payment(self, payment_id: str) -> list[Row]:
        """A payment's decisions, the first first."""
        query = (
            select(_decision)
            .where(_decision.c.payment_id == payment_id)
            .order_by(_decision.c.at_ms, _decision.c.number)
        )
        return self._reader.rows(query.limit(DECISIONS_PER_PAYMENT_MAX))

    def facts_of(self, payment_ids: Sequence[str]) -> dict[str, dict[str, Fact]]:
        """What was known, besides the features, of the latest attempt of each of some payments that
        were judged."""
        found: dict[str, dict[str, Fact]] = {}
        for begin in range(0, len(payment_ids), PAYMENTS_PER_LOOKUP_MAX):
            named = payment_ids[begin : begin + PAYMENTS_PER_LOOKUP_MAX]
            query = (
                select(*(_decision.c[name] for name in FACT_COLUMNS))
                .where(_decision.c.payment_id.in_(named))
                .order_by(_decision.c.at_ms, _decision.c.number)
            )
            found |= {row["payment_id"]: facts_of(row) for row in self._reader.rows(query)}
        return found

    def attempts_of(self, payment_ids: Collection[str]) -> tuple[str, ...]:
        """The latest attempts of some payments that were judged."""
        query = (
            select(_decision.c.attempt_id)
            .where(_decision.c.payment_id.in_(payment_ids))
            .order_by(_decision.c.at_ms.desc(), _decision.c.number.desc())
        )
        rows = self._reader.rows(query.limit(ATTEMPTS_NAMED_MAX))
        return tuple(row["attempt_id"] for row in rows)


def _scored(row: Row) -> ScoredPayment:
    return ScoredPayment(
        payment_id=row["payment_id"],
        at_ms=row["at_ms"],
        champion_id=row["model_id"],
        challenger_id=row["challenger_id"],
        champion=doubles_from(row["score"])[0],
        challenger=doubles_from(row["challenger_score"])[0],
    )
