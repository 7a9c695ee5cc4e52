"""PINs as salted slow hashes (scrypt, RFC 7914). Blocks for some tens of milliseconds, so it is
called on a thread.
"""

import hashlib
import hmac

from protocol.errors import CallerError

SALT_BYTES = 16
_COST, _BLOCK, _LANES = 2**14, 8, 1
_DIGEST_BYTES = 32


def pin_digest(pin: str, salt: bytes) -> bytes:
    """What is kept of a PIN."""
    return hashlib.scrypt(pin.encode(), salt=salt, n=_COST, r=_BLOCK, p=_LANES, dklen=_DIGEST_BYTES)


def is_pin(pin: str, *, salt: bytes, digest: bytes) -> bool:
    """Whether this is the PIN."""
    return hmac.compare_digest(pin_digest(pin, salt), digest)


def renewed_digest(pin: str, salt: bytes, *, kept: tuple[bytes, bytes]) -> bytes:
    """What is kept of a PIN that is renewed; ``staff_pin_same`` if it is the one that is kept."""
    if is_pin(pin, salt=kept[0], digest=kept[1]):
        raise CallerError("staff_pin_same")
    return pin_digest(pin, salt)
