"""Reading transfers of merchants' programs. Only this file of the room sees SQL."""

from sqlalchemy import ColumnElement, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchant_api.transfers.tables import ApiTransfer
from backend.merchant_transfers.repository import TransferRepository

_said = ApiTransfer.__table__  # type: ignore[attr-defined]
Found = tuple[Row, Row]
"""What the merchant said, and the transfer."""


class ApiTransferRepository:
    """Committed transfers. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._transfers = TransferRepository(reader)

    def of_number(self, mchid: str, out_bill_no: str) -> Found | None:
        """By the merchant's number."""
        return self._found(_said.c.mchid == mchid, _said.c.out_bill_no == out_bill_no)

    def of_bill(self, mchid: str, number: str) -> Found | None:
        """By the platform's number, if it is this merchant's."""
        return self._found(_said.c.mchid == mchid, _said.c.number == number)

    def of_transfer(self, transfer_id: str) -> Found | None:
        """By our id."""
        return self._found(_said.c.transfer_id == transfer_id)

    def _found(self, *conditions: ColumnElement[bool]) -> Found | None:
        said = self._reader.one(select(_said).where(*conditions))
        if said is None:
            return None
        transfer = self._transfers.transfer(said["transfer_id"])
        assert transfer is not None, "written with what the merchant said"
        return said, transfer
