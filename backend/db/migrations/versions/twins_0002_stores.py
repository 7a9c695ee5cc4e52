"""What a store's devices are set to when they are heard for the first time."""

import sqlalchemy as sa
from alembic import op

revision = "twins_0002"
down_revision = "twins_0001"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "store_settings",
        sa.Column("store", sa.Text(), primary_key=True, nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """What devices are set to is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
