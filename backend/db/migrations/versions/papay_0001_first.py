"""Contracts of merchants' programs: plans, contracts, and the merchants' codes for them."""

import sqlalchemy as sa
from alembic import op

revision = "papay_0001"
down_revision = None
branch_labels = ("papay",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "merchant_api_plan",
        *_integers("plan_id", is_key=True),
        *_texts("mchid", "name", "currency"),
        *_integers("limit_payment_minor", "limit_day_minor"),
        *_integers("limit_month_minor", "notice_hours", nullable=True),
        *_integers("notice_above_minor", "valid_days", "created_at_ms"),
        **_SQLITE,
    )
    op.create_table(
        "merchant_api_contract",
        *_texts("contract_id", is_key=True),
        *_texts("mchid", "appid"),
        *_integers("plan_id"),
        *_texts("out_contract_code", "display_account", "out_user_code", "notify_url"),
        *_texts("notify_form"),
        *_texts("wanted_payer_id", "payer_id", nullable=True),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        *_integers("expires_at_ms", "valid_from_ms", "valid_until_ms"),
        *_texts("termination_remark"),
        *_integers("created_at_ms"),
        **_SQLITE,
    )
    op.create_index("ix_merchant_api_contract_payer", "merchant_api_contract", ["payer_id"])
    op.create_table(
        "merchant_api_contract_code",
        *_texts("mchid", "out_contract_code", is_key=True),
        *_texts("contract_id"),
        **_SQLITE,
    )


def downgrade() -> None:
    """What payers signed is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=nullable) for name in names]


def _integers(*names: str, is_key: bool = False, nullable: bool = False) -> list[sa.Column[int]]:
    return [
        sa.Column(name, _INTEGER, primary_key=is_key, nullable=nullable, autoincrement=False)
        for name in names
    ]
