"""The audit log, which only grows, and the kill switches."""

import sqlalchemy as sa
from alembic import op

revision = "audit_0001"
down_revision = None
branch_labels = ("audit",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}
_ACT = "audit_act"
_TEXTS = (
    "kind", "what", "actor", "origin", "subject", "merchant_id", "reason", "before", "after",
)  # fmt: skip


def upgrade() -> None:
    """Make the tables, the log's beginning, and its guards."""
    head = op.create_table(
        "audit_head",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("count", _INTEGER, nullable=False, autoincrement=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        **_SQLITE,
    )
    op.bulk_insert(head, [{"name": "acts", "count": 0, "link": b""}])
    op.create_table(
        _ACT,
        sa.Column("number", _INTEGER, primary_key=True, autoincrement=False),
        sa.Column("at_ms", _INTEGER, nullable=False, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        **_SQLITE,
    )
    op.create_index("ix_audit_act_merchant", _ACT, ["merchant_id", "number"])
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgres()
    else:
        _guard_sqlite()
    op.create_table(
        "kill_switch",
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("subject", sa.Text(), primary_key=True),
        sa.Column("is_stopped", _INTEGER, nullable=False, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("reason", "actor")),
        sa.Column("changed_at_ms", _INTEGER, nullable=False, autoincrement=False),
        **_SQLITE,
    )


def downgrade() -> None:
    """Who did what is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _guard_sqlite() -> None:
    refuse = f" BEGIN SELECT RAISE(ABORT, '{_ACT} is append-only'); END"
    for verb in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER {_ACT}_no_{verb.lower()} BEFORE {verb} ON {_ACT}{refuse}")
    op.execute(
        f"CREATE TRIGGER {_ACT}_no_replace BEFORE INSERT ON {_ACT}"  # noqa: S608
        f" WHEN EXISTS (SELECT 1 FROM {_ACT} WHERE number = NEW.number){refuse}"
    )


def _guard_postgres() -> None:
    op.execute(
        f"CREATE FUNCTION {_ACT}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN RAISE EXCEPTION '{_ACT} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {_ACT}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {_ACT}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {_ACT}_refuse()"
    )
