"""An instrument has one token for each channel that serves it.

A card's token of before was given by the card channel, whose business NetsUnion has taken over: it
is kept as NetsUnion's. A fund's is known to the fund and to its bank.
"""

import sqlalchemy as sa
from alembic import op

revision = "instruments_0003"
down_revision = "instruments_0002"
branch_labels = None
depends_on = None

_MOVED = (("card", "NUCC"), ("fund", "ADVBANK"), ("fund", "FUND"))
_TOKENS = sa.text(
    "INSERT INTO instrument_channel (instrument_id, channel_id, token)"
    " SELECT instrument_id, CAST(:channel_id AS TEXT), token FROM instrument WHERE kind = :kind"
)
_OWNERS = sa.text(
    "INSERT INTO channel_token (channel_id, token, payer_id)"
    " SELECT CAST(:channel_id AS TEXT), token, payer_id FROM instrument_token WHERE kind = :kind"
)


def upgrade() -> None:
    """Move the tokens, and whose they are."""
    for table, key in (
        ("instrument_channel", ("instrument_id", "channel_id")),
        ("channel_token", ("channel_id", "token")),
    ):
        rest = "token" if table == "instrument_channel" else "payer_id"
        op.create_table(
            table,
            *(sa.Column(name, sa.Text(), primary_key=True, nullable=False) for name in key),
            sa.Column(rest, sa.Text(), nullable=False),
            sqlite_with_rowid=False,
            sqlite_strict=True,
        )
    for kind, channel_id in _MOVED:
        values = {"channel_id": channel_id, "kind": kind}
        op.execute(_TOKENS.bindparams(**values))
        op.execute(_OWNERS.bindparams(**values))
    op.drop_table("instrument_token")
    op.drop_column("instrument", "token")


def downgrade() -> None:
    """Whose a token is is never forgotten by a program."""
    raise RuntimeError("this migration cannot be undone")
