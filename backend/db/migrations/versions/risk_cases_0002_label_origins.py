"""Labels come from disputes and from persons, too, and say whose word they are."""

import sqlalchemy as sa
from alembic import op

revision = "risk_cases_0002"
down_revision = "risk_cases_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Name the origin, and add who said it and why."""
    op.execute("ALTER TABLE risk_label RENAME COLUMN case_id TO origin")
    for name, default in (("source", "case"), ("actor", ""), ("reason", "")):
        op.add_column(
            "risk_label", sa.Column(name, sa.Text(), nullable=False, server_default=default)
        )


def downgrade() -> None:
    """What people said is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
