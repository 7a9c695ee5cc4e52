"""A merchant number may have several certificates, so that one can follow another."""

import sqlalchemy as sa
from alembic import op

revision = "merchant_api_0010"
down_revision = "merchant_api_0009"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Each number's only certificate moves into the table; it is good for 1,827 days."""
    op.create_table(
        "merchant_api_certificate",
        sa.Column("mchid", sa.Text(), primary_key=True, nullable=False),
        sa.Column("serial", sa.Text(), primary_key=True, nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("begins_at_ms", _INTEGER, nullable=False),
        sa.Column("ends_at_ms", _INTEGER, nullable=False),
        sa.Column("retired_at_ms", _INTEGER, nullable=True),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO merchant_api_certificate"
        " (mchid, serial, certificate, begins_at_ms, ends_at_ms)"
        " SELECT mchid, serial, certificate, created_at_ms, created_at_ms + 157852800000"
        " FROM merchant_api_account"
    )
    op.drop_column("merchant_api_account", "serial")
    op.drop_column("merchant_api_account", "certificate")
    count = sa.Column("certificate_count", _INTEGER, nullable=False, server_default="1")
    op.add_column("merchant_api_account", count)


def downgrade() -> None:
    """Who may call is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
