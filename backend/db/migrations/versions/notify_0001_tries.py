"""The history of callbacks: their failed tries and their replays."""

import sqlalchemy as sa
from alembic import op

revision = "notify_0001"
down_revision = None
branch_labels = ("notify",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Failures of before are in their callbacks' rows only, as a count and the last error."""
    op.create_table(
        "outbox_try",
        sa.Column("callback_id", sa.Text(), primary_key=True),
        sa.Column("number", _INTEGER, primary_key=True, autoincrement=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at_ms", _INTEGER, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("next_try_ms", _INTEGER, nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """What was told and what was not is never forgotten by a program."""
    raise RuntimeError("this migration cannot be undone")
