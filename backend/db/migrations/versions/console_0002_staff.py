"""People of the console have a rank, set themselves up, and are signed out everywhere at once."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "console_0002"
down_revision = "console_0001"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Who could sign in before could do everything, and stays an owner."""
    _add("console_user", sa.Text(), "'owner'", "rank")
    empty = "x''" if op.get_bind().dialect.name == "sqlite" else "''::bytea"
    _add("console_user", sa.LargeBinary(), empty, "setup_hash")
    _add("console_user", _INTEGER, "0", "setup_until_ms", "epoch")
    _add("console_session", _INTEGER, "0", "epoch")
    _add("console_session", sa.Text(), "''", "origin", "browser")
    op.create_index("ix_console_session_name", "console_session", ["name", "began_at_ms"])
    op.create_table(
        "console_team",
        sa.Column("merchant_id", sa.Text(), primary_key=True),
        sa.Column("owner_count", _INTEGER, nullable=False, autoincrement=False),
        **_SQLITE,
    )
    op.execute(
        "INSERT INTO console_team (merchant_id, owner_count)"
        " SELECT merchant_id, COUNT(*) FROM console_user WHERE is_closed = 0 GROUP BY merchant_id"
    )


def downgrade() -> None:
    """Who may sign in is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _add(table: str, kind: sa.types.TypeEngine[Any], default: str, *names: str) -> None:
    for name in names:
        column = sa.Column(name, kind, nullable=False, server_default=sa.text(default))
        op.add_column(table, column)
