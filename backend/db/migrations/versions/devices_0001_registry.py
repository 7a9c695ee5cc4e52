"""Stores, devices with their keys and history, presence, and enrolment codes."""

import sqlalchemy as sa
from alembic import op

revision = "devices_0001"
down_revision = None
branch_labels = ("devices",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables, and keep history and keys from being changed."""
    _stores_and_devices()
    _keys_and_history()
    _enrolment()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in ("device_event", "device_key"):
        (_guard_sqlite if is_sqlite else _guard_postgres)(table)


def downgrade() -> None:
    """A registry is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _text(name: str, *, is_key: bool = False, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=is_key, nullable=nullable)


def _integer(name: str, *, is_key: bool = False, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _INTEGER, primary_key=is_key, nullable=nullable, autoincrement=False)


def _bytes(name: str, *, is_key: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), primary_key=is_key, nullable=False)


def _stores_and_devices() -> None:
    op.create_table(
        "store",
        _text("store", is_key=True),
        _text("merchant_id"),
        _text("name"),
        _integer("created_at_ms"),
        **_SQLITE,
    )
    op.create_table(
        "device",
        _text("tid", is_key=True),
        *(_text(name) for name in ("kind", "store", "status")),
        _bytes("kid"),
        *(_integer(name) for name in ("revision", "enrolled_at_ms", "changed_at_ms")),
        **_SQLITE,
    )
    op.create_index("ix_device_store", "device", ["store"])
    op.create_table(
        "device_presence",
        _text("tid", is_key=True),
        _text("hub"),
        *(_integer(name) for name in ("is_online", "boot_epoch", "spool_depth", "reported_at_ms")),
        **_SQLITE,
    )


def _keys_and_history() -> None:
    op.create_table(
        "device_key",
        _bytes("kid", is_key=True),
        _text("tid"),
        _text("suite"),
        _bytes("public_key"),
        _integer("created_at_ms"),
        **_SQLITE,
    )
    op.create_table(
        "device_event",
        _text("tid", is_key=True),
        _integer("revision", is_key=True),
        _text("event"),
        _text("status"),
        _bytes("kid"),
        _text("actor"),
        _text("reason"),
        _integer("at_ms"),
        **_SQLITE,
    )


def _enrolment() -> None:
    op.create_table(
        "enrolment_code",
        _text("code_id", is_key=True),
        _bytes("digest"),
        *(_text(name) for name in ("tid", "kind", "store", "names", "hub_urls", "issued_by")),
        *(_integer(name) for name in ("issued_at_ms", "expires_at_ms", "attempts_left")),
        sa.Column("used_by", sa.LargeBinary(), nullable=True),
        _integer("used_at_ms", nullable=True),
        **_SQLITE,
    )


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
