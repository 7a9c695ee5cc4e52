"""Time stamps: append-only."""

import sqlalchemy as sa
from alembic import op

revision = "stamping_0001"
down_revision = None
branch_labels = ("stamping",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLE = "time_stamp"


def upgrade() -> None:
    """Make the table and its guard."""
    op.create_table(
        _TABLE,
        sa.Column("subject", sa.Text(), primary_key=True, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    (_guard_sqlite if op.get_bind().dialect.name == "sqlite" else _guard_postgres)()


def downgrade() -> None:
    """Evidence is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _guard_sqlite() -> None:
    refuse = f" BEGIN SELECT RAISE(ABORT, '{_TABLE} is append-only'); END"
    for verb in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER {_TABLE}_no_{verb.lower()} BEFORE {verb} ON {_TABLE}{refuse}")
    op.execute(
        f"CREATE TRIGGER {_TABLE}_no_replace BEFORE INSERT ON {_TABLE}"  # noqa: S608
        f" WHEN EXISTS (SELECT 1 FROM {_TABLE} WHERE subject = NEW.subject){refuse}"
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
