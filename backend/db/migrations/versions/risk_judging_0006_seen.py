"""Who was seen when is read from the index of the decisions' times alone."""

from alembic import op

revision = "risk_judging_0006"
down_revision = "risk_judging_0005"
branch_labels = None
depends_on = None

_ORDER = ["at_ms", "number", "attempt_id"]


def upgrade() -> None:
    """Make the index anew, with whose the decisions are."""
    op.drop_index("ix_risk_decision_at", "risk_decision")
    op.create_index(
        "ix_risk_decision_at", "risk_decision", [*_ORDER, "payer_id", "card", "merchant_id"]
    )


def downgrade() -> None:
    """Make it as it was."""
    op.drop_index("ix_risk_decision_at", "risk_decision")
    op.create_index("ix_risk_decision_at", "risk_decision", _ORDER)
