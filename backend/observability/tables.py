"""How the flows went, minute by minute, of all processes together."""

from sqlmodel import Field

from backend.db.tables import INTEGER, TEXT, BackendTable, table_ref


class FlowMinute(BackendTable, table=True):
    """How many requests of one flow ended so, in one bucket of the histogram, within a minute. The
    place of a minute is taken again by the one a day later, so the table does not grow."""

    __tablename__ = "flow_minute"
    place: int = Field(primary_key=True, sa_type=INTEGER)
    """The minute modulo the minutes of a day."""
    flow: str = Field(primary_key=True, sa_type=TEXT)
    outcome: str = Field(primary_key=True, sa_type=TEXT)
    bucket: int = Field(primary_key=True, sa_type=INTEGER)
    minute: int = Field(sa_type=INTEGER)
    """Since 1970."""
    count: int = Field(sa_type=INTEGER)


FLOW_MINUTE = table_ref(FlowMinute)
