"""The key before a rotation is taken for a while."""

import sqlalchemy as sa
from alembic import op

revision = "devices_0003"
down_revision = "devices_0002"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Those that were rotated before have no key but their own."""
    op.add_column("device", sa.Column("old_kid", sa.LargeBinary(), nullable=True))
    until = sa.Column("old_until_ms", _INTEGER, nullable=False, server_default="0")
    op.add_column("device", until)


def downgrade() -> None:
    """A registry is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
