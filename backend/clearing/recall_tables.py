"""Payouts that somebody asked back."""

from sqlmodel import Field

from backend.db.tables import INTEGER, TEXT, BackendTable, table_ref


class PayoutRecall(BackendTable, table=True):
    """One question to the bank about a payout, and its answer."""

    __tablename__ = "payout_recall"
    payout_id: str = Field(primary_key=True, sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    """Ours: DUPL, FRAD, CUST …"""
    state: str = Field(sa_type=TEXT)
    """``asked``, ``accepted``, ``refused``."""
    answer_reason: str = Field(default="", sa_type=TEXT)
    """The bank's."""
    asked_at_ms: int = Field(sa_type=INTEGER)
    """Stands in the message, so that a repetition has the same bytes."""
    updated_at_ms: int = Field(sa_type=INTEGER)


PAYOUT_RECALL = table_ref(PayoutRecall)
