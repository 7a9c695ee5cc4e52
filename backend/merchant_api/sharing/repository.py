"""Who receivers are. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.merchant_api.keys.tables import ApiAccount
from backend.merchant_api.payers.tables import OpenId
from backend.merchants.tables import Merchant
from backend.wallet.tables import Payer

_account = ApiAccount.__table__  # type: ignore[attr-defined]
_openid = OpenId.__table__  # type: ignore[attr-defined]
_merchant = Merchant.__table__  # type: ignore[attr-defined]
_payer = Payer.__table__  # type: ignore[attr-defined]


class ReceiverRepository:
    """Merchants and payers behind their names. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def merchant(self, mchid: str) -> tuple[str, str] | None:
        """The id and the name of a merchant number's merchant."""
        query = (
            select(_merchant.c.merchant_id, _merchant.c.name)
            .join(_account, _account.c.merchant_id == _merchant.c.merchant_id)
            .where(_account.c.mchid == mchid)
        )
        row = self._reader.one(query)
        return None if row is None else (row["merchant_id"], row["name"])

    def payer(self, appid: str, openid: str) -> tuple[str, str] | None:
        """The id and the name of the payer whom an app knows so."""
        query = (
            select(_payer.c.payer_id, _payer.c.name)
            .join(_openid, _openid.c.payer_id == _payer.c.payer_id)
            .where(_openid.c.openid == openid, _openid.c.appid == appid)
        )
        row = self._reader.one(query)
        return None if row is None else (row["payer_id"], row["name"])
