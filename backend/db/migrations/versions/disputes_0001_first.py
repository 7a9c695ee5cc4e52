"""Disputes and their events."""

import sqlalchemy as sa
from alembic import op

revision = "disputes_0001"
down_revision = None
branch_labels = ("disputes",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "dispute",
        *_texts("dispute_id", is_key=True),
        *_texts("payment_id", "merchant_id", "payer_id", "funding"),
        *_integers("amount_minor", "cover_minor"),
        *_texts("currency", "reason", "reference", "state", "settlement_date"),
        *_integers("opened_at_ms", "updated_at_ms", "event_count"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sa.CheckConstraint("cover_minor BETWEEN 0 AND amount_minor", name="cover"),
        **_SQLITE,
    )
    op.create_index("ix_dispute_payment", "dispute", ["payment_id"])
    op.create_index("ix_dispute_merchant", "dispute", ["merchant_id", "opened_at_ms"])
    op.create_index("ix_dispute_state", "dispute", ["state", "opened_at_ms"])
    op.create_table(
        "dispute_event",
        *_texts("dispute_id", is_key=True),
        *_integers("number", is_key=True),
        *_texts("event", "state_before", "state_after", "actor", "evidence"),
        *_integers("at_ms"),
        **_SQLITE,
    )


def downgrade() -> None:
    """Money is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=False) for name in names]


def _integers(*names: str, is_key: bool = False) -> list[sa.Column[int]]:
    return [
        sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
        for name in names
    ]
