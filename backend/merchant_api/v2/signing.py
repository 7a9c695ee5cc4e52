"""How a call, an answer and a notice of API v2 are signed: with a key that both sides have. Pure.

The fields but ``sign`` and the empty ones are sorted by their names' bytes and joined as
``name=text`` with ``&``; ``&key=`` and the APIv2 key end the text.
"""

import hashlib
import hmac
from collections.abc import Mapping
from enum import StrEnum


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
