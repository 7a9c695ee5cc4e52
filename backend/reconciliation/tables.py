"""What reconciliations found. A run is never changed; a repetition is a run of its own."""

from sqlmodel import Field

from backend.db.tables import INTEGER, TEXT, BackendTable, table_ref


class ReconciliationRun(BackendTable, table=True):
    """One comparison of one business day."""

    __tablename__ = "reconciliation_run"
    business_date: str = Field(primary_key=True, sa_type=TEXT)
    run: int = Field(primary_key=True, sa_type=INTEGER)
    booked_on: str = Field(sa_type=TEXT)
    matched: int = Field(sa_type=INTEGER)
    breaks: int = Field(sa_type=INTEGER)
    at_ms: int = Field(sa_type=INTEGER)


class ReconciliationBreak(BackendTable, table=True):
    """One difference that a run found."""

    __tablename__ = "reconciliation_break"
    business_date: str = Field(primary_key=True, sa_type=TEXT)
    run: int = Field(primary_key=True, sa_type=INTEGER)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    kind: str = Field(sa_type=TEXT)
    source: str = Field(sa_type=TEXT)
    reference: str = Field(sa_type=TEXT)
    ours_minor: int | None = Field(default=None, sa_type=INTEGER)
    theirs_minor: int | None = Field(default=None, sa_type=INTEGER)


class ReconciliationDay(BackendTable, table=True):
    """How many runs a day has had."""

    __tablename__ = "reconciliation_day"
    business_date: str = Field(primary_key=True, sa_type=TEXT)
    runs: int = Field(sa_type=INTEGER)


RUN = table_ref(ReconciliationRun, lock=False)
BREAK = table_ref(ReconciliationBreak, lock=False)
DAY = table_ref(ReconciliationDay)
