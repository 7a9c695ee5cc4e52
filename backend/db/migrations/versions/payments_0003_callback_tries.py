"""A callback counts the rows of its history."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0003"
down_revision = "payments_0002"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Callbacks of before have no history yet."""
    op.add_column(
        "outbox_callback", sa.Column("try_count", _INTEGER, nullable=False, server_default="0")
    )


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
