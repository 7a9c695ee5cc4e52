"""What the risk rules remember."""

from sqlmodel import Field

from backend.db.tables import INTEGER, TEXT, BackendTable, table_ref


class RiskBlock(BackendTable, table=True):
    """A payer on the block list, why, and until when (0: until taken off)."""

    __tablename__ = "risk_block"
    payer_id: str = Field(primary_key=True, sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    until_ms: int = Field(default=0, sa_type=INTEGER)
    is_on: int = Field(default=1, sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)


class RiskRecent(BackendTable, table=True):
    """When a payer's latest attempts were made: a bounded list, oldest first, as JSON."""

    __tablename__ = "risk_recent"
    payer_id: str = Field(primary_key=True, sa_type=TEXT)
    attempts_ms: str = Field(sa_type=TEXT)


BLOCK = table_ref(RiskBlock)
RECENT = table_ref(RiskRecent)
