"""The sets of rules of the risk engine."""

import sqlalchemy as sa
from alembic import op

revision = "risk_rules_0001"
down_revision = None
branch_labels = ("risk_rules",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "risk_rule_set",
        *_texts("set_id", is_key=True),
        *_texts("state"),
        *_integers("rule_count", "share_bps"),
        *_texts("proposed_by"),
        *_integers("drafted_at_ms", "updated_at_ms", "event_count"),
        **_SQLITE,
    )
    op.create_table("risk_rule_text", *_texts("set_id", is_key=True), *_texts("content"), **_SQLITE)
    op.create_table("risk_rule_role", *_texts("role", is_key=True), *_texts("set_id"), **_SQLITE)
    op.create_table(
        "risk_rule_event",
        *_texts("set_id", is_key=True),
        *_integers("number", is_key=True),
        *_texts("event", "state_before", "state_after"),
        *_integers("share_bps"),
        *_texts("actor", "words"),
        *_integers("at_ms"),
        **_SQLITE,
    )
    op.create_table(
        "risk_rule_suppression",
        *_texts("rule_id", is_key=True),
        *_integers("number", is_key=True),
        *_integers("until_ms"),
        *_texts("actor", "words"),
        *_integers("at_ms"),
        **_SQLITE,
    )
    op.create_table(
        "risk_rule_held",
        *_texts("rule_id", is_key=True),
        *_integers("until_ms", "word_count"),
        **_SQLITE,
    )


def downgrade() -> None:
    """Rules that have decided are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=False) for name in names]


def _integers(*names: str, is_key: bool = False) -> list[sa.Column[int]]:
    return [
        sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
        for name in names
    ]
