"""Who tried what was refused is found by an index that holds no other decisions."""

import sqlalchemy as sa
from alembic import op

revision = "risk_judging_0005"
down_revision = "risk_judging_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A payment that was refused has no payer; its decision has."""
    where = sa.text("action IN ('decline', 'limit')")
    op.create_index(
        "ix_risk_decision_refused", "risk_decision", ["payer_id", "at_ms"],
        sqlite_where=where, postgresql_where=where,
    )  # fmt: skip


def downgrade() -> None:
    """As before."""
    op.drop_index("ix_risk_decision_refused", "risk_decision")
