"""Cases of the risk engine, their events, and the labels that decided ones give."""

import sqlalchemy as sa
from alembic import op

revision = "risk_cases_0001"
down_revision = None
branch_labels = ("risk_cases",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "risk_case",
        *_texts("case_id", is_key=True),
        *_texts("source", "subject_kind", "subject_id", "severity", "reason", "reference"),
        *_texts("state", "assignee", "outcome", "proposed_by", "decided_by", "payments"),
        *_integers("opened_at_ms", "warn_at_ms", "due_at_ms", "updated_at_ms"),
        *_integers("raised_count", "event_count"),
        _link(),
        **_SQLITE,
    )
    op.create_index("ix_risk_case_state", "risk_case", ["state", "due_at_ms", "case_id"])
    op.create_index(
        "ix_risk_case_subject", "risk_case", ["subject_kind", "subject_id", "opened_at_ms"]
    )
    op.create_table(
        "risk_case_event",
        *_texts("case_id", is_key=True),
        *_integers("number", is_key=True),
        *_texts("event", "state_before", "state_after", "actor", "words", "detail"),
        *_integers("at_ms"),
        _link(),
        **_SQLITE,
    )
    op.create_table(
        "risk_case_open",
        *_texts("subject_kind", "subject_id", "source", is_key=True),
        *_texts("case_id"),
        **_SQLITE,
    )
    op.create_table(
        "risk_label",
        *_texts("payment_id", "case_id", is_key=True),
        *_integers("is_fraud", "available_at_ms"),
        **_SQLITE,
    )
    op.create_index(
        "ix_risk_label_available", "risk_label", ["available_at_ms", "payment_id", "case_id"]
    )


def downgrade() -> None:
    """What people decided is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=False) for name in names]


def _integers(*names: str, is_key: bool = False) -> list[sa.Column[int]]:
    return [
        sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
        for name in names
    ]


def _link() -> sa.Column[bytes]:
    return sa.Column("link", sa.LargeBinary(), nullable=False)
