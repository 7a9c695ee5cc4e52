"""Statements and proofs: balances after each group, the log's nodes, checkpoints (append-only)."""

import sqlalchemy as sa
from alembic import op

revision = "evidence_0001"
down_revision = None
branch_labels = ("evidence",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables and the checkpoints' guards."""
    op.create_table(
        "ledger_balance",
        _text("account_id", is_key=True),
        _text("chain", is_key=True),
        _integer("as_of_ms", is_key=True),
        _integer("group_seq", is_key=True),
        *(
            _integer(name)
            for name in ("debits_posted", "credits_posted", "debits_pending", "credits_pending")
        ),
        _text("transfer_ids"),
        **_SQLITE,
    )
    op.create_table(
        "ledger_log_node",
        _text("chain", is_key=True),
        _integer("level", is_key=True),
        _integer("place", is_key=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        **_SQLITE,
    )
    op.create_table(
        "ledger_follower",
        _text("chain", is_key=True),
        *(_integer(name) for name in ("seq", "as_of_ms", "checkpoint_size")),
        **_SQLITE,
    )
    op.create_table(
        "ledger_checkpoint",
        _text("chain", is_key=True),
        _integer("size", is_key=True),
        _text("note"),
        _text("key"),
        **_SQLITE,
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite("ledger_checkpoint", ("chain", "size"))
    else:
        _guard_postgres("ledger_checkpoint")


def downgrade() -> None:
    """Evidence is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _text(name: str, *, is_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=is_key, nullable=False)


def _integer(name: str, *, is_key: bool = False) -> sa.Column[int]:
    return sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)


def _guard_sqlite(table: str, keys: tuple[str, ...]) -> None:
    refuse = f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    for verb in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}{refuse}")
    same = " AND ".join(f"{key} = NEW.{key}" for key in keys)
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}"  # noqa: S608
        f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}){refuse}"
    )


def _guard_postgres(table: str) -> None:
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
    )
