"""A suppression is proposed by one person and confirmed by another."""

import sqlalchemy as sa
from alembic import op

revision = "risk_rules_0002"
down_revision = "risk_rules_0001"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what is proposed, and which word holds: what one person said before stands."""
    for name in ("holding_number", "proposed_until_ms"):
        op.add_column(
            "risk_rule_held", sa.Column(name, _INTEGER, nullable=False, server_default="0")
        )
    op.add_column(
        "risk_rule_held", sa.Column("proposed_by", sa.Text(), nullable=False, server_default="")
    )
    op.execute("UPDATE risk_rule_held SET holding_number = word_count")


def downgrade() -> None:
    """What people said is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
