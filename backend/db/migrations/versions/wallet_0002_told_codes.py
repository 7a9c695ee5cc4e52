"""A merchant may ask whose code it sees; then nobody else's payment may use it."""

import sqlalchemy as sa
from alembic import op

revision = "wallet_0002"
down_revision = "wallet_0001"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """No code was told before."""
    position = sa.Column("told_position", _INTEGER, nullable=False, server_default="-1")
    op.add_column("pay_code_route", position)
    to = sa.Column("told_to", sa.Text(), nullable=False, server_default="")
    op.add_column("pay_code_route", to)


def downgrade() -> None:
    """Which codes are used is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
