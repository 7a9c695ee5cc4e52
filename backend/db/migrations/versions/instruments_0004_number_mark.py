"""A card that was added by its number is known again, without the number."""

import sqlalchemy as sa
from alembic import op

revision = "instruments_0004"
down_revision = "instruments_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of cards from before nothing is known: the number was never kept."""
    column = sa.Column("number_mark", sa.Text(), nullable=False, server_default="")
    op.add_column("instrument", column)


def downgrade() -> None:
    """What paid for something is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
