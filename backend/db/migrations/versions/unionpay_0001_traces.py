"""The numbers of our terminal at UnionPay."""

import sqlalchemy as sa
from alembic import op

revision = "unionpay_0001"
down_revision = None
branch_labels = ("unionpay",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "unionpay_terminal",
        _text("tid", is_key=True),
        _integer("batch"),
        _integer("next_stan"),
        _integer("settled_batch"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_table(
        "unionpay_trace",
        _text("own_id", is_key=True),
        *(_text(name) for name in ("kind", "token", "tid", "mid", "local_date", "local_time")),
        *(_text(name) for name in ("code", "rrn", "settlement_date")),
        *(_integer(name) for name in ("amount_minor", "batch", "stan", "counts")),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index("ix_unionpay_trace_batch", "unionpay_trace", ["tid", "batch", "stan"])


def downgrade() -> None:
    """The numbers that money was asked under are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _text(name: str, *, is_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=is_key, nullable=False)


def _integer(name: str, *, is_key: bool = False) -> sa.Column[int]:
    return sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
