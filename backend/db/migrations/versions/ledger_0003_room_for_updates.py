"""On PostgreSQL, leave half of each page of balances free, so that a new version of a row lies
beside the old one and its index need not be touched. It counts for pages written from now on.
"""

from alembic import op

revision = "ledger_0003"
down_revision = "ledger_0002"
branch_labels = None
depends_on = None

_PERCENT_FILLED = 50


def upgrade() -> None:
    """Set it on the accounts, whose rows change with every payment."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE ledger_account SET (fillfactor = {_PERCENT_FILLED})")


def downgrade() -> None:
    """Pages fill up again as they are written."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE ledger_account RESET (fillfactor)")
