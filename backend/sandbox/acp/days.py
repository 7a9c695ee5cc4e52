"""A merchant's days at UnionPay's gateway.

Rule: a day ends at 23:00 in China. What was taken and given back on it stands in its file; what was
      reversed has failed, and stands in none.
"""

from datetime import date

from backend.channels.acp.day_file import ZmRow
from backend.channels.days import channel_day
from backend.sandbox.acp.limits import FEE_MINOR_MAX, FEE_PPM
from backend.sandbox.acp.transactions import PAY, merchant
from backend.sandbox.acp.wire import DONE
from backend.sandbox.institution.payee_days import Payee, PayeeDays

PAYEE = Payee(settlement="SETTLE-CUPQR")
"""Nobody, until one is named."""
CUT_OFF_MINUTE = 23 * 60


class Days(PayeeDays[ZmRow]):
    """Every merchant's days, in the gateway's books."""

    TABLE = "acp_day"
    REFERENCE = "STL-CUPQR"

    def account(self, number: str) -> str:
        """As ``PayeeDays.account``; the number is the ``merId``."""
        return merchant(number)

    def _first_after(self, number: str, day: str) -> str | None:
        query = "SELECT min(day) FROM acp_transaction WHERE mer_id = ? AND state = ? AND day > ?"
        found: str | None = self._books.db.execute(query, (number, DONE, day)).fetchone()[0]
        return found

    def _rows(self, number: str, day: date) -> list[ZmRow]:
        found = self._books.db.execute(
            "SELECT order_id, query_id, txn_type, amount_minor, payer, txn_time"
            " FROM acp_transaction WHERE mer_id = ? AND day = ? AND state = ? ORDER BY query_id",
            (number, day.isoformat(), DONE),
        )
        return [
            ZmRow(
                order_id=order_id,
                query_id=query_id,
                amount_minor=amount if txn_type == PAY else -amount,
                fee_minor=fee_minor(amount) if txn_type == PAY else 0,
                payer=payer[:19],
                sent_at=txn_time[4:],
            )
            for order_id, query_id, txn_type, amount, payer, txn_time in found
        ]


def business_day(at_ms: int) -> date:
    """The gateway's business day at a moment."""
    return channel_day(at_ms, CUT_OFF_MINUTE)


def fee_minor(amount_minor: int) -> int:
    """What is charged for a payment: a rate, rounded half up to a fen, to its cap."""
    by_rate = (amount_minor * FEE_PPM * 2 + 1_000_000) // 2_000_000
    return min(by_rate, FEE_MINOR_MAX)
