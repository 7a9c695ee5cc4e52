"""Settlements within a day, and one table for all that moves between reserve and own account."""

import sqlalchemy as sa
from alembic import op

revision = "clearing_0002"
down_revision = "clearing_0001"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """A key cannot be changed in place: the rows move to new tables."""
    op.execute("CREATE TABLE settlement_before AS SELECT * FROM settlement")
    op.drop_table("settlement")
    op.create_table(
        "settlement",
        *_texts("merchant_id", "business_date", is_key=True),
        _integer("number", is_key=True),
        _integer("amount_minor"),
        *_texts("currency"),
        sa.Column("payout_id", sa.Text(), nullable=True),
        _integer("at_ms"),
        **_SQLITE,
    )
    op.execute(
        "INSERT INTO settlement (merchant_id, business_date, number, amount_minor, currency,"
        " payout_id, at_ms) SELECT merchant_id, business_date, 0, amount_minor, currency,"
        " payout_id, at_ms FROM settlement_before"
    )
    op.create_table(
        "own_move",
        *_texts("business_date", "currency", "kind", is_key=True),
        _integer("number", is_key=True),
        *_texts("move_id"),
        _integer("amount_minor"),
        *_texts("state", "reason", "execution_date"),
        _integer("instructed_at_ms"),
        _integer("updated_at_ms"),
        sa.CheckConstraint("amount_minor <> 0", name="amount"),
        **_SQLITE,
    )
    op.execute(
        "INSERT INTO own_move (business_date, currency, kind, number, move_id, amount_minor,"
        " state, reason, execution_date, instructed_at_ms, updated_at_ms)"
        " SELECT business_date, currency, 'fees', 1, sweep_id, amount_minor, state, reason,"
        " execution_date, instructed_at_ms, updated_at_ms FROM sweep"
    )
    op.drop_table("settlement_before")
    op.drop_table("sweep")


def downgrade() -> None:
    """Money is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=False) for name in names]


def _integer(name: str, *, is_key: bool = False) -> sa.Column[int]:
    return sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
