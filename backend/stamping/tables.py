"""The stamps' table, append-only."""

from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, TEXT, BackendTable, table_ref


class TimeStamp(BackendTable, table=True):
    """A token over what a subject says: the first that was had for it."""

    __tablename__ = "time_stamp"
    subject: str = Field(primary_key=True, sa_type=TEXT)
    """``ledger/<chain>/<size>`` for a checkpoint."""
    digest: bytes = Field(sa_type=BYTES)
    """SHA-256 of the subject's own bytes."""
    token: bytes = Field(sa_type=BYTES)
    kept_at_ms: int = Field(sa_type=INTEGER)


TIME_STAMP = table_ref(TimeStamp, lock=False)
