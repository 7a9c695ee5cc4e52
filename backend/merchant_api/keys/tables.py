"""The platform's pairs, and who may call: one account per merchant number."""

from typing import Any

from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class PlatformKey(BackendTable, table=True):
    """A pair that answers and callbacks are signed with, one generation after another."""

    __tablename__ = "merchant_api_platform_key"
    __table_args__: Any = STORAGE
    kind: str = Field(primary_key=True, sa_type=TEXT)
    """``certificate``, ``public_key`` or ``sm2_certificate``."""
    generation: int = Field(primary_key=True, sa_type=INTEGER)
    serial: str = Field(sa_type=TEXT)
    """The certificate's serial, 40 hex digits, or ``PUB_KEY_ID_`` and digits."""
    public_pem: str = Field(sa_type=TEXT)
    """The certificate, or the public key."""
    private_sealed: bytes = Field(sa_type=BYTES)
    signs_from_ms: int = Field(sa_type=INTEGER)
    """Shown before, so that merchants have it when it begins."""
    ends_at_ms: int = Field(sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)


class ApiAccount(BackendTable, table=True):
    """A merchant number: whose it is, and how its calls are proven."""

    __tablename__ = "merchant_api_account"
    __table_args__: Any = STORAGE
    mchid: str = Field(primary_key=True, sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    appid: str = Field(sa_type=TEXT)
    api_v3_sealed: bytes = Field(sa_type=BYTES)
    api_v2_sealed: bytes = Field(sa_type=BYTES)
    key_mode: str = Field(sa_type=TEXT)
    """Which of the platform's pairs signs its callbacks: ``certificate`` or ``public_key``."""
    suite: str = Field(default="rsa", sa_type=TEXT)
    """``rsa`` or ``sm2``."""
    created_at_ms: int = Field(sa_type=INTEGER)
    certificate_count: int = Field(default=1, sa_type=INTEGER)
    """How many it has in use: the last is not retired."""


class ApiCertificate(BackendTable, table=True):
    """One of a merchant number's API certificates."""

    __tablename__ = "merchant_api_certificate"
    __table_args__: Any = STORAGE
    mchid: str = Field(primary_key=True, sa_type=TEXT)
    serial: str = Field(primary_key=True, sa_type=TEXT)
    certificate: str = Field(sa_type=TEXT)
    """PEM."""
    begins_at_ms: int = Field(sa_type=INTEGER)
    ends_at_ms: int = Field(sa_type=INTEGER)
    """By the machine's clock, as what stands in it."""
    retired_at_ms: int | None = Field(default=None, sa_type=INTEGER)
    """NULL: in use."""


PLATFORM_KEY = table_ref(PlatformKey, lock=False)
ACCOUNT = table_ref(ApiAccount)
API_CERTIFICATE = table_ref(ApiCertificate)
