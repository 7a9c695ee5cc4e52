"""Mandates: the month's limit, notices, both sides' suspensions, events, and each payment's use."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0004"
down_revision = "payments_0003"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}

# A check that names other columns comes with its column: SQLite adds none to a table that exists.
_MONTH_CHECK = (
    "CONSTRAINT ck_mandate_month CHECK"
    " (spent_month_minor BETWEEN 0 AND COALESCE(limit_month_minor, spent_month_minor))"
)


def upgrade() -> None:
    """Add the columns and tables, and count what the mandates' payments have taken so far."""
    integer = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    for name, kind in (
        ("limit_month_minor", integer),
        ("notice_hours", integer),
        ("notice_above_minor", f"{integer} NOT NULL DEFAULT 0"),
        ("spent_month_minor", f"{integer} NOT NULL DEFAULT 0 {_MONTH_CHECK}"),
        ("open_notices", "TEXT NOT NULL DEFAULT '[]'"),
        ("event_count", f"{integer} NOT NULL DEFAULT 0"),
    ):
        op.execute(f"ALTER TABLE mandate ADD COLUMN {name} {kind}")
    op.create_index("ix_mandate_merchant", "mandate", ["merchant_id"])
    _make_tables()
    _fill()


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=nullable) for name in names]


def _integers(*names: str, is_key: bool = False) -> list[sa.Column[int]]:
    return [
        sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
        for name in names
    ]


def _make_tables() -> None:
    op.create_table(
        "mandate_event",
        *_texts("mandate_id", is_key=True),
        *_integers("number", is_key=True),
        *_texts("event", "status_before", "status_after", "actor", "subject_id"),
        *_integers("at_ms"),
        **_SQLITE,
    )
    op.create_table(
        "mandate_notice",
        *_texts("notice_id", is_key=True),
        *_texts("mandate_id", "payer_id", "merchant_id"),
        *_integers("amount_minor"),
        *_texts("currency", "description", "status"),
        *_texts("payment_id", nullable=True),
        *_integers("announced_at_ms", "debit_from_ms", "debit_until_ms", "updated_at_ms"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        **_SQLITE,
    )
    op.create_index(
        "ix_mandate_notice_mandate", "mandate_notice", ["mandate_id", "announced_at_ms"]
    )
    op.create_index("ix_mandate_notice_payer", "mandate_notice", ["payer_id", "announced_at_ms"])
    op.create_table(
        "mandate_use",
        *_texts("payment_id", is_key=True),
        *_texts("mandate_id"),
        *_texts("notice_id", nullable=True),
        *_texts("day"),
        *_integers("amount_minor", "is_undone"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        **_SQLITE,
    )
    op.create_index("ix_mandate_use_mandate", "mandate_use", ["mandate_id", "day"])


def _fill() -> None:
    """Until now only the payer could suspend; and a payment that is undone later must be found."""
    op.execute("UPDATE mandate SET status = 'suspended_by_payer' WHERE status = 'suspended'")
    op.execute(
        "INSERT INTO mandate_use (payment_id, mandate_id, day, amount_minor, is_undone)"
        " SELECT payment_id, mandate_id, business_date, amount_minor, 0 FROM payment"
        " WHERE mandate_id IS NOT NULL"
        " AND state IN ('captured', 'partially_refunded', 'refunded')"
    )
    op.execute(
        "UPDATE mandate SET spent_month_minor ="
        " (SELECT COALESCE(SUM(amount_minor), 0) FROM mandate_use"
        " WHERE mandate_use.mandate_id = mandate.mandate_id"
        " AND substr(mandate_use.day, 1, 7) = substr(mandate.spent_day, 1, 7))"
    )
