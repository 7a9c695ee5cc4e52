"""Under which names payers have made themselves known to merchants' apps."""

from typing import Any

from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class OpenId(BackendTable, table=True):
    """A payer's name to one app. Written once, when the payer's app tells it."""

    __tablename__ = "merchant_api_openid"
    __table_args__: Any = STORAGE
    openid: str = Field(primary_key=True, sa_type=TEXT)
    appid: str = Field(sa_type=TEXT)
    payer_id: str = Field(sa_type=TEXT)
    created_at_ms: int = Field(sa_type=INTEGER)


OPENID = table_ref(OpenId, lock=False)
