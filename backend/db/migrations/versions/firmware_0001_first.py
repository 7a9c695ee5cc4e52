"""Firmware artifacts, and what each device is to run."""

import sqlalchemy as sa
from alembic import op

revision = "firmware_0001"
down_revision = None
branch_labels = ("firmware",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}
_KEPT = ("firmware_artifact", "firmware_piece", "device_firmware_event")


def upgrade() -> None:
    """Make the tables, and keep what was brought and what happened from being changed."""
    _artifacts()
    _devices()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in _KEPT:
        (_guard_sqlite if is_sqlite else _guard_postgres)(table)


def downgrade() -> None:
    """What devices run is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _artifacts() -> None:
    op.create_table(
        "firmware_artifact",
        _text("digest", is_key=True),
        *(_text(name) for name in ("name", "kind", "version", "image_hash", "sha1", "md5")),
        _integer("size"),
        _text("brought_by"),
        _integer("brought_at_ms"),
        **_SQLITE,
    )
    op.create_table(
        "firmware_piece",
        _text("digest", is_key=True),
        _integer("number", is_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        **_SQLITE,
    )


def _devices() -> None:
    op.create_table(
        "device_firmware",
        _text("tid", is_key=True),
        _text("store"),
        _integer("wanted_version"),
        *(_text(name) for name in ("digest", "wanted_by")),
        _integer("wanted_at_ms"),
        _text("state"),
        *(_integer(name) for name in ("event_count", "percent")),
        *(_text(name) for name in ("code", "detail", "running_version", "running_hash")),
        _text("attributes"),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        *(_integer(name) for name in ("reported_number", "reported_at_ms")),
        **_SQLITE,
    )
    op.create_table(
        "device_firmware_event",
        _text("tid", is_key=True),
        _integer("number", is_key=True),
        _integer("version"),
        *(_text(name) for name in ("state", "code", "detail", "actor")),
        _integer("at_ms"),
        **_SQLITE,
    )


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
