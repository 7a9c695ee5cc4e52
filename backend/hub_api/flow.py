"""Which flow a device's request is of, and how it ended. Pure."""

from collections.abc import Mapping
from typing import Any

from backend.observability.flows import Flow, Outcome
from protocol.errors import CallerError, TillwayError

_BY_METHOD = {
    "pay_code": Flow.SALE_BY_CODE,
    "merchant_qr": Flow.SHOWN_CODE,
    "mandate": Flow.MANDATE_DEBIT,
}
_BY_TYPE = {
    "payment.query": Flow.ASKING,
    "payment.close": Flow.ASKING,
    "payment.reverse": Flow.ASKING,
    "refund.query": Flow.ASKING,
    "refund.create": Flow.REFUND,
}


def flow_of(message_type: str, body: Mapping[str, Any]) -> Flow | None:
    """The flow of a request; None for what no money depends on (a hello, a reading)."""
    if message_type == "payment.create":
        return _BY_METHOD.get(str(body.get("method")))
    return _BY_TYPE.get(message_type)


def outcome_of(answer: object) -> Outcome:
    """How a request ended: with an error, or with an answer ``(type, body)``."""
    if isinstance(answer, TillwayError):
        return Outcome.REFUSED if isinstance(answer, CallerError) else Outcome.FAILED
    match answer:
        case (_, {"state": "declined" | "failed"}):
            return Outcome.REFUSED
        case (_, {"state": "unknown"}):
            return Outcome.FAILED
    return Outcome.DONE
