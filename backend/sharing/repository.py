"""Reading shares outside commands. Only this file of the room sees SQL."""

from sqlalchemy import and_, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.ledger.tables import LedgerAccount
from backend.sharing.limits import RECEIVERS_PER_ROUND_MAX, ROUNDS_MAX, SWEPT_ROWS_MAX
from backend.sharing.model import ShareState
from backend.sharing.tables import Share, SharedPayment, ShareReturn, ShareRound

_shared = SharedPayment.__table__  # type: ignore[attr-defined]
_round = ShareRound.__table__  # type: ignore[attr-defined]
_share = Share.__table__  # type: ignore[attr-defined]
_return = ShareReturn.__table__  # type: ignore[attr-defined]
_account = LedgerAccount.__table__  # type: ignore[attr-defined]

Waiting = tuple[tuple[str, str], str, int]
"""A share that is pending: its round's key and id, and its number."""


class SharingRepository:
    """Committed shares. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def shared(self, payment_id: str) -> Row | None:
        """A payment that is shared."""
        return self._reader.one(select(_shared).where(_shared.c.payment_id == payment_id))

    def left_minor(self, account_id: str) -> int:
        """What is frozen and held for nobody."""
        row = self._reader.one(select(_account).where(_account.c.id == account_id))
        if row is None:
            return 0
        left: int = row["credits_posted"] - row["debits_posted"] - row["debits_pending"]
        return left

    def round(self, owner: str, out_order_no: str) -> Row | None:
        """A round by its merchant's number."""
        query = select(_round).where(_round.c.owner == owner, _round.c.out_order_no == out_order_no)
        return self._reader.one(query)

    def round_of_id(self, owner: str, round_id: str) -> Row | None:
        """A round by the platform's number, if it is this merchant's."""
        query = select(_round).where(_round.c.round_id == round_id, _round.c.owner == owner)
        return self._reader.one(query)

    def shares(self, round_id: str) -> list[Row]:
        """A round's shares, in order."""
        query = select(_share).where(_share.c.round_id == round_id)
        return self._reader.rows(query.order_by(_share.c.number))

    def returned(self, owner: str, out_return_no: str) -> Row | None:
        """What came back, by its number."""
        query = select(_return).where(
            _return.c.owner == owner, _return.c.out_return_no == out_return_no
        )
        return self._reader.one(query)

    def due(self, now_ms: int) -> list[tuple[str, int, tuple[Waiting, ...]]]:
        """Payments that the clock should look at, each with how many rounds it had before its
        pending shares were read, and those."""
        query = (
            select(_shared.c.payment_id, _shared.c.round_count)
            .where(_shared.c.due_at_ms <= now_ms)
            .order_by(_shared.c.due_at_ms)
            .limit(SWEPT_ROWS_MAX)
        )
        return [
            (row["payment_id"], row["round_count"], self._waiting(row["payment_id"]))
            for row in self._reader.rows(query)
        ]

    def _waiting(self, payment_id: str) -> tuple[Waiting, ...]:
        columns = (_round.c.owner, _round.c.out_order_no, _share.c.round_id, _share.c.number)
        query = (
            select(*columns)
            .join(_round, and_(_round.c.round_id == _share.c.round_id))
            .where(_share.c.payment_id == payment_id, _share.c.state == ShareState.PENDING.value)
            .order_by(_share.c.round_id, _share.c.number)
            .limit(ROUNDS_MAX * RECEIVERS_PER_ROUND_MAX)
        )
        return tuple(
            ((row["owner"], row["out_order_no"]), row["round_id"], row["number"])
            for row in self._reader.rows(query)
        )
