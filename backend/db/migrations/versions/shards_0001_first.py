"""Shards: the place on the map, crossings, refusals and lanes."""

import sqlalchemy as sa
from alembic import op

revision = "shards_0001"
down_revision = None
branch_labels = ("shards",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}
_TABLE = "shard_crossing"


def upgrade() -> None:
    """Make the tables and the guard."""
    op.create_table(
        "shard_place",
        *_texts("id", is_key=True),
        *_integers("number"),
        *_texts("founding"),
        *_integers("epoch", "count"),
        sa.Column("places", sa.LargeBinary(), nullable=False),
        **_SQLITE,
    )
    op.create_table(
        _TABLE,
        *_texts("event_id", is_key=True),
        *_integers("peer", "seq"),
        *_texts("user_id", "owner"),
        *_integers("amount_minor", "fee_minor"),
        *_texts("currency", "business_date", "details"),
        *_integers("at_ms"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        **_SQLITE,
    )
    op.create_index("ix_shard_crossing_lane", _TABLE, ["peer", "seq"], unique=True)
    op.create_table(
        "shard_refusal",
        *_integers("sender", "seq", is_key=True),
        *_texts("event_id", "code"),
        *_integers("at_ms"),
        **_SQLITE,
    )
    op.create_table(
        "shard_lane",
        *_integers("peer", is_key=True),
        *_integers("sent_seq", "settled_seq", "received_seq", "refused_seq"),
        **_SQLITE,
    )
    (_guard_sqlite if op.get_bind().dialect.name == "sqlite" else _guard_postgres)()


def downgrade() -> None:
    """Money is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=False) for name in names]


def _integers(*names: str, is_key: bool = False) -> list[sa.Column[int]]:
    return [
        sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
        for name in names
    ]


def _guard_sqlite() -> None:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_TABLE} is append-only'); END"
    for verb in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER {_TABLE}_no_{verb.lower()} BEFORE {verb} ON {_TABLE} {refuse}")
    op.execute(
        f"CREATE TRIGGER {_TABLE}_no_replace BEFORE INSERT ON {_TABLE}"  # noqa: S608
        f" WHEN EXISTS (SELECT 1 FROM {_TABLE} WHERE event_id = NEW.event_id"
        f" OR (peer = NEW.peer AND seq = NEW.seq)) {refuse}"
    )


def _guard_postgres() -> None:
    op.execute(
        f"CREATE FUNCTION {_TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN RAISE EXCEPTION '{_TABLE} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {_TABLE}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {_TABLE}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {_TABLE}_refuse()"
    )
