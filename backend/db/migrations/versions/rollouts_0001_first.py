"""Rollouts, their waves, their devices, and what happened to them."""

import sqlalchemy as sa
from alembic import op

revision = "rollouts_0001"
down_revision = None
branch_labels = ("rollouts",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables, and keep what happened from being changed."""
    _rollouts()
    _devices()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    (_guard_sqlite if is_sqlite else _guard_postgres)("rollout_event")


def downgrade() -> None:
    """A history is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _rollouts() -> None:
    op.create_table(
        "rollout",
        _text("rollout_id", is_key=True),
        *(_text(name) for name in ("name", "kind", "content")),
        sa.Column("wish_hash", sa.LargeBinary(), nullable=False),
        _text("state"),
        *(_integer(name) for name in ("wave", "wave_count", "success_percent", "error_percent")),
        *(_integer(name) for name in ("rolls_back", "device_wait_ms", "event_count")),
        _text("created_by"),
        *(_integer(name) for name in ("created_at_ms", "changed_at_ms")),
        **_SQLITE,
    )
    op.create_index("ix_rollout_state", "rollout", ["state"])
    op.create_table(
        "rollout_event",
        _text("rollout_id", is_key=True),
        _integer("number", is_key=True),
        _text("event"),
        _integer("wave"),
        *(_text(name) for name in ("actor", "reason")),
        _integer("at_ms"),
        **_SQLITE,
    )


def _devices() -> None:
    op.create_table(
        "rollout_wave",
        _text("rollout_id", is_key=True),
        _integer("wave", is_key=True),
        *(_integer(name) for name in ("size", "offered", "succeeded", "failed")),
        *(_integer(name) for name in ("left_out", "undone")),
        **_SQLITE,
    )
    op.create_table(
        "rollout_target",
        _text("rollout_id", is_key=True),
        _text("tid", is_key=True),
        _integer("wave"),
        _text("state"),
        _integer("version"),
        *(_text(name) for name in ("before", "code", "detail")),
        *(_integer(name) for name in ("offered_at_ms", "ended_at_ms")),
        **_SQLITE,
    )
    op.create_index("ix_rollout_target_state", "rollout_target", ["rollout_id", "state", "wave"])


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
