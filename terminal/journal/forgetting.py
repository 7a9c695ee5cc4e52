"""Requests that nobody can need any more, so that a till does not keep every one for good.

Rule 1: a request goes when it is old and about nothing that was open since: its sale or refund is
        over for as long. So do old questions that were answered or given up, and old words of this
        terminal about itself. What is open keeps what it may be sent again from.
Rule 2: money keeps its records. Sales, refunds, receipts, marks and signed answers are not touched.
Rule 3: a few go at a time, the oldest first, so that no turn takes long.
"""

import sqlite3
from collections.abc import Iterable

from terminal.domain import refund as refunds
from terminal.domain import sale as sales
from terminal.limits import REQUESTS_FORGOTTEN_MAX, REQUESTS_LOOKED_AT_MAX


def _listed(states: Iterable[str]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


_FORGET = f"""
DELETE FROM requests WHERE rowid IN (
  SELECT number FROM (
    SELECT rowid AS number, message_type, subject, state, created_at_ms FROM requests
    ORDER BY rowid LIMIT :looked_at
  ) AS old
  WHERE created_at_ms < :before AND (
    message_type LIKE 'device.%'
    OR state <> 'open' AND (
      message_type IN ('payment.query', 'refund.query')
      OR EXISTS (
        SELECT 1 FROM sales WHERE payment_id = old.subject
        AND state IN ({_listed(sales.FINAL_STATES)}) AND ifnull(settled_at_ms, 0) < :before
      )
      OR EXISTS (
        SELECT 1 FROM refunds WHERE refund_id = old.subject
        AND state IN ({_listed(refunds.FINAL_STATES)}) AND ifnull(settled_at_ms, 0) < :before
      )
    )
  )
  LIMIT :most
)
"""  # noqa: S608  # words of our own


def forget_requests(database: sqlite3.Connection, *, before_ms: int) -> None:
    """Forget a few from before this time. The caller holds the transaction."""
    values = {
        "before": before_ms,
        "looked_at": REQUESTS_LOOKED_AT_MAX,
        "most": REQUESTS_FORGOTTEN_MAX,
    }
    database.execute(_FORGET, values)


def has_requests(database: sqlite3.Connection, subject: str) -> bool:
    """Whether any request about a payment or refund is remembered."""
    found = database.execute("SELECT 1 FROM requests WHERE subject = ? LIMIT 1", (subject,))
    return found.fetchone() is not None
