"""Filed accounts, and how they came to be."""

from sqlmodel import Field

from backend.db.tables import INTEGER, TEXT, BackendTable, table_ref


class Destination(BackendTable, table=True):
    """The one account of a holder that money may be paid to."""

    __tablename__ = "destination"
    kind: str = Field(primary_key=True, sa_type=TEXT)
    holder_id: str = Field(primary_key=True, sa_type=TEXT)
    account_no: str = Field(sa_type=TEXT)
    """Every answer and log shows ``****1234``."""
    account_name: str = Field(sa_type=TEXT)
    filed_at_ms: int = Field(sa_type=INTEGER)
    withdrawn_at_ms: int | None = Field(default=None, sa_type=INTEGER)
    filings: int = Field(sa_type=INTEGER)


class DestinationFiling(BackendTable, table=True):
    """One filing or withdrawal. Written once, never changed."""

    __tablename__ = "destination_filing"
    kind: str = Field(primary_key=True, sa_type=TEXT)
    holder_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    account_no: str = Field(sa_type=TEXT)
    account_name: str = Field(sa_type=TEXT)
    actor: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


DESTINATION = table_ref(Destination)
FILING = table_ref(DestinationFiling, lock=False)
