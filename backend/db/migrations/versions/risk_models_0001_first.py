"""The registry of the risk engine's models."""

import sqlalchemy as sa
from alembic import op

revision = "risk_models_0001"
down_revision = None
branch_labels = ("risk_models",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "risk_model",
        *_texts("model_id", is_key=True),
        *_texts("purpose", "state", "card", "proposed_by"),
        *_integers("registered_at_ms", "updated_at_ms", "event_count"),
        **_SQLITE,
    )
    op.create_table(
        "risk_model_file",
        *_texts("model_id", is_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        **_SQLITE,
    )
    op.create_table(
        "risk_model_role",
        *_texts("purpose", "role", is_key=True),
        *_texts("model_id"),
        **_SQLITE,
    )
    op.create_table(
        "risk_model_event",
        *_texts("model_id", is_key=True),
        *_integers("number", is_key=True),
        *_texts("event", "state_before", "state_after", "actor", "words"),
        *_integers("at_ms"),
        **_SQLITE,
    )


def downgrade() -> None:
    """A model that has decided is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=False) for name in names]


def _integers(*names: str, is_key: bool = False) -> list[sa.Column[int]]:
    return [
        sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
        for name in names
    ]
