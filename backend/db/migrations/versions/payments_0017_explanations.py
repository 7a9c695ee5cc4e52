"""A payment that a thing made by itself says how its amount came about; its payer may be asked."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0017"
down_revision = "payments_0016"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Payments of before explain nothing; mandates of before were used as their uses say."""
    op.add_column("payment", sa.Column("explanation", sa.Text(), nullable=True))
    op.add_column("mandate", sa.Column("ask_above_minor", _INTEGER, nullable=True))
    for name in ("use_count", "use_total_minor"):
        op.add_column(
            "mandate", sa.Column(name, _INTEGER, nullable=False, server_default=sa.text("0"))
        )
    op.execute(
        "UPDATE mandate SET use_count = (SELECT COUNT(*) FROM mandate_use AS u"
        " WHERE u.mandate_id = mandate.mandate_id AND u.is_undone = 0),"
        " use_total_minor = (SELECT COALESCE(SUM(u.amount_minor), 0) FROM mandate_use AS u"
        " WHERE u.mandate_id = mandate.mandate_id AND u.is_undone = 0)"
    )


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
