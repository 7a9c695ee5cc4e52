"""What the model said of an attempt, and what failed."""

import sqlalchemy as sa
from alembic import op

revision = "risk_judging_0002"
down_revision = "risk_judging_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    for name in ("model_id", "trouble"):
        op.add_column(
            "risk_decision", sa.Column(name, sa.Text(), nullable=False, server_default="")
        )
    empty = "x''" if op.get_bind().dialect.name == "sqlite" else "''"
    op.add_column(
        "risk_decision",
        sa.Column("score", sa.LargeBinary(), nullable=False, server_default=sa.text(empty)),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("model_id", "trouble", "score"):
        op.drop_column("risk_decision", name)
