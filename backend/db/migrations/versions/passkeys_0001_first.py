"""Passkeys: a payer's fingerprint or face in the browser, in place of the PIN."""

import sqlalchemy as sa
from alembic import op

revision = "passkeys_0001"
down_revision = None
branch_labels = ("passkeys",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "passkey",
        sa.Column("credential_id", sa.LargeBinary(), primary_key=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("payer_id", "name", "rp_id")),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, _INTEGER, nullable=False) for name in ("sign_count", "created_at_ms")),
        *(sa.Column(name, _INTEGER, nullable=True) for name in ("used_at_ms", "removed_at_ms")),
        sa.CheckConstraint("sign_count >= 0", name="sign_count"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index("ix_passkey_payer", "passkey", ["payer_id", "created_at_ms"])
    op.create_table(
        "passkey_holder",
        sa.Column("payer_id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("credential_ids", sa.Text(), nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("challenge", "nonce")),
        sa.Column("expires_at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """What payers have confirmed is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
