"""Money that is nobody's here and that its channel will not take back waits for an operator."""

import sqlalchemy as sa
from alembic import op

revision = "sagas_0003"
down_revision = "sagas_0002"
branch_labels = None
depends_on = None

_STRANDED = sa.text("state = 'stranded'")


def upgrade() -> None:
    """Show those of before, too, and find them by an index of their own."""
    op.execute("UPDATE saga SET state = 'stranded' WHERE kind = 'give_back' AND state = 'refused'")
    op.create_index(
        "ix_saga_stranded",
        "saga",
        ["saga_id"],
        sqlite_where=_STRANDED,
        postgresql_where=_STRANDED,
    )


def downgrade() -> None:
    """Money's timelines are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
