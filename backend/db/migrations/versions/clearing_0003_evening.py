"""Windows of channels' days, their costs, interest on the reserve, and its signed tests."""

import sqlalchemy as sa
from alembic import op

revision = "clearing_0003"
down_revision = "clearing_0002"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "clearing_window",
        *_texts("channel_id", "settlement_date", is_key=True),
        *_texts("state"),
        *_integers("net_minor", "settled_minor", "opened_at_ms", "updated_at_ms"),
        **_SQLITE,
    )
    op.create_table(
        "channel_cost",
        *_texts("channel_id", "business_date", is_key=True),
        *_integers("items", "cost_micro", "whole_minor", "updated_at_ms"),
        sa.CheckConstraint("items >= 0 AND whole_minor >= 0", name="signs"),
        **_SQLITE,
    )
    op.create_table(
        "channel_carry",
        *_texts("channel_id", is_key=True),
        *_integers("carried_micro"),
        sa.CheckConstraint("carried_micro >= 0", name="carried"),
        **_SQLITE,
    )
    op.create_table(
        "reserve_interest",
        *_texts("business_date", is_key=True),
        *_integers("balance_minor", "rate_bps", "parts", "at_ms"),
        **_SQLITE,
    )
    op.create_table(
        "reserve_test",
        *_texts("business_date", is_key=True),
        *_integers("number", is_key=True),
        *_integers("passed"),
        *_texts("note", "key"),
        sa.Column("stamp", sa.LargeBinary(), nullable=False),
        *_integers("at_ms"),
        **_SQLITE,
    )


def downgrade() -> None:
    """What was signed is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=False) for name in names]


def _integers(*names: str, is_key: bool = False) -> list[sa.Column[int]]:
    return [
        sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
        for name in names
    ]
