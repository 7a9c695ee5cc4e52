"""A day's payments are found without reading all. PostgreSQL keeps of each stretch of the table the
first and the last day: rows stand there in the order of time, and a payment pays nothing for it."""

from alembic import op

revision = "payments_0020"
down_revision = "payments_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """SQLite has no such index, and gets the usual one."""
    op.create_index(
        "ix_payment_day",
        "payment",
        ["business_date"],
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
