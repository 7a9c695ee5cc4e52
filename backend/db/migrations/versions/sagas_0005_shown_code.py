"""A channel may have shown a code of its own for an order that its payer is to scan."""

import sqlalchemy as sa
from alembic import op

revision = "sagas_0005"
down_revision = "sagas_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """None was shown before."""
    column = sa.Column("shown_code", sa.Text(), nullable=False, server_default="")
    op.add_column("saga", column)


def downgrade() -> None:
    """Money's timelines are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
