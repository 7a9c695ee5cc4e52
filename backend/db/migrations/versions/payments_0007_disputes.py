"""A payment knows how much of it is disputed or was lost: never together more than was paid."""

from alembic import op

revision = "payments_0007"
down_revision = "payments_0006"
branch_labels = None
depends_on = None

# A check that names other columns comes with its column: SQLite adds none to a table that exists.
_CHECK = (
    "CONSTRAINT ck_payment_disputed CHECK"
    " (disputed_minor >= 0 AND refunded_minor + disputed_minor <= amount_minor)"
)


def upgrade() -> None:
    """Nothing was disputed before."""
    integer = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE payment ADD COLUMN disputed_minor {integer} NOT NULL DEFAULT 0 {_CHECK}"
    )


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
