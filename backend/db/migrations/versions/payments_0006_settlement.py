"""Settlement cycles with their history, ends of fee plans, sub-accounts of hot merchants."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0006"
down_revision = "payments_0005"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ONES = ("cycle_version", "pending_shards", "pending_shards_max", "fee_plan_first")


def upgrade() -> None:
    """Merchants of before keep the cycle they have, from the beginning."""
    for name in _ONES:
        op.add_column("merchant", sa.Column(name, _INTEGER, nullable=False, server_default="1"))
    op.add_column("fee_plan", sa.Column("valid_until_ms", _INTEGER, nullable=True))
    op.add_column(
        "payment", sa.Column("pending_owner", sa.Text(), nullable=False, server_default="")
    )
    op.create_table(
        "settlement_cycle",
        sa.Column("merchant_id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("version", _INTEGER, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("cycle", sa.Text(), nullable=False),
        sa.Column("first_date", sa.Text(), nullable=False),
        sa.Column("created_at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO settlement_cycle (merchant_id, version, cycle, first_date, created_at_ms)"
        " SELECT merchant_id, 1, settlement_cycle, '', created_at_ms FROM merchant"
    )


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
