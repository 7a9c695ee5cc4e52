"""Reading merchants' transfers. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchant_transfers.limits import EXPIRED_PER_SWEEP_MAX, ROWS_PER_LIST_MAX
from backend.merchant_transfers.model import TransferState
from backend.merchant_transfers.tables import MerchantTransfer

_transfer = MerchantTransfer.__table__  # type: ignore[attr-defined]


class TransferRepository:
    """Committed transfers. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def transfer(self, transfer_id: str) -> Row | None:
        """One transfer; None if there is none."""
        return self._reader.one(select(_transfer).where(_transfer.c.transfer_id == transfer_id))

    def of_receiver(self, payer_id: str) -> list[Row]:
        """A payer's transfers, the newest first."""
        query = (
            select(_transfer)
            .where(_transfer.c.receiver_id == payer_id)
            .order_by(_transfer.c.created_at_ms.desc(), _transfer.c.transfer_id.desc())
            .limit(ROWS_PER_LIST_MAX)
        )
        return self._reader.rows(query)

    def overdue(self, now_ms: int) -> list[str]:
        """Transfers whose day is over, the oldest first."""
        query = (
            select(_transfer.c.transfer_id)
            .where(
                _transfer.c.state == TransferState.WAITING.value,
                _transfer.c.expires_at_ms <= now_ms,
            )
            .order_by(_transfer.c.expires_at_ms)
            .limit(EXPIRED_PER_SWEEP_MAX)
        )
        return [row["transfer_id"] for row in self._reader.rows(query)]
