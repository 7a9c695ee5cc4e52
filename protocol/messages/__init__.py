"""The bodies of requests and answers, by message type.

A body is a CBOR map with text keys. Unknown keys are kept (``model_extra``) and ignored, so that
an older program reads a newer one's message.
"""

from protocol.messages.answers import (
    ErrorBody,
    MandateChanged,
    MandateStanding,
    PaymentResult,
    Pong,
    RefundResult,
    Refusal,
)
from protocol.messages.base import Body, parse_body
from protocol.messages.explanation import ExplainedLine, Explanation, Reading
from protocol.messages.firmware import DeviceFirmware, FirmwareWanted
from protocol.messages.requests import (
    DeviceFingerprint,
    DeviceHello,
    MandateQuery,
    PaymentClose,
    PaymentCreate,
    PaymentQuery,
    PaymentReverse,
    RefundCreate,
    RefundQuery,
    Verification,
)
from protocol.messages.settings import DeviceSettings, SettingsWanted

REQUESTS: dict[str, type[Body]] = {
    "payment.create": PaymentCreate,
    "payment.query": PaymentQuery,
    "payment.close": PaymentClose,
    "payment.reverse": PaymentReverse,
    "refund.create": RefundCreate,
    "refund.query": RefundQuery,
    "mandate.query": MandateQuery,
    "device.hello": DeviceHello,
    "device.fingerprint": DeviceFingerprint,
    "device.settings": DeviceSettings,
    "device.firmware": DeviceFirmware,
}

ANSWERS: dict[str, type[Body]] = {
    "payment.result": PaymentResult,
    "refund.result": RefundResult,
    "mandate.standing": MandateStanding,
    "mandate.changed": MandateChanged,
    "settings.wanted": SettingsWanted,
    "firmware.wanted": FirmwareWanted,
    "refusal": Refusal,
    "pong": Pong,
}

__all__ = [
    "ANSWERS",
    "REQUESTS",
    "Body",
    "DeviceFingerprint",
    "DeviceFirmware",
    "DeviceHello",
    "DeviceSettings",
    "ErrorBody",
    "ExplainedLine",
    "Explanation",
    "FirmwareWanted",
    "MandateChanged",
    "MandateQuery",
    "MandateStanding",
    "PaymentClose",
    "PaymentCreate",
    "PaymentQuery",
    "PaymentResult",
    "PaymentReverse",
    "Pong",
    "Reading",
    "RefundCreate",
    "RefundQuery",
    "RefundResult",
    "Refusal",
    "SettingsWanted",
    "Verification",
    "parse_body",
]
