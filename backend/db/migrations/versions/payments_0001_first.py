"""Payments, refunds, mandates, merchants, payers, risk and the outbox."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "payments_0001"
down_revision = None
branch_labels = ("payments",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TYPES: dict[str, Any] = {"t": sa.Text(), "i": _INTEGER, "b": sa.LargeBinary()}

# name: t text, i integer, b bytes; * part of the key, ? may be NULL.
_TABLES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "payment": (
        (
            "payment_id:t* merchant_id:t store:t device:t till:t cashier:t method:t state:t"
            " amount_minor:i currency:t description:t payer_id:t? payer_masked:t? mandate_id:t?"
            " refunded_minor:i refund_count:i fee_minor:i fee_returned_minor:i fee_plan_version:i"
            " verification:t error_code:t? risk:t? code_expires_at_ms:i? created_at_ms:i"
            " paid_at_ms:i? updated_at_ms:i business_date:t body_hash:b trace_id:t event_count:i"
        ),
        (
            ("amount", "amount_minor >= 0"),
            ("refunded", "refunded_minor BETWEEN 0 AND amount_minor"),
            ("fee", "fee_returned_minor BETWEEN 0 AND fee_minor"),
        ),
    ),
    "payment_attempt": (
        (
            "attempt_id:t* payment_id:t method:t outcome:t error_code:t? code_masked:t?"
            " verification_kind:t verification_score:i at_ms:i"
        ),
        (),
    ),
    "payment_event": (
        "payment_id:t* number:i* event:t state_before:t state_after:t actor:t at_ms:i detail:t",
        (),
    ),
    "request": (
        "device:t* request_id:t* content_hash:b answer_type:t answer:b at_ms:i",
        (),
    ),
    "refund": (
        (
            "refund_id:t* payment_id:t merchant_id:t store:t device:t till:t cashier:t"
            " amount_minor:i currency:t reason:t state:t error_code:t? fee_returned_minor:i"
            " source:t created_at_ms:i business_date:t body_hash:b trace_id:t"
        ),
        (("amount", "amount_minor > 0"),),
    ),
    "mandate": (
        (
            "mandate_id:t* payer_id:t merchant_id:t device:t currency:t limit_payment_minor:i"
            " limit_day_minor:i valid_from_ms:i valid_until_ms:i status:t signed:b spent_day:t"
            " spent_minor:i created_at_ms:i updated_at_ms:i"
        ),
        (("day", "spent_minor BETWEEN 0 AND limit_day_minor"),),
    ),
    "merchant": (
        (
            "merchant_id:t* name:t status:t currency:t notify_url:t? settlement_cycle:t"
            " biometric_above_minor:i payout_bank:t payout_account_name:t payout_account_no:t"
            " fee_plan_version:i created_at_ms:i updated_at_ms:i"
        ),
        (),
    ),
    "fee_plan": (
        (
            "merchant_id:t* version:i* rate_bps:i min_minor:i cap_minor:i valid_from_ms:i"
            " created_at_ms:i"
        ),
        (("signs", "rate_bps >= 0 AND min_minor >= 0 AND cap_minor >= 0"),),
    ),
    "risk_block": ("payer_id:t* reason:t until_ms:i is_on:i updated_at_ms:i", ()),
    "risk_recent": ("payer_id:t* attempts_ms:t", ()),
    "payer": (
        (
            "payer_id:t* name:t status:t route:i key_suite:t key_public:b pin_salt:b pin_hash:b"
            " pin_tries:i pin_locked_until_ms:i created_at_ms:i"
        ),
        (),
    ),
    "payer_token": ("token_hash:b* payer_id:t is_revoked:i created_at_ms:i", ()),
    "pay_code_route": ("route:i* payer_id:t used_position:i shown_position:i", ()),
    "pay_code_guard": ("device:t* window_from_ms:i wrong_count:i", ()),
    "outbox_push": (
        "store:t* seq:i* device:t message_type:t body:b trace_id:t at_ms:i",
        (),
    ),
    "outbox_counter": ("store:t* seq:i", ()),
    "outbox_callback": (
        (
            "callback_id:t* merchant_id:t url:t event_type:t body:t state:t failed_tries:i"
            " next_try_ms:i last_error:t created_at_ms:i delivered_at_ms:i?"
        ),
        (),
    ),
}
_INDEXES = {
    "ix_payment_merchant": ("payment", ["merchant_id", "created_at_ms"]),
    "ix_payment_payer": ("payment", ["payer_id", "created_at_ms"]),
    "ix_payment_due": ("payment", ["state", "code_expires_at_ms"]),
    "ix_refund_payment": ("refund", ["payment_id", "created_at_ms"]),
    "ix_refund_merchant": ("refund", ["merchant_id", "created_at_ms"]),
    "ix_mandate_payer": ("mandate", ["payer_id"]),
    "ix_payer_token_payer": ("payer_token", ["payer_id"]),
    "ix_outbox_callback_due": ("outbox_callback", ["state", "next_try_ms"]),
}


def upgrade() -> None:
    """Make the tables and their indexes."""
    for name, (columns, checks) in _TABLES.items():
        op.create_table(
            name,
            *(_column(spec) for spec in columns.split()),
            *(sa.CheckConstraint(condition, name=check) for check, condition in checks),
            sqlite_with_rowid=False,
            sqlite_strict=True,
        )
    for name, (table, on) in _INDEXES.items():
        op.create_index(name, table, on)


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _column(spec: str) -> sa.Column[Any]:
    name, kind = spec.split(":")
    return sa.Column(
        name,
        _TYPES[kind[0]],
        primary_key=kind.endswith("*"),
        nullable=kind.endswith("?"),
        autoincrement=False,
    )
