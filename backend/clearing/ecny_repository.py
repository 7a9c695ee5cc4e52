"""What moved in our e-CNY wallet on each day, and which days the reserve has not yet. SQL.

One account holds all days, so that its balance does not tell; the conversations with the operator
do, and the reserve's settlements.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from backend.channels.model import ECNY
from backend.clearing.model import settlement_transfer
from backend.db.reading import Reader
from backend.ledger.tables import LedgerTransfer
from backend.sagas.model import SagaKind, SagaState
from backend.sagas.tables import Saga

_SAGA = Saga.__table__  # type: ignore[attr-defined]
_TRANSFER = LedgerTransfer.__table__  # type: ignore[attr-defined]
_MOVED = [SagaState.SUCCEEDED.value, SagaState.SETTLED.value]


def unchanged_days(connection: Connection) -> list[str]:
    """Settlement dates on which more e-CNY came than went, and that the reserve has not."""
    days = {str(row[0]) for row in connection.execute(_all_days()) if row[0] is not None}
    transfers = {settlement_transfer(ECNY, day): day for day in days}
    changed = select(_TRANSFER.c.id).where(_TRANSFER.c.id.in_(transfers))
    open_days = days - {transfers[row[0]] for row in connection.execute(changed)}
    if not open_days:
        return []
    return sorted(row[0] for row in connection.execute(_nets(open_days)) if row[1] > 0)


class WalletBooks:
    """What the operator has told us, movement by movement."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def came_and_went(self, day: date) -> tuple[int, int]:
        """What was paid into our wallet on one of the operator's days, and what was given back."""
        amount, is_paid = _SAGA.c.amount_minor, _SAGA.c.kind == SagaKind.PAY.value
        query = select(
            func.coalesce(func.sum(case((is_paid, amount), else_=0)), 0).label("came"),
            func.coalesce(func.sum(case((is_paid, 0), else_=amount)), 0).label("went"),
        ).where(
            _SAGA.c.channel_id == ECNY,
            _SAGA.c.settlement_date == day.isoformat(),
            _SAGA.c.state.in_(_MOVED),
        )
        [row] = await self._reader.fetch(query)
        return int(row["came"]), int(row["went"])


def _all_days() -> Select[Any]:
    """Each date once, by the index: a step a date, however many payments it has."""
    date = _SAGA.c.settlement_date
    first = select(func.min(date).label("day")).where(_SAGA.c.channel_id == ECNY, date > "")
    days = first.cte("days", recursive=True)
    later = (
        select(func.min(date))
        .where(_SAGA.c.channel_id == ECNY, date > days.c.day)
        .correlate(days)
        .scalar_subquery()
    )
    days = days.union_all(select(later).where(days.c.day.is_not(None)))
    return select(days.c.day)


def _nets(days: Iterable[str]) -> Select[Any]:
    amount = _SAGA.c.amount_minor
    came = case((_SAGA.c.kind == SagaKind.PAY.value, amount), else_=-amount)
    return (
        select(_SAGA.c.settlement_date, func.sum(came))
        .where(
            _SAGA.c.channel_id == ECNY,
            _SAGA.c.settlement_date.in_(sorted(days)),
            _SAGA.c.state.in_(_MOVED),
        )
        .group_by(_SAGA.c.settlement_date)
    )
