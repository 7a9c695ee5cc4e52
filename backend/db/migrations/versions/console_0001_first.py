"""The console's people and their sessions."""

import sqlalchemy as sa
from alembic import op

revision = "console_0001"
down_revision = None
branch_labels = ("console",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "console_user",
        sa.Column("name", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("role", "merchant_id")),
        *(
            sa.Column(name, sa.LargeBinary(), nullable=False)
            for name in ("password_salt", "password_hash", "totp_sealed")
        ),
        *_integers("totp_step", "tries", "locked_until_ms", "is_closed", "created_at_ms"),
        **_SQLITE,
    )
    op.create_table(
        "console_session",
        sa.Column("token_hash", sa.LargeBinary(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        *_integers("began_at_ms", "seen_at_ms", "is_ended"),
        **_SQLITE,
    )


def downgrade() -> None:
    """Who signed in is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _integers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, _INTEGER, nullable=False, autoincrement=False) for name in names]
