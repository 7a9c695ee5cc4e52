"""Conversations with channels."""

import sqlalchemy as sa
from alembic import op

revision = "sagas_0001"
down_revision = None
branch_labels = ("sagas",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "saga",
        _text("saga_id", is_key=True),
        *(_text(name) for name in ("kind", "payment_id", "channel_id", "token", "currency")),
        *(_text(name) for name in ("state", "planned_date", "reference", "settlement_date")),
        *(_text(name) for name in ("error", "trace_id")),
        *(_integer(name) for name in ("amount_minor", "tries", "deadline_ms", "created_at_ms")),
        *(_integer(name) for name in ("updated_at_ms", "event_count")),
        sa.Column("next_try_ms", _INTEGER, nullable=True),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index("ix_saga_due", "saga", ["next_try_ms"])
    op.create_index("ix_saga_payment", "saga", ["payment_id"])
    op.create_index("ix_saga_settlement", "saga", ["channel_id", "settlement_date"])
    op.create_table(
        "saga_event",
        _text("saga_id", is_key=True),
        _integer("number", is_key=True),
        *(_text(name) for name in ("event", "state_before", "state_after", "detail")),
        _integer("at_ms"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Money's timelines are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _text(name: str, *, is_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=is_key, nullable=False)


def _integer(name: str, *, is_key: bool = False) -> sa.Column[int]:
    return sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
