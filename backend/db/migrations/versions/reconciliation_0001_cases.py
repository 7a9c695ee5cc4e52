"""Breaks that are followed over days, with their timelines."""

import sqlalchemy as sa
from alembic import op

revision = "reconciliation_0001"
down_revision = None
branch_labels = ("reconciliation",)
depends_on = ("clearing_0001",)

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "reconciliation_case",
        _text("break_id", is_key=True),
        *(_text(name) for name in ("kind", "source", "reference", "business_date", "ours_date")),
        *(_text(name) for name in ("currency", "state", "pool_until")),
        *(_integer(name) for name in ("number", "found_at_ms", "updated_at_ms", "event_count")),
        sa.Column("ours_minor", _INTEGER, nullable=True),
        sa.Column("theirs_minor", _INTEGER, nullable=True),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    table = "reconciliation_case"
    op.create_index(f"ix_{table}_state", table, ["state", "business_date", "break_id"])
    op.create_index(f"ix_{table}_reference", table, ["source", "reference"])
    op.create_table(
        "reconciliation_case_event",
        _text("break_id", is_key=True),
        _integer("number", is_key=True),
        *(_text(name) for name in ("event", "state_before", "state_after", "actor", "words")),
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
