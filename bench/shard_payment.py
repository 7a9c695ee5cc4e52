"""The benchmark's payment when payer and merchant live on two shards.

The payer's shard writes the charge and the crossing, whose row is the idempotency key; the
merchant's shard writes what ``payment_command`` writes: key, payment, transfers, outbox.
"""

import hashlib
import json

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.shards.model import Crossing, Order
from bench.payment_command import CURRENCY, DATE, FEE_BPS, KEY, OUTBOX, PAYMENT, PayFromBalance
from protocol.errors import CallerError
from protocol.money import fee_half_up


def order_of(payment: PayFromBalance) -> Order:
    """The same payment as an order that crosses."""
    return Order(
        event_id=payment.payment_id,
        user_id=payment.user_id,
        owner=payment.merchant_id,
        amount_minor=payment.amount_minor,
        fee_minor=fee_half_up(payment.amount_minor, FEE_BPS),
        currency=CURRENCY,
        business_date=DATE,
        details=json.dumps({"request_id": payment.request_id, "description": "coffee"}),
    )


class BenchPayee:
    """The merchant's rows. Implements ``Payee``."""

    def reads(self, crossing: Crossing) -> list[Read]:
        """Key and payment."""
        return [(KEY, _told(crossing)["request_id"]), (PAYMENT, crossing.event_id)]

    def credit(self, ws: WorkingSet, crossing: Crossing, now_ms: int) -> None:
        """Refuses a request or a payment that was seen; else writes the three rows."""
        told = _told(crossing)
        request_id, payment_id = told["request_id"], crossing.event_id
        if ws.find(KEY, request_id) is not None or ws.get(PAYMENT, payment_id) is not None:
            raise CallerError("idempotency_conflict", payment_id)
        content = f"{payment_id}|{crossing.user_id}|{crossing.owner}|{crossing.amount_minor}"
        content_hash = hashlib.sha256(content.encode()).hexdigest()
        ws.append(KEY, [(request_id, content_hash, payment_id, now_ms)])
        ws.insert(
            PAYMENT,
            {
                "id": payment_id,
                "state": "captured",
                "method": "pay_code",
                "merchant_id": crossing.owner,
                "user_id": crossing.user_id,
                "amount_minor": crossing.amount_minor,
                "fee_minor": crossing.fee_minor,
                "refunded_minor": 0,
                "currency": crossing.currency,
                "device": "T0001",
                "till": "1",
                "description": told["description"],
                "created_at_ms": crossing.at_ms,
                "paid_at_ms": now_ms,
            },
        )
        body = f'{{"payment_id":"{payment_id}","amount_minor":{crossing.amount_minor}}}'
        ws.insert(
            OUTBOX,
            {
                "id": payment_id,
                "kind": "payment.captured",
                "receiver": crossing.owner,
                "body": body,
                "due_at_ms": now_ms,
                "tries": 0,
            },
        )


def _told(crossing: Crossing) -> dict[str, str]:
    told: dict[str, str] = json.loads(crossing.details)
    return told
