"""A conversation may begin with one channel and go on with another, and pays out, too.

Conversations of before keep the channel they were with: ``CARD`` is the former card channel's id.
Its books, ``CH:CARD.<date>``, stay as they are. The backend has them carried on by the channel that
``routing.former_channels`` names (NetsUnion, where nothing else is said).

A top-up is a conversation like others from now on. One that is still open gets its row here, with
the former channel ``BANK``: it was perhaps sent, so it is asked about, and then reversed.
"""

import sqlalchemy as sa
from alembic import op

revision = "sagas_0004"
down_revision = "sagas_0003"
branch_labels = None
depends_on = "clearing_0001"

_TOPUPS = """INSERT INTO saga (saga_id, kind, payment_id, channel_id, planned_channel_id, token,
    amount_minor, currency, state, planned_date, tries, next_try_ms, deadline_ms, reference,
    settlement_date, error, trace_id, created_at_ms, updated_at_ms, event_count)
    SELECT topup_id, 'top_up', topup_id, 'BANK', 'BANK', bank_account, amount_minor, currency,
    'unknown', '', 1, updated_at_ms, updated_at_ms, '', '', '', '', created_at_ms, updated_at_ms, 1
    FROM topup WHERE state IN ('processing', 'unknown')"""
_TOPUP_EVENTS = """INSERT INTO saga_event (saga_id, number, event, state_before, state_after, at_ms,
    detail) SELECT saga_id, 1, 'SagaPlanned', '', 'unknown', created_at_ms, '{}'
    FROM saga WHERE kind = 'top_up'"""


def upgrade() -> None:
    """What is held is held for the channel that was asked."""
    for name in ("planned_channel_id", "fallbacks", "holder"):
        op.add_column("saga", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE saga SET planned_channel_id = channel_id")
    op.execute(_TOPUPS)
    op.execute(_TOPUP_EVENTS)


def downgrade() -> None:
    """Money's timelines are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
