"""What each attempt was judged by: enough to judge it again and come to the same."""

from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE_OF_LONG_ROWS, TEXT, BackendTable, table_ref

IS_REFUSED = text("action IN ('decline', 'limit')")


class RiskDecision(BackendTable, table=True):
    """A decision and everything that it was made from."""

    __tablename__ = "risk_decision"
    __table_args__: Any = (
        Index(
            "ix_risk_decision_at",
            "at_ms",
            "number",
            "attempt_id",
            "payer_id",
            "card",
            "merchant_id",
        ),
        Index("ix_risk_decision_payment", "payment_id", "at_ms"),
        Index(
            "ix_risk_decision_refused",
            "payer_id",
            "at_ms",
            sqlite_where=IS_REFUSED,
            postgresql_where=IS_REFUSED,
        ),
        STORAGE_OF_LONG_ROWS,
    )
    attempt_id: str = Field(primary_key=True, sa_type=TEXT)
    payment_id: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)
    number: int = Field(sa_type=INTEGER)
    """The order in which one program judged, within a millisecond."""
    amount_minor: int = Field(sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    payer_id: str = Field(sa_type=TEXT)
    card: str = Field(sa_type=TEXT)
    device: str = Field(sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    store: str = Field(sa_type=TEXT)
    method: str = Field(sa_type=TEXT)
    entry: str = Field(sa_type=TEXT)
    is_confirmed: int = Field(sa_type=INTEGER)
    facts: str = Field(sa_type=TEXT)
    """The facts that no feature is, as JSON: of the device and of the lists."""
    vector: bytes = Field(sa_type=BYTES)
    """The features as doubles, little-endian; empty if they could not be computed."""
    feature_digest: str = Field(sa_type=TEXT)
    rules_version: str = Field(sa_type=TEXT)
    action: str = Field(sa_type=TEXT)
    rule: str = Field(sa_type=TEXT)
    """What decided: a rule's id, one of the fixed limits, or ``none``."""
    live: str = Field(sa_type=TEXT)
    """The live rules that hit, joined by blanks."""
    shadow: str = Field(sa_type=TEXT)
    model_id: str = Field(default="", sa_type=TEXT)
    """The model that scored; empty: none did."""
    score: bytes = Field(default=b"", sa_type=BYTES)
    """Probability, raw, base and each feature's contribution as doubles, little-endian."""
    challenger_id: str = Field(default="", sa_type=TEXT)
    """The challenger that scored beside it; empty: none did."""
    challenger_score: bytes = Field(default=b"", sa_type=BYTES)
    """As ``score``. It decided nothing."""
    trouble: str = Field(default="", sa_type=TEXT)
    """The parts that failed or were cut short, joined by blanks: judged without them."""


DECISION = table_ref(RiskDecision)
