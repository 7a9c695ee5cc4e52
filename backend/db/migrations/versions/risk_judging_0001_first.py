"""What each attempt to pay was judged by."""

import sqlalchemy as sa
from alembic import op

revision = "risk_judging_0001"
down_revision = None
branch_labels = ("risk_judging",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXTS = (
    "currency", "payer_id", "card", "device", "merchant_id", "store", "method", "entry", "facts",
    "feature_digest", "rules_version", "action", "rule", "live", "shadow",
)  # fmt: skip


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "risk_decision",
        sa.Column("attempt_id", sa.Text(), primary_key=True),
        sa.Column("payment_id", sa.Text(), nullable=False),
        *(
            sa.Column(name, _INTEGER, nullable=False)
            for name in ("at_ms", "number", "amount_minor", "is_confirmed")
        ),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index("ix_risk_decision_at", "risk_decision", ["at_ms", "number", "attempt_id"])
    op.create_index("ix_risk_decision_payment", "risk_decision", ["payment_id", "at_ms"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("risk_decision")
