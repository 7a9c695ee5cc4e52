"""How a call, an answer and a notice of API v2 are signed: with a key that both sides have. Pure.

The fields but ``sign`` and the empty ones are sorted by their names' bytes and joined as
``name=text`` with ``&``; ``&key=`` and the APIv2 key end the text.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from enum import StrEnum

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.padding import PKCS7


class SignType(StrEnum):
    """What ``sign_type`` may say; nothing means the first."""

    MD5 = "MD5"
    HMAC_SHA256 = "HMAC-SHA256"


def signature(fields: Mapping[str, str], key: str, sign_type: SignType) -> str:
    """Upper-case hex."""
    parts = [f"{name}={fields[name]}" for name in sorted(fields) if name != "sign" and fields[name]]
    text = "&".join([*parts, f"key={key}"]).encode()
    if sign_type is SignType.HMAC_SHA256:
        return hmac.digest(key.encode(), text, hashlib.sha256).hex().upper()
    # The interface's default: it proves who knows the key, not what nobody can forge.
    return hashlib.md5(text, usedforsecurity=False).hexdigest().upper()


def is_signed(fields: Mapping[str, str], key: str, sign_type: SignType) -> bool:
    """Whether the fields' ``sign`` is theirs."""
    wanted = signature(fields, key, sign_type).encode()
    return hmac.compare_digest(wanted, fields.get("sign", "").encode())


def seal_notice(plain: bytes, key: str) -> str:
    """What a notice of a refund hides: AES-256 in ECB mode with PKCS #7, under the lower-case hex
    of the APIv2 key's MD5; base64. The interface asks for this mode: equal blocks show as such."""
    secret = hashlib.md5(key.encode(), usedforsecurity=False).hexdigest().encode()
    padder = PKCS7(AES.block_size).padder()
    padded = padder.update(plain) + padder.finalize()
    encryptor = Cipher(AES(secret), ECB()).encryptor()  # noqa: S305  # the interface's mode
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")
