"""Tags on devices."""

import sqlalchemy as sa
from alembic import op

revision = "devices_0002"
down_revision = "devices_0001"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "device_tag",
        sa.Column("tid", sa.Text(), primary_key=True, nullable=False),
        sa.Column("tag", sa.Text(), primary_key=True, nullable=False),
        sa.Column("is_on", _INTEGER, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index("ix_device_tag_tag", "device_tag", ["tag", "tid"])


def downgrade() -> None:
    """A registry is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
