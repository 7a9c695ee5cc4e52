"""The risk engine's lists."""

import sqlalchemy as sa
from alembic import op

revision = "risk_lists_0001"
down_revision = None
branch_labels = ("risk_lists",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "risk_list_entry",
        *_texts("kind", "value", is_key=True),
        *_texts("list_name", "reason", "owner"),
        *_integers("until_ms", "updated_at_ms", "event_count"),
        **_SQLITE,
    )
    op.create_index("ix_risk_list_entry_list", "risk_list_entry", ["list_name", "kind", "value"])
    op.create_table(
        "risk_list_event",
        *_texts("kind", "value", is_key=True),
        *_integers("number", is_key=True),
        *_texts("list_before", "list_after", "reason", "owner"),
        *_integers("until_ms"),
        *_texts("actor"),
        *_integers("at_ms"),
        **_SQLITE,
    )


def downgrade() -> None:
    """Who was blocked and why is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=False) for name in names]


def _integers(*names: str, is_key: bool = False) -> list[sa.Column[int]]:
    return [
        sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
        for name in names
    ]
