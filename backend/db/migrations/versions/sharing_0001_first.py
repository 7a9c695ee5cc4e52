"""Payments that are shared out, in rounds, and what came back."""

import sqlalchemy as sa
from alembic import op

revision = "sharing_0001"
down_revision = None
branch_labels = ("sharing",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, is_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=is_key, nullable=False)


def _int(name: str, *, is_key: bool = False, is_nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _INTEGER, primary_key=is_key, nullable=is_nullable)


def upgrade() -> None:
    """Make the tables."""
    storage = {"sqlite_with_rowid": False, "sqlite_strict": True}
    op.create_table(
        "shared_payment",
        _text("payment_id", is_key=True),
        *map(_text, ("merchant_id", "currency", "state")),
        *map(_int, ("frozen_minor", "shared_minor", "round_count", "release_at_ms")),
        _int("due_at_ms", is_nullable=True),
        sa.CheckConstraint("shared_minor >= 0", name=op.f("ck_shared_payment_shared")),
        **storage,
    )
    op.create_index("ix_shared_payment_due", "shared_payment", ["due_at_ms"])
    op.create_table(
        "share_round",
        _text("owner", is_key=True),
        _text("out_order_no", is_key=True),
        *map(_text, ("round_id", "payment_id", "news_form")),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        *map(_int, ("share_count", "created_at_ms")),
        **storage,
    )
    op.create_index("ix_share_round_number", "share_round", ["round_id"])
    op.create_index("ix_share_round_payment", "share_round", ["payment_id"])
    op.create_table(
        "share",
        _text("round_id", is_key=True),
        _int("number", is_key=True),
        *map(_text, ("payment_id", "kind", "account", "receiver_id")),
        *map(_int, ("amount_minor", "returned_minor", "return_count")),
        *map(_text, ("description", "state")),
        *map(_int, ("is_release", "created_at_ms")),
        _int("done_at_ms", is_nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_share_amount")),
        sa.CheckConstraint(
            "returned_minor BETWEEN 0 AND amount_minor", name=op.f("ck_share_returned")
        ),
        **storage,
    )
    op.create_index("ix_share_payment", "share", ["payment_id", "state"])
    op.create_table(
        "share_return",
        _text("owner", is_key=True),
        _text("out_return_no", is_key=True),
        *map(_text, ("return_id", "round_id", "out_order_no")),
        _int("number"),
        _text("account"),
        _int("amount_minor"),
        _text("description"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        _int("created_at_ms"),
        **storage,
    )
    op.create_table(
        "share_receiver",
        _text("owner", is_key=True),
        _text("kind", is_key=True),
        _text("account", is_key=True),
        *map(_text, ("receiver_id", "relation_type", "custom_relation")),
        *map(_int, ("is_active", "updated_at_ms")),
        **storage,
    )


def downgrade() -> None:
    """Who shared what is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
