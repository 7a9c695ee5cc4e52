"""Requests and signed answers that nobody can need any more, so that a till does not keep every
one for good.

Rule 1: a request goes when it is old and about nothing that was open since: its sale or refund is
        over for as long. So do old questions that were answered or given up, and old words of this
        terminal about itself. What is open keeps what it may be sent again from.
Rule 2: money keeps its records. Sales, refunds, receipts and marks are not touched. A signed answer
        goes when what it is about has been over for as long as a refund or a dispute may still
        come: the payment, its refunds, its goods. What is not over is asked about every minute, and
        keeps all of the last days, and of older ones the first and the newest of each kind: what
        lies between says the same.
Rule 3: a few go at a time, the oldest first, so that no turn takes long.
"""

import sqlite3
from collections.abc import Iterable

from terminal.domain import refund as refunds
from terminal.domain import sale as sales
from terminal.domain.delivery import UNSETTLED, Delivery
from terminal.domain.sale import SaleState
from terminal.limits import (
    ANSWERS_FORGOTTEN_MAX,
    ANSWERS_KEPT_DAYS_MIN,
    ANSWERS_LOOKED_AT_MAX,
    ANSWERS_MAX,
    ANSWERS_REPEATED_KEPT_MS,
    DAY_MS,
    REQUESTS_FORGOTTEN_MAX,
    REQUESTS_LOOKED_AT_MAX,
)


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


_FORGET_OVER = f"""
DELETE FROM answers WHERE digest IN (
  SELECT digest FROM (
    SELECT digest, subject FROM answers WHERE at_ms < :before ORDER BY at_ms LIMIT :looked_at
  ) AS old
  WHERE NOT EXISTS (SELECT 1 FROM requests WHERE subject = old.subject AND state = 'open')
    AND NOT EXISTS (
      SELECT 1 FROM sales WHERE payment_id = old.subject AND (
        state NOT IN ({_listed(sales.FINAL_STATES)})
        OR ifnull(settled_at_ms, created_at_ms) >= :before
        OR delivery IN ({_listed(UNSETTLED)})
        OR (delivery = '{Delivery.NOT_GIVEN}' AND state = '{SaleState.PAID}')
      )
    )
    AND NOT EXISTS (
      SELECT 1 FROM refunds WHERE (refund_id = old.subject OR payment_id = old.subject) AND (
        state NOT IN ({_listed(refunds.FINAL_STATES)})
        OR ifnull(settled_at_ms, created_at_ms) >= :before
      )
    )
  LIMIT :most
)
"""  # noqa: S608  # words of our own
_FORGET_REPEATED = f"""
DELETE FROM answers WHERE digest IN (
  SELECT old.digest FROM (
    SELECT payment_id AS subject FROM sales WHERE state IN ({_listed(sales.OPEN_STATES)})
    UNION ALL
    SELECT refund_id FROM refunds WHERE state NOT IN ({_listed(refunds.FINAL_STATES)})
  ) AS asked JOIN answers AS old USING (subject)
  WHERE old.at_ms < :before AND EXISTS (
    SELECT 1 FROM answers WHERE subject = old.subject AND message_type = old.message_type
    AND at_ms < old.at_ms
  )
  AND EXISTS (
    SELECT 1 FROM answers WHERE subject = old.subject AND message_type = old.message_type
    AND at_ms > old.at_ms
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


def forget_answers(database: sqlite3.Connection, *, now_ms: int, kept_ms: int, count: int) -> int:
    """Forget a few of so many answers (rule 2); how many. Of too many (``ANSWERS_MAX``) what is
    over goes before its time, as far as ``ANSWERS_KEPT_DAYS_MIN`` allows. The caller holds the
    transaction."""
    if count > ANSWERS_MAX:
        kept_ms = min(kept_ms, ANSWERS_KEPT_DAYS_MIN * DAY_MS)
    over = {
        "before": now_ms - kept_ms,
        "looked_at": ANSWERS_LOOKED_AT_MAX,
        "most": ANSWERS_FORGOTTEN_MAX,
    }
    repeated = {"before": now_ms - ANSWERS_REPEATED_KEPT_MS, "most": ANSWERS_FORGOTTEN_MAX}
    return sum(
        database.execute(statement, values).rowcount
        for statement, values in ((_FORGET_OVER, over), (_FORGET_REPEATED, repeated))
    )


def has_requests(database: sqlite3.Connection, subject: str) -> bool:
    """Whether any request about a payment or refund is remembered."""
    found = database.execute("SELECT 1 FROM requests WHERE subject = ? LIMIT 1", (subject,))
    return found.fetchone() is not None
