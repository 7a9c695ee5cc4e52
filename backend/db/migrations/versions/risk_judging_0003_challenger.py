"""What the challenger said of an attempt, beside the champion."""

import sqlalchemy as sa
from alembic import op

revision = "risk_judging_0003"
down_revision = "risk_judging_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "risk_decision", sa.Column("challenger_id", sa.Text(), nullable=False, server_default="")
    )
    empty = "x''" if op.get_bind().dialect.name == "sqlite" else "''"
    op.add_column(
        "risk_decision",
        sa.Column(
            "challenger_score", sa.LargeBinary(), nullable=False, server_default=sa.text(empty)
        ),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("challenger_id", "challenger_score"):
        op.drop_column("risk_decision", name)
