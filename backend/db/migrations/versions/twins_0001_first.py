"""What devices are set to, and what happened to that."""

import sqlalchemy as sa
from alembic import op

revision = "twins_0001"
down_revision = None
branch_labels = ("twins",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables, and keep what happened from being changed."""
    op.create_table(
        "device_twin",
        _text("tid", is_key=True),
        _text("store"),
        _integer("wanted_version"),
        _text("wanted"),
        _text("wanted_by"),
        *(_integer(name) for name in ("wanted_at_ms", "event_count", "reported_number")),
        *(_integer(name) for name in ("schema_version", "version", "looked_at_version")),
        *(_text(name) for name in ("outcome", "code", "detail", "actual")),
        _integer("reported_at_ms"),
        **_SQLITE,
    )
    op.create_index("ix_device_twin_store", "device_twin", ["store"])
    op.create_table(
        "device_twin_event",
        _text("tid", is_key=True),
        _integer("number", is_key=True),
        _text("event"),
        _integer("version"),
        *(_text(name) for name in ("content", "actor", "reason")),
        _integer("at_ms"),
        **_SQLITE,
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    (_guard_sqlite if is_sqlite else _guard_postgres)("device_twin_event")


def downgrade() -> None:
    """A history is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _text(name: str, *, is_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=is_key, nullable=False)


def _integer(name: str, *, is_key: bool = False) -> sa.Column[int]:
    return sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)


def _guard_sqlite(table: str) -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _guard_postgres(table: str) -> None:
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
    )
