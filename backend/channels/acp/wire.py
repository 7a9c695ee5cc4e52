"""The wire of ACP 5.1.0 as both sides need it: what is signed, and how an answer is read. Pure.

Rule 1: the parameters but ``signature``, without empty ones, sorted by name, as ``name=value``
        joined by ``&``; their SHA-256 in lower hexadecimal is what is signed (SHA256withRSA,
        PKCS #1 v1.5, Base64).
Rule 2: an answer is ``name=value`` joined by ``&`` and nothing escaped. It carries the certificate
        that checks it (``signPubKeyCert``), which counts only if the known root has issued it and
        it is in force.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from backend.channels.acp.limits import FIELDS_MAX
from protocol.crypto.tls_keys import UNREADABLE
from protocol.errors import OperatingError

Form = dict[str, str]


def sign_text(parameters: Mapping[str, str]) -> bytes:
    """What is signed: the digest's text, not the digest."""
    pairs = sorted((n, v) for n, v in parameters.items() if n != "signature" and v)
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    return hashlib.sha256(joined.encode()).hexdigest().encode()


def holds(key: RSAPublicKey, parameters: Mapping[str, str]) -> bool:
    """Whether the signature of parameters is the key's."""
    try:
        signature = base64.b64decode(parameters.get("signature", ""), validate=True)
        key.verify(signature, sign_text(parameters), PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def signed(key: RSAPrivateKey, parameters: Mapping[str, str]) -> Form:
    """The parameters with their signature."""
    signature = key.sign(sign_text(parameters), PKCS1v15(), SHA256())
    return {**parameters, "signature": base64.b64encode(signature).decode()}


def read_answer(root: x509.Certificate, content: bytes, *, asked: Form, now_ms: int) -> Form:
    """The fields of a signed answer to ``asked``. ``OperatingError``: nothing can be concluded."""
    try:
        pairs = [pair.split("=", 1) for pair in content.decode("utf-8").split("&", FIELDS_MAX)]
        answer = {name: value for name, value in pairs}  # noqa: C416  # a pair may lack its value
        key = _key_of(root, answer["signPubKeyCert"], now_ms)
    except (*UNREADABLE, KeyError):
        raise OperatingError("internal", "no answer of the gateway's form") from None
    if len(answer) != len(pairs) or not holds(key, answer):
        raise OperatingError("internal", "the answer's signature does not hold")
    named = ("merId", "orderId", "txnTime", "txnType", "txnSubType")
    if any(answer.get(name) != asked.get(name) for name in named if asked.get(name)):
        raise OperatingError("internal", "the answer is to another message")
    if not answer.get("respCode"):
        raise OperatingError("internal", "an answer without a code")
    return answer


def _key_of(root: x509.Certificate, pem: str, now_ms: int) -> RSAPublicKey:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    certificate.verify_directly_issued_by(root)
    now = datetime.fromtimestamp(now_ms // 1000, UTC)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise ValueError("the certificate is not in force")
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise TypeError("not an RSA certificate")
    return key
