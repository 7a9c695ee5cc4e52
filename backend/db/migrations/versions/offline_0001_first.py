"""Offline payments: vouchers, and what came back of them."""

import sqlalchemy as sa
from alembic import op

revision = "offline_0001"
down_revision = None
branch_labels = ("offline",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "offline_voucher",
        sa.Column("voucher_id", sa.Text(), primary_key=True, nullable=False),
        *_texts("payer_id", "payer_class", "state", "currency"),
        *_integers("amount_minor", "payment_minor_max", "tokens_max", "guarantee_minor",
                   "valid_from_ms", "valid_until_ms", "return_until_ms", "spent_minor",
                   "covered_minor", "used_numbers"),
        sa.CheckConstraint("spent_minor BETWEEN 0 AND amount_minor", name="spent"),
        sa.CheckConstraint("covered_minor BETWEEN 0 AND guarantee_minor", name="covered"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("ix_offline_voucher_payer", "offline_voucher", ["payer_id", "valid_from_ms"])
    op.create_index("ix_offline_voucher_due", "offline_voucher", ["state", "return_until_ms"])
    op.create_table(
        "offline_wallet",
        sa.Column("payer_id", sa.Text(), primary_key=True, nullable=False),
        *_texts("voucher_id"),
        *_integers("has_overspent"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_table(
        "offline_return",
        sa.Column("payment_id", sa.Text(), primary_key=True, nullable=False),
        *_texts("voucher_id"),
        *_integers("number", "amount_minor"),
        *_texts("bearer"),
        *_integers("is_overspent"),
        sa.Column("code", sa.Text(), nullable=True),
        *_integers("accepted_at_ms", "returned_at_ms"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index("ix_offline_return_voucher", "offline_return", ["voucher_id", "returned_at_ms"])


def downgrade() -> None:
    """Money is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _integers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, _INTEGER, nullable=False) for name in names]
