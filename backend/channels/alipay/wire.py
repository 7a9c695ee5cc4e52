"""The gateway's wire as both sides need it: what is signed, and amounts. Pure.

Rule 1: a request signs every parameter but ``sign`` that is not empty, sorted by name, as
        ``name=value`` joined by ``&`` (SHA256withRSA, PKCS #1 v1.5, Base64).
Rule 2: an answer signs the exact text of its inner node: that text is verified before it is used,
        and what is used is read from it.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from protocol.errors import OperatingError

DONE, WAITS_FOR_BUYER, UNKNOWN, REFUSED = "10000", "10003", "20000", "40004"
_YUAN = re.compile(r"(-?)(\d{1,11})(?:\.(\d{1,2}))?", re.ASCII)
_JSON = json.JSONDecoder()


def sign_text(parameters: Mapping[str, str]) -> bytes:
    """What a request signs."""
    pairs = sorted((name, value) for name, value in parameters.items() if name != "sign" and value)
    return "&".join(f"{name}={value}" for name, value in pairs).encode()


def holds(key: RSAPublicKey, text: bytes, signature: str) -> bool:
    """Whether a signature in Base64 is the key's over a text."""
    try:
        key.verify(base64.b64decode(signature, validate=True), text, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def signature_of(key: RSAPrivateKey, text: bytes) -> str:
    """The key's signature over a text, in Base64."""
    return base64.b64encode(key.sign(text, PKCS1v15(), SHA256())).decode()


def read_answer(
    key: RSAPublicKey, method: str, content: bytes, *, certificate: str = ""
) -> dict[str, object]:
    """The fields of a signed answer to a method, or of a signed error. ``OperatingError``: nothing
    can be concluded from it. ``certificate``: the number of the one that must have signed."""
    try:
        text = content.decode("utf-8")
        found = json.loads(text)
        name = next(n for n in (f"{method.replace('.', '_')}_response", "error_response")
                    if n in found)  # fmt: skip
        begin = text.index(":", text.index(f'"{name}"') + len(name) + 2) + 1
        begin += len(text[begin:]) - len(text[begin:].lstrip())
        node, end = _JSON.raw_decode(text, begin)
        signature = found["sign"]
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError):
        raise OperatingError("internal", f"{method}: no answer of the gateway's form") from None
    if certificate and found.get("alipay_cert_sn") != certificate:
        raise OperatingError("internal", f"{method}: signed under another certificate")
    if not isinstance(signature, str) or not holds(key, text[begin:end].encode(), signature):
        raise OperatingError("internal", f"{method}: the answer's signature does not hold")
    if not isinstance(node, dict) or not isinstance(node.get("code"), str):
        raise OperatingError("internal", f"{method}: an answer without a code")
    return node


def yuan(amount_minor: int) -> str:
    """Fen as the gateway writes them: yuan with two decimals."""
    sign, minor = "-" if amount_minor < 0 else "", abs(amount_minor)
    return f"{sign}{minor // 100}.{minor % 100:02}"


def fen(text: object) -> int | None:
    """Yuan as text, with at most two decimals, in fen; None for anything else."""
    found = _YUAN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    minor = int(found[2]) * 100 + int((found[3] or "").ljust(2, "0"))
    return -minor if found[1] else minor
