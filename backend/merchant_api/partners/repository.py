"""Reading appointments. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchant_api.keys.tables import ApiAccount
from backend.merchant_api.partners.tables import Binding

_binding = Binding.__table__  # type: ignore[attr-defined]
_account = ApiAccount.__table__  # type: ignore[attr-defined]


class PartnerRepository:
    """Committed appointments. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def merchant_of(self, sp_mchid: str, sub_mchid: str) -> Row | None:
        """The merchant number's merchant and app, if this service provider may act for it."""
        query = (
            select(_account.c.merchant_id, _account.c.appid)
            .join(_binding, _binding.c.sub_mchid == _account.c.mchid)
            .where(
                _binding.c.sp_mchid == sp_mchid,
                _binding.c.sub_mchid == sub_mchid,
                _binding.c.is_on == 1,
            )
        )
        return self._reader.one(query)
