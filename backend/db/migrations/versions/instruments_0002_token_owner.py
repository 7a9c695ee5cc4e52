"""A channel's token is one payer's: the first who registered it."""

import sqlalchemy as sa
from alembic import op

revision = "instruments_0002"
down_revision = "instruments_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, with the owners of what is registered: the earliest of each token."""
    op.create_table(
        "instrument_token",
        sa.Column("kind", sa.Text(), primary_key=True, nullable=False),
        sa.Column("token", sa.Text(), primary_key=True, nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO instrument_token (kind, token, payer_id)"
        " SELECT kind, token, payer_id FROM ("
        "  SELECT kind, token, payer_id, row_number() OVER ("
        "   PARTITION BY kind, token ORDER BY created_at_ms, instrument_id) AS place"
        "  FROM instrument) AS registered WHERE place = 1"
    )


def downgrade() -> None:
    """Whose a token is is never forgotten by a program."""
    raise RuntimeError("this migration cannot be undone")
