"""What a merchant earns of a payment may be shared out."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0014"
down_revision = "payments_0013"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Payments of before are not shared."""
    op.add_column("payment", sa.Column("is_shared", _INTEGER, nullable=False, server_default="0"))


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
