"""An attempt in a wallet knows its payer: nobody else gets its answer."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0002"
down_revision = "payments_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Attempts of before have none: repeated, they are a conflict, never a second charge."""
    op.add_column("payment_attempt", sa.Column("payer_id", sa.Text(), nullable=True))


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
