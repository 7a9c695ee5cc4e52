"""What devices said of themselves, and how each stands."""

import sqlalchemy as sa
from alembic import op

revision = "risk_devices_0001"
down_revision = None
branch_labels = ("risk_devices",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "device_reading",
        *_texts("tid", is_key=True),
        *_integers("number", is_key=True),
        *_integers("received_at_ms", "judged_at_ms", "trust_ppm", "accepted_at_ms"),
        *_texts("attrs", "verdict", "reasons", "changed", "accepted_by", "words"),
        *_bytes("digest"),
        **_SQLITE,
    )
    op.create_index(
        "ix_device_reading_judged",
        "device_reading",
        ["judged_at_ms", "received_at_ms", "tid", "number"],
    )
    op.create_index(
        "ix_device_reading_accepted", "device_reading", ["accepted_at_ms", "tid", "number"]
    )
    op.create_table(
        "device_trust",
        *_texts("tid", is_key=True),
        *_integers("reading_count", "day", "day_count", "judged_number"),
        *_integers("judged_received_at_ms", "trust_ppm"),
        *_bytes("digest", "judged_digest"),
        *_texts("verdict"),
        **_SQLITE,
    )


def downgrade() -> None:
    """What was judged is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=False) for name in names]


def _integers(*names: str, is_key: bool = False) -> list[sa.Column[int]]:
    return [
        sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
        for name in names
    ]


def _bytes(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary(), nullable=False) for name in names]
