"""What two ends of TLS agreed on, read from the bytes on the wire and from nothing else.

RFC 8446 §4.1.2, §4.1.3, §4.2, §5.1. Written without any TLS library.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

HANDSHAKE, SERVER_HELLO = 22, 2
SUPPORTED_VERSIONS, KEY_SHARE = 43, 51
TLS_1_3 = 0x0304
TLS_AES_128_GCM_SHA256, TLS_SM4_GCM_SM3 = 0x1301, 0x00C6
X25519_MLKEM768, CURVE_SM2_MLKEM768 = 0x11EC, 0x11EE
RETRY = sha256(b"HelloRetryRequest").digest()


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a ServerHello chose."""

    version: int
    suite: int
    group: int


def agreed(from_server: bytes) -> Agreed:
    """What the server chose, from all that it sent."""
    for message in _handshakes(from_server):
        if message[0] == SERVER_HELLO and message[6:38] != RETRY:
            return _server_hello(message[4:])
    raise AssertionError("no ServerHello was sent in the clear")


def _handshakes(stream: bytes) -> Iterator[bytes]:
    """Handshake messages that are sent in the clear."""
    content, at = b"", 0
    while at + 5 <= len(stream):
        size = int.from_bytes(stream[at + 3 : at + 5], "big")
        if stream[at] == HANDSHAKE:
            content += stream[at + 5 : at + 5 + size]
        at += 5 + size
    while len(content) >= 4:
        size = 4 + int.from_bytes(content[1:4], "big")
        yield content[:size]
        content = content[size:]


def _server_hello(body: bytes) -> Agreed:
    at = 34  # legacy version and random
    at += 1 + body[at]  # the session id's echo
    suite = int.from_bytes(body[at : at + 2], "big")
    at += 2 + 1 + 2  # suite, compression, the extensions' length
    found: dict[int, bytes] = {}
    while at < len(body):
        kind, size = (int.from_bytes(body[at + n : at + n + 2], "big") for n in (0, 2))
        found[kind] = body[at + 4 : at + 4 + size]
        at += 4 + size
    version, share = found[SUPPORTED_VERSIONS], found[KEY_SHARE]
    return Agreed(int.from_bytes(version, "big"), suite, int.from_bytes(share[:2], "big"))
