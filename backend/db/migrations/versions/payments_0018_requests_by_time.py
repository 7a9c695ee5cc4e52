"""Requests are kept in the order in which they were made, not device by device."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0018"
down_revision = "payments_0017"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COLUMNS = "request_id, device, content_hash, answer_type, answer, at_ms"


def upgrade() -> None:
    """A key cannot be changed in place: the rows move to a new table."""
    op.execute("CREATE TABLE request_before AS SELECT * FROM request")
    op.drop_table("request")
    op.create_table(
        "request",
        sa.Column("request_id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("device", sa.Text(), primary_key=True, nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("answer_type", sa.Text(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.execute(
        f"INSERT INTO request ({_COLUMNS}) SELECT {_COLUMNS} FROM request_before"  # noqa: S608
        " ORDER BY request_id, device"
    )
    op.drop_table("request_before")


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
