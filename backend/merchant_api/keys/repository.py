"""Reading keys and accounts. Only this file of the room sees SQL."""

from typing import Any

from sqlalchemy import Select, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchant_api.keys.tables import ApiAccount, ApiCertificate, PlatformKey

_key = PlatformKey.__table__  # type: ignore[attr-defined]
_account = ApiAccount.__table__  # type: ignore[attr-defined]
_certificate = ApiCertificate.__table__  # type: ignore[attr-defined]


class KeyRepository:
    """Committed keys. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def platform_keys(self) -> list[Row]:
        """The platform's pairs, the oldest first."""
        return self._reader.rows(select(_key).order_by(_key.c.kind, _key.c.generation))

    def is_app(self, appid: str) -> bool:
        """Whether a merchant number has this app."""
        query = select(_account.c.mchid).where(_account.c.appid == appid).limit(1)
        return self._reader.one(query) is not None

    def account(self, mchid: str) -> tuple[Row, list[Row]] | None:
        """One merchant number and its certificates in use; None if there is none."""
        row = self._reader.one(select(_account).where(_account.c.mchid == mchid))
        if row is None:
            return None
        in_use = _certificate.c.retired_at_ms.is_(None)
        return row, self._reader.rows(_of_number(mchid).where(in_use))

    def certificates(self, mchid: str) -> list[Row]:
        """All that a merchant number ever had, the newest first."""
        return self._reader.rows(_of_number(mchid))

    def numbers(self, merchant_id: str) -> list[str]:
        """A merchant's numbers, the oldest first."""
        query = select(_account.c.mchid).where(_account.c.merchant_id == merchant_id)
        rows = self._reader.rows(query.order_by(_account.c.created_at_ms, _account.c.mchid))
        return [row["mchid"] for row in rows]


def _of_number(mchid: str) -> Select[Any]:
    newest = (_certificate.c.begins_at_ms.desc(), _certificate.c.serial)
    return select(_certificate).where(_certificate.c.mchid == mchid).order_by(*newest)
