"""Enrolment codes. Only their digests are kept."""

from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, TEXT, BackendTable, table_ref


class EnrolmentCodeRow(BackendTable, table=True):
    """One code for one machine: single use, expiring, with few tries."""

    __tablename__ = "enrolment_code"
    code_id: str = Field(primary_key=True, sa_type=TEXT)
    digest: bytes = Field(sa_type=BYTES)
    tid: str = Field(sa_type=TEXT)
    kind: str = Field(sa_type=TEXT)
    store: str = Field(sa_type=TEXT)
    names: str = Field(sa_type=TEXT)
    """JSON list of host names, for a hub's certificate."""
    hub_urls: str = Field(sa_type=TEXT)
    """JSON list: where the machine finds its hub."""
    issued_by: str = Field(sa_type=TEXT)
    issued_at_ms: int = Field(sa_type=INTEGER)
    expires_at_ms: int = Field(sa_type=INTEGER)
    attempts_left: int = Field(sa_type=INTEGER)
    used_by: bytes | None = Field(default=None, sa_type=BYTES)
    used_at_ms: int | None = Field(default=None, sa_type=INTEGER)


ENROLMENT_CODE = table_ref(EnrolmentCodeRow)
