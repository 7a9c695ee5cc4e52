"""The gateway's wire: parameters signed by RSA2, answers signed over their raw text. Pure.

Rule 1: what is signed stands in ``channels/alipay/wire.py``.
Rule 2: an answer signs the exact text of its inner node, so that text is made once and pasted.
"""

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from backend.channels.alipay.wire import fen, signature_of
from backend.sandbox.alipay.limits import AMOUNT_MINOR_MAX, PARAMETERS_MAX

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


def signed_answer(
    key: RSAPrivateKey, method: str, fields: Mapping[str, object], *, certificate: str = ""
) -> bytes:
    """An answer: the node of its method, the number of the certificate if it is asked for in that
    mode, then the signature over that node's text."""
    node = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    signature = signature_of(key, node.encode())
    name = f"{method.replace('.', '_')}_response" if method else "error_response"
    under = f'"alipay_cert_sn":"{certificate}",' if certificate else ""
    return f'{{"{name}":{node},{under}"sign":"{signature}"}}'.encode()


def said(code: str, /, **fields: object) -> Fields:
    """The fields of an answer, its code first."""
    return {"code": code, "msg": _MESSAGES[code], **fields}


def refused(error: GatewayError) -> Fields:
    """The fields of a refusal."""
    return said(error.code, sub_code=error.sub_code, sub_msg=error.sub_code)


def minor(text: object) -> int:
    """Yuan as text, with at most two decimals, in fen."""
    amount = fen(text)
    if amount is None or amount < 0:
        raise GatewayError("40004", "ACQ.INVALID_PARAMETER")
    if not 0 < amount <= AMOUNT_MINOR_MAX:
        raise GatewayError("40004", "ACQ.TOTAL_FEE_EXCEED")
    return amount
