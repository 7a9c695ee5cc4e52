"""How the flows went, minute by minute of a day."""

import sqlalchemy as sa
from alembic import op

revision = "observability_0001"
down_revision = None
branch_labels = ("observability",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "flow_minute",
        sa.Column("place", _INTEGER, primary_key=True, nullable=False),
        sa.Column("flow", sa.Text(), primary_key=True, nullable=False),
        sa.Column("outcome", sa.Text(), primary_key=True, nullable=False),
        sa.Column("bucket", _INTEGER, primary_key=True, nullable=False),
        sa.Column("minute", _INTEGER, nullable=False),
        sa.Column("count", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Tables are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
