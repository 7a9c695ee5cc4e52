"""On SQLite, decisions are kept whole on their pages, several on one."""

import sqlalchemy as sa
from alembic import op

revision = "risk_judging_0004"
down_revision = "risk_judging_0003"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXTS = (
    "currency", "payer_id", "card", "device", "merchant_id", "store", "method", "entry", "facts",
    "feature_digest", "rules_version", "action", "rule", "live", "shadow",
)  # fmt: skip
_NUMBERS = ("at_ms", "number", "amount_minor", "is_confirmed")
_ADDED = ("model_id", "trouble", "score", "challenger_id", "challenger_score")
_COLUMNS = ", ".join(("attempt_id", "payment_id", *_NUMBERS, *_TEXTS, "vector", *_ADDED))


def upgrade() -> None:
    """Where a table lies cannot be changed in place: the rows move to a new one."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute("CREATE TABLE risk_decision_before AS SELECT * FROM risk_decision")
    op.drop_table("risk_decision")
    op.create_table(
        "risk_decision",
        sa.Column("attempt_id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        *(sa.Column(name, _INTEGER, nullable=False) for name in _NUMBERS),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("trouble", sa.Text(), nullable=False, server_default=""),
        _doubles("score"),
        sa.Column("challenger_id", sa.Text(), nullable=False, server_default=""),
        _doubles("challenger_score"),
        sqlite_strict=True,
    )
    op.execute(
        f"INSERT INTO risk_decision ({_COLUMNS}) SELECT {_COLUMNS}"  # noqa: S608
        " FROM risk_decision_before ORDER BY attempt_id"
    )
    op.drop_table("risk_decision_before")
    op.create_index("ix_risk_decision_at", "risk_decision", ["at_ms", "number", "attempt_id"])
    op.create_index("ix_risk_decision_payment", "risk_decision", ["payment_id", "at_ms"])


def downgrade() -> None:
    """Nothing to undo: every program reads either form."""


def _doubles(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False, server_default=sa.text("x''"))
