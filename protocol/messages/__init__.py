"""The bodies of requests and answers, by message type.

A body is a CBOR map with text keys. Unknown keys are kept (``model_extra``) and ignored, so that
an older program reads a newer one's message.
"""

from protocol.messages.answers import (
    ErrorBody,
    PaymentResult,
    Pong,
    RefundResult,
    Refusal,
)
from protocol.messages.base import Body, parse_body
from protocol.messages.requests import (
    DeviceFingerprint,
    DeviceHello,
    PaymentClose,
    PaymentCreate,
    PaymentQuery,
    PaymentReverse,
    RefundCreate,
    RefundQuery,
    Verification,
)

REQUESTS: dict[str, type[Body]] = {
    "payment.create": PaymentCreate,
    "payment.query": PaymentQuery,
    "payment.close": PaymentClose,
    "payment.reverse": PaymentReverse,
    "refund.create": RefundCreate,
    "refund.query": RefundQuery,
    "device.hello": DeviceHello,
    "device.fingerprint": DeviceFingerprint,
}

ANSWERS: dict[str, type[Body]] = {
    "payment.result": PaymentResult,
    "refund.result": RefundResult,
    "refusal": Refusal,
    "pong": Pong,
}

__all__ = [
    "ANSWERS",
    "REQUESTS",
    "Body",
    "DeviceFingerprint",
    "DeviceHello",
    "ErrorBody",
    "PaymentClose",
    "PaymentCreate",
    "PaymentQuery",
    "PaymentResult",
    "PaymentReverse",
    "Pong",
    "RefundCreate",
    "RefundQuery",
    "RefundResult",
    "Refusal",
    "Verification",
    "parse_body",
]
