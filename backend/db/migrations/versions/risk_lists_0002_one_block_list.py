"""There is one block list: payers of the older one are on the lists, and its table goes."""

from alembic import op

revision = "risk_lists_0002"
down_revision = "risk_lists_0001"
branch_labels = None
depends_on = "payments_0001"


def upgrade() -> None:
    """Whoever was blocked by either list is blocked, for the longer of both, with the step written
    down. The older list's word counts over the allow list's, as it did."""
    op.execute("""
        INSERT INTO risk_list_event (kind, value, number, list_before, list_after, reason, owner,
            until_ms, actor, at_ms)
        SELECT 'payer', old.payer_id, COALESCE(known.event_count, 0) + 1,
            COALESCE(known.list_name, ''), 'block', old.reason, 'operator', old.until_ms,
            'operator', old.updated_at_ms
        FROM risk_block AS old LEFT JOIN risk_list_entry AS known
            ON known.kind = 'payer' AND known.value = old.payer_id
        WHERE old.is_on = 1 AND (known.list_name IS NULL OR known.list_name <> 'block'
            OR (known.until_ms > 0 AND (old.until_ms = 0 OR old.until_ms > known.until_ms)))
    """)
    op.execute("""
        UPDATE risk_list_entry SET list_name = 'block', owner = 'operator',
            event_count = event_count + 1,
            reason = (SELECT reason FROM risk_block WHERE payer_id = value),
            until_ms = (SELECT until_ms FROM risk_block WHERE payer_id = value),
            updated_at_ms = (SELECT updated_at_ms FROM risk_block WHERE payer_id = value)
        WHERE kind = 'payer' AND EXISTS (SELECT 1 FROM risk_block AS old
            WHERE old.payer_id = risk_list_entry.value AND old.is_on = 1
            AND (risk_list_entry.list_name <> 'block' OR (risk_list_entry.until_ms > 0
                AND (old.until_ms = 0 OR old.until_ms > risk_list_entry.until_ms))))
    """)
    op.execute("""
        INSERT INTO risk_list_entry (kind, value, list_name, reason, owner, until_ms,
            updated_at_ms, event_count)
        SELECT 'payer', old.payer_id, 'block', old.reason, 'operator', old.until_ms,
            old.updated_at_ms, 1
        FROM risk_block AS old
        WHERE old.is_on = 1 AND NOT EXISTS (SELECT 1 FROM risk_list_entry AS known
            WHERE known.kind = 'payer' AND known.value = old.payer_id)
    """)
    op.drop_table("risk_block")


def downgrade() -> None:
    """Who was blocked and why is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
