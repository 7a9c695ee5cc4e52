"""What a merchant sells."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0021"
down_revision = "payments_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of the merchants there are, nobody has said."""
    op.add_column(
        "merchant", sa.Column("category_code", sa.Text(), nullable=False, server_default="")
    )


def downgrade() -> None:
    """What was said of merchants is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
