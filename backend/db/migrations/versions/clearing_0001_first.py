"""Top-ups, settlements, payouts, sweeps, the days' reports, and what reconciliations found."""

import sqlalchemy as sa
from alembic import op

revision = "clearing_0001"
down_revision = None
branch_labels = ("clearing",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables."""
    _topups()
    _clearing()
    _reconciliation()


def downgrade() -> None:
    """Money is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=False) for name in names]


def _integers(*names: str, is_key: bool = False, nullable: bool = False) -> list[sa.Column[int]]:
    return [
        sa.Column(name, _INTEGER, primary_key=is_key, nullable=nullable, autoincrement=False)
        for name in names
    ]


def _topups() -> None:
    op.create_table(
        "topup",
        *_texts("topup_id", is_key=True),
        *_texts("payer_id", "bank_account"),
        *_integers("amount_minor"),
        *_texts("currency", "state", "reason", "settlement_date"),
        *_integers("created_at_ms", "updated_at_ms"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        **_SQLITE,
    )
    op.create_index("ix_topup_settlement", "topup", ["settlement_date"])


def _clearing() -> None:
    op.create_table(
        "settlement",
        *_texts("merchant_id", "business_date", is_key=True),
        *_integers("amount_minor"),
        *_texts("currency"),
        sa.Column("payout_id", sa.Text(), nullable=True),
        *_integers("at_ms"),
        **_SQLITE,
    )
    op.create_table(
        "payout",
        *_texts("payout_id", is_key=True),
        *_texts("merchant_id", "business_date"),
        *_integers("amount_minor"),
        *_texts("currency", "account_name", "account_no", "state", "reason", "execution_date"),
        *_integers("instructed_at_ms", "updated_at_ms"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        **_SQLITE,
    )
    op.create_index("ix_payout_state", "payout", ["state"])
    op.create_table(
        "sweep",
        *_texts("business_date", "currency", is_key=True),
        *_texts("sweep_id"),
        *_integers("amount_minor"),
        *_texts("state", "reason", "execution_date"),
        *_integers("instructed_at_ms", "updated_at_ms"),
        sa.CheckConstraint("amount_minor <> 0", name="amount"),
        **_SQLITE,
    )
    op.create_table(
        "clearing_day",
        *_texts("business_date", is_key=True),
        *_texts("state"),
        *_integers("runs"),
        *_texts("report"),
        *_integers("updated_at_ms"),
        **_SQLITE,
    )


def _reconciliation() -> None:
    op.create_table(
        "reconciliation_run",
        *_texts("business_date", is_key=True),
        *_integers("run", is_key=True),
        *_texts("booked_on"),
        *_integers("matched", "breaks", "at_ms"),
        **_SQLITE,
    )
    op.create_table(
        "reconciliation_break",
        *_texts("business_date", is_key=True),
        *_integers("run", "number", is_key=True),
        *_texts("kind", "source", "reference"),
        *_integers("ours_minor", "theirs_minor", nullable=True),
        **_SQLITE,
    )
    op.create_table(
        "reconciliation_day",
        *_texts("business_date", is_key=True),
        *_integers("runs"),
        **_SQLITE,
    )
