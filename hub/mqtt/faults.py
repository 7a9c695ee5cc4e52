"""What a peer can do wrong on the wire."""

from mqtt5 import DisconnectReasonCode


class WireError(Exception):
    """A peer broke the protocol; ``reason`` is the code to tell it (MQTT 5.0 §4.13)."""

    def __init__(self, reason: DisconnectReasonCode, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason.name}: {detail}")


def malformed(detail: str) -> WireError:
    """A packet that cannot be parsed (§1.2)."""
    return WireError(DisconnectReasonCode.MALFORMED_PACKET, detail)


def violation(detail: str) -> WireError:
    """A packet that can be parsed but must not be sent (§1.2)."""
    return WireError(DisconnectReasonCode.PROTOCOL_ERROR, detail)
