"""A payment may want its decline told."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0013"
down_revision = "payments_0012"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Those of before say nothing when they are declined."""
    told = sa.Column("is_decline_told", _INTEGER, nullable=False, server_default="0")
    op.add_column("payment", told)


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
