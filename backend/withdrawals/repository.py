"""Reading withdrawals outside commands. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.withdrawals.limits import ROWS_PER_LIST_MAX
from backend.withdrawals.tables import Withdrawal

_withdrawal = Withdrawal.__table__  # type: ignore[attr-defined]


class WithdrawalRepository:
    """Committed withdrawals. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def withdrawal(self, withdrawal_id: str) -> Row | None:
        """One withdrawal; None if there is none."""
        query = select(_withdrawal).where(_withdrawal.c.withdrawal_id == withdrawal_id)
        rows = self._reader.rows(query)
        return rows[0] if rows else None

    def of_payer(self, payer_id: str, limit: int = ROWS_PER_LIST_MAX) -> list[Row]:
        """A payer's withdrawals, the newest first."""
        query = (
            select(_withdrawal)
            .where(_withdrawal.c.payer_id == payer_id)
            .order_by(_withdrawal.c.created_at_ms.desc(), _withdrawal.c.withdrawal_id.desc())
            .limit(min(limit, ROWS_PER_LIST_MAX))
        )
        return self._reader.rows(query)
