"""What the dispatcher gets of a device's request."""

from dataclasses import dataclass

from protocol.messages import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRequest:
    """A checked request of an enrolled device."""

    request_id: str
    device: str
    store: str
    merchant_id: str
    message_type: str
    body: Body
    content_hash: bytes
    received_at_ms: int
    trace_id: str
