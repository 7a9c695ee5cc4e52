"""Filed accounts. What merchants were created with, and payers' cards, are filed for them."""

import sqlalchemy as sa
from alembic import op

revision = "destinations_0001"
down_revision = None
branch_labels = ("destinations",)
depends_on = ("payments_0001", "instruments_0001")

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}
_FILED = (
    "INSERT INTO destination (kind, holder_id, account_no, account_name, filed_at_ms, filings)"
    " SELECT 'merchant', merchant_id, payout_account_no, payout_account_name, created_at_ms, 1"
    " FROM merchant"
)
_CARDS = (
    "INSERT INTO destination (kind, holder_id, account_no, account_name, filed_at_ms, filings)"
    " SELECT 'customer', instrument_id, instrument_id, payer.name, instrument.created_at_ms, 1"
    " FROM instrument JOIN payer ON payer.payer_id = instrument.payer_id"
    " WHERE instrument.kind = 'card'"
)
_NOTED = (
    "INSERT INTO destination_filing (kind, holder_id, number, event, account_no, account_name,"
    " actor, at_ms) SELECT kind, holder_id, 1, 'destination_filed', account_no, account_name,"
    " 'migration', filed_at_ms FROM destination"
)


def upgrade() -> None:
    """Make the tables and file what is there."""
    op.create_table(
        "destination",
        *_texts("kind", "holder_id", is_key=True),
        *_texts("account_no", "account_name"),
        *_integers("filed_at_ms"),
        sa.Column("withdrawn_at_ms", _INTEGER, nullable=True),
        *_integers("filings"),
        **_SQLITE,
    )
    op.create_table(
        "destination_filing",
        *_texts("kind", "holder_id", is_key=True),
        *_integers("number", is_key=True),
        *_texts("event", "account_no", "account_name", "actor"),
        *_integers("at_ms"),
        **_SQLITE,
    )
    op.execute(_FILED)
    op.execute(_CARDS)
    op.execute(_NOTED)


def downgrade() -> None:
    """Where money went is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=False) for name in names]


def _integers(*names: str, is_key: bool = False) -> list[sa.Column[int]]:
    return [
        sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
        for name in names
    ]
