"""SQLite's REPLACE deletes the old row without firing its triggers: refuse the insert itself.

PostgreSQL's ON CONFLICT DO UPDATE is an UPDATE, which ledger_0001's guard refuses.
"""

from alembic import op

revision = "ledger_0002"
down_revision = "ledger_0001"
branch_labels = None
depends_on = None

_KEYS = {"ledger_transfer": ("id",), "ledger_group": ("chain", "seq")}


def upgrade() -> None:
    """Guard each append-only table against a row whose key exists."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table, keys in _KEYS.items():
        same = " AND ".join(f"{key} = NEW.{key}" for key in keys)
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}"  # noqa: S608
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def downgrade() -> None:
    """Guards are never taken down by a program."""
    raise RuntimeError("this migration cannot be undone")
