"""What a hub's EDHOC credential looks like to both sides (RFC 9528 §3.5.2, a CWT claims set).

The key is a P-256 point, 64 bytes x‖y, which the hub's signed state carries.
"""

from typing import Any

from protocol.errors import CallerError

KEY_BYTES = 64
STATE_FIELD = "edhoc"
"""Where the key stands in the body of ``hub.state``."""
_HUB_KID = b"\x68"  # never looked up: a device has one hub


def hub_credential(key: bytes) -> dict[int, Any]:
    """The claims set: ``cnf`` with a COSE key. ``CallerError`` if the key has another length."""
    if len(key) != KEY_BYTES:
        raise CallerError("field_invalid", "edhoc key")
    x, y = key[:32], key[32:]
    return {2: "hub", 8: {1: {1: 2, 2: _HUB_KID, -1: 1, -2: x, -3: y}}}
