"""The gateway's wire: parameters signed by RSA2, answers signed over their raw text. Pure.

Rule 1: a request signs every parameter but ``sign`` that is not empty, sorted by name, as
        ``name=value`` joined by ``&`` (SHA256withRSA, PKCS #1 v1.5, Base64).
Rule 2: an answer signs the exact text of its inner node, so that text is made once and pasted.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from backend.sandbox.alipay.limits import AMOUNT_MINOR_MAX, PARAMETERS_MAX

_AMOUNT = re.compile(r"(\d{1,9})(?:\.(\d{1,2}))?", re.ASCII)
_MESSAGES = {
    "10000": "Success",
    "10003": "Order success pay inprocess",
    "20000": "Service Currently Unavailable",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
}
Fields = dict[str, object]


class GatewayError(Exception):
    """A refusal: the gateway's code, and the one below it that says what is wrong."""

    def __init__(self, code: str, sub_code: str) -> None:
        super().__init__(f"{code} {sub_code}")
        self.code, self.sub_code = code, sub_code


def read_parameters(query: bytes, body: bytes) -> dict[str, str]:
    """The parameters of a request, from its address and its form together. One that stands twice
    could be signed as one thing and read as another, so it is refused."""
    found: dict[str, str] = {}
    for part in (query, body):
        try:
            pairs = parse_qsl(
                part.decode("ascii"),
                keep_blank_values=True,
                encoding="utf-8",
                errors="strict",
                max_num_fields=PARAMETERS_MAX,
            )
        except ValueError:
            raise GatewayError("40002", "isv.invalid-encoding") from None
        for name, value in pairs:
            if name in found:
                raise GatewayError("40002", "isv.invalid-parameter")
            found[name] = value
    return found


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


def signed_answer(key: RSAPrivateKey, method: str, fields: Mapping[str, object]) -> bytes:
    """An answer: the node of its method, then the signature over that node's text."""
    node = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    signature = base64.b64encode(key.sign(node.encode(), PKCS1v15(), SHA256())).decode()
    name = f"{method.replace('.', '_')}_response" if method else "error_response"
    return f'{{"{name}":{node},"sign":"{signature}"}}'.encode()


def said(code: str, /, **fields: object) -> Fields:
    """The fields of an answer, its code first."""
    return {"code": code, "msg": _MESSAGES[code], **fields}


def refused(error: GatewayError) -> Fields:
    """The fields of a refusal."""
    return said(error.code, sub_code=error.sub_code, sub_msg=error.sub_code)


def minor(text: object) -> int:
    """Yuan as text, with at most two decimals, in fen."""
    found = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise GatewayError("40004", "ACQ.INVALID_PARAMETER")
    amount = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
    if not 0 < amount <= AMOUNT_MINOR_MAX:
        raise GatewayError("40004", "ACQ.TOTAL_FEE_EXCEED")
    return amount


def yuan(amount_minor: int) -> str:
    """Fen as the gateway writes them: yuan with two decimals."""
    return f"{amount_minor // 100}.{amount_minor % 100:02}"
