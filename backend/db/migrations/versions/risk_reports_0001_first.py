"""Reports of suspicious transactions and their events."""

import sqlalchemy as sa
from alembic import op

revision = "risk_reports_0001"
down_revision = None
branch_labels = ("risk_reports",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "aml_report",
        *_texts("report_id", is_key=True),
        *_texts("subject_kind", "subject_id", "reason", "case_id", "payments", "state"),
        *_texts("analyst", "analysis", "decided_by", "receipt", "filed"),
        *_integers("raised_at_ms", "warn_at_ms", "due_at_ms", "updated_at_ms", "event_count"),
        _link(),
        **_SQLITE,
    )
    op.create_index("ix_aml_report_state", "aml_report", ["state", "due_at_ms", "report_id"])
    op.create_table(
        "aml_report_event",
        *_texts("report_id", is_key=True),
        *_integers("number", is_key=True),
        *_texts("event", "state_after", "actor", "words"),
        *_integers("at_ms"),
        _link(),
        **_SQLITE,
    )


def downgrade() -> None:
    """What was reported is never dropped by a program."""
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
