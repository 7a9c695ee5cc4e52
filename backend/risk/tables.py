"""What the risk rules remember."""

from sqlmodel import Field

from backend.db.tables import TEXT, BackendTable, table_ref


class RiskRecent(BackendTable, table=True):
    """When a payer's latest attempts were made: a bounded list, oldest first, as JSON."""

    __tablename__ = "risk_recent"
    payer_id: str = Field(primary_key=True, sa_type=TEXT)
    attempts_ms: str = Field(sa_type=TEXT)


RECENT = table_ref(RiskRecent)
