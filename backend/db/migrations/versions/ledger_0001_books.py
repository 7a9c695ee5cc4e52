"""The two books: accounts, transfers, holds, groups, and the guards that keep them append-only."""

import sqlalchemy as sa
from alembic import op

revision = "ledger_0001"
down_revision = None
branch_labels = ("ledger",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}
_AVAILABLE = (
    "CASE side WHEN 'debit' THEN debits_posted - credits_posted - credits_pending"
    " ELSE credits_posted - debits_posted - debits_pending END"
)
_APPEND_ONLY = ("ledger_transfer", "ledger_group")


def upgrade() -> None:
    """Make the tables, the view of entries and the guards."""
    _accounts()
    _transfers()
    _groups()
    dialect = op.get_bind().dialect.name
    _entries(dialect)
    for table in _APPEND_ONLY:
        (_guard_sqlite if dialect == "sqlite" else _guard_postgres)(table)


def downgrade() -> None:
    """Money is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _text(name: str, *, is_key: bool = False, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=is_key, nullable=nullable)


def _integer(name: str, *, is_key: bool = False, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _INTEGER, primary_key=is_key, nullable=nullable, autoincrement=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _accounts() -> None:
    op.create_table(
        "ledger_account",
        _text("id", is_key=True),
        *(_text(name) for name in ("book", "code", "owner", "currency", "side")),
        _integer("floor_minor", nullable=True),
        *(
            _integer(name)
            for name in ("debits_posted", "credits_posted", "debits_pending", "credits_pending")
        ),
        _integer("opened_at_ms"),
        sa.CheckConstraint(f"floor_minor IS NULL OR {_AVAILABLE} >= floor_minor", name="floor"),
        sa.CheckConstraint("debits_pending >= 0 AND credits_pending >= 0", name="pending"),
        sa.CheckConstraint("side IN ('debit', 'credit')", name="side"),
        **_SQLITE,
    )


def _transfers() -> None:
    op.create_table(
        "ledger_transfer",
        _text("id", is_key=True),
        _integer("link"),
        _text("debit"),
        _text("credit"),
        _integer("amount_minor"),
        *(_text(name) for name in ("currency", "rule", "kind")),
        _text("refers_to", nullable=True),
        _integer("expires_at_ms", nullable=True),
        _text("business_date"),
        _integer("at_ms"),
        _text("chain"),
        _integer("group_seq"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sa.CheckConstraint("debit <> credit", name="accounts"),
        **_SQLITE,
    )
    op.create_table(
        "ledger_hold",
        _text("id", is_key=True),
        _text("state"),
        _integer("posted_minor"),
        _text("ended_by", nullable=True),
        **_SQLITE,
    )


def _groups() -> None:
    op.create_table(
        "ledger_group",
        _text("chain", is_key=True),
        _integer("seq", is_key=True),
        *(_bytes(name) for name in ("previous_hash", "root", "hash")),
        _integer("count"),
        _integer("at_ms"),
        _text("transfer_ids"),
        _bytes("leaves"),
        **_SQLITE,
    )
    op.create_table(
        "ledger_chain", _text("chain", is_key=True), _integer("seq"), _bytes("hash"), **_SQLITE
    )


def _entries(dialect: str) -> None:
    """Two entries per transfer that moved money; a hold moves none until it is posted."""
    event = "substr(id, 1, instr(id, ':') - 1)" if dialect == "sqlite" else "split_part(id, ':', 1)"
    shared = f"{event} AS event_id, currency, rule, business_date, at_ms"
    op.execute(
        "CREATE VIEW ledger_entry AS "  # noqa: S608
        f"SELECT id AS transfer_id, debit AS account_id, amount_minor AS debit_minor,"
        f" 0 AS credit_minor, {shared} FROM ledger_transfer WHERE kind IN ('posted', 'post')"
        " UNION ALL "
        f"SELECT id, credit, 0, amount_minor, {shared} FROM ledger_transfer"
        " WHERE kind IN ('posted', 'post')"
    )


def _guard_sqlite(table: str) -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
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
