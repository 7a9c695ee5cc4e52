"""Merchants give money to payers."""

import sqlalchemy as sa
from alembic import op

revision = "merchant_transfers_0001"
down_revision = None
branch_labels = ("merchant_transfers",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "merchant_transfer",
        sa.Column("transfer_id", sa.Text(), primary_key=True, nullable=False),
        *_texts("merchant_id", "receiver_id"),
        sa.Column("amount_minor", _INTEGER, nullable=False),
        *_texts("currency", "remark", "state", "reason"),
        sa.Column("notify_url", sa.Text(), nullable=True),
        *_texts("notify_form"),
        *_times("created_at_ms", "updated_at_ms", "expires_at_ms"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    columns = {"receiver": ["receiver_id", "created_at_ms"], "due": ["state", "expires_at_ms"]}
    for name, of in columns.items():
        op.create_index(f"ix_merchant_transfer_{name}", "merchant_transfer", of)
    op.create_table(
        "merchant_api_transfer",
        sa.Column("mchid", sa.Text(), primary_key=True, nullable=False),
        sa.Column("out_bill_no", sa.Text(), primary_key=True, nullable=False),
        *_texts("transfer_id", "number", "appid", "openid", "scene_id"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        *_times("created_at_ms"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    for name, column in (("number", "number"), ("transfer", "transfer_id")):
        op.create_index(f"ix_merchant_api_transfer_{name}", "merchant_api_transfer", [column])


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _times(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, _INTEGER, nullable=False) for name in names]


def downgrade() -> None:
    """What says whose money was given is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
