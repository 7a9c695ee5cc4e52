"""A payment names its channel and why it was chosen; channels have a health."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0009"
down_revision = "payments_0008"
branch_labels = None
depends_on = "sagas_0004"

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """A payment of before went through the channel of its conversation."""
    op.add_column("payment", sa.Column("channel_id", sa.Text(), nullable=False, server_default=""))
    op.add_column("payment", sa.Column("routing", sa.Text(), nullable=True))
    op.execute(
        "UPDATE payment SET channel_id ="
        " (SELECT channel_id FROM saga WHERE saga.saga_id = payment.payment_id)"
        " WHERE funding <> 'balance'"
        " AND EXISTS (SELECT 1 FROM saga WHERE saga.saga_id = payment.payment_id)"
    )
    op.create_table(
        "channel_health",
        sa.Column("channel_id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        *(
            sa.Column(name, _INTEGER, nullable=False, server_default="0")
            for name in ("silences", "silent_at_ms", "openings", "opened_at_ms")
        ),
        sa.Column("probe_at_ms", _INTEGER, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("updated_at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
