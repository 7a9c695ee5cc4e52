"""A scanned code of another wallet at rest: sealed, for the short while until it is asked for.

Rule: it opens only under the installation's master and for the payment it was scanned for. The seal
is deterministic (AES-SIV, RFC 5297), so a command that is decided twice stores the same.
"""

import base64
import binascii
import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from protocol.errors import OperatingError

_CONTEXT = b"tillway scanned codes of other wallets 1"


def seal_code(master_key: bytes, payment_id: str, code: str) -> str:
    """What may be stored with the payment's conversation."""
    sealed = _cipher(master_key).encrypt(code.encode(), [payment_id.encode()])
    return base64.b64encode(sealed).decode()


def open_code(master_key: bytes, payment_id: str, sealed: str) -> str:
    """The code; ``OperatingError`` where it was sealed elsewhere."""
    try:
        content = base64.b64decode(sealed, validate=True)
        return _cipher(master_key).decrypt(content, [payment_id.encode()]).decode()
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise OperatingError("internal", "a scanned code that does not open") from error


def _cipher(master_key: bytes) -> AESSIV:
    return AESSIV(hmac.digest(master_key, _CONTEXT, hashlib.sha512))
