"""The wire of ACP 5.1.0: a form signed by a certificate's key, an answer signed likewise. Pure.

Rule 1: what is signed stands in ``channels/acp/wire.py``.
Rule 2: an answer is written as the gateway writes it, ``name=value`` joined by ``&`` and nothing
        escaped; it carries the certificate that checks it, ``signPubKeyCert``.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from backend.sandbox.acp.limits import PARAMETERS_MAX

NO_FILE, GENERAL = "98", "99"
DONE, ACCEPTED, FAILED, MALFORMED, BAD_SIGNATURE, DUPLICATE, MISSING = (
    "00",
    "05",
    "01",
    "10",
    "11",
    "12",
    "13",
)
ABOVE_LIMIT, UNKNOWN, ORIGINAL_STATE, ORIGINAL_DIFFERS, BAD_CODE, SHORT = (
    "33",
    "34",
    "35",
    "36",
    "61",
    "64",
)
MESSAGES = {
    DONE: "成功",
    FAILED: "交易失败",
    ACCEPTED: "交易已受理，请稍后查询交易结果",
    MALFORMED: "报文格式错误",
    BAD_SIGNATURE: "验证签名失败",
    DUPLICATE: "重复交易",
    MISSING: "报文交易要素缺失",
    ABOVE_LIMIT: "交易金额超限",
    UNKNOWN: "查无此交易",
    ORIGINAL_STATE: "原交易状态不正确",
    ORIGINAL_DIFFERS: "与原交易信息不符",
    BAD_CODE: "付款码无效",
    SHORT: "余额不足",
    NO_FILE: "文件不存在",
    GENERAL: "通用错误",
}


class RefusedError(Exception):
    """A refusal, by the gateway's response code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_form(body: bytes) -> dict[str, str]:
    """The parameters of a form; one that stands twice, or that is no UTF-8, is refused."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=PARAMETERS_MAX,
        )
    except ValueError:
        raise RefusedError(MALFORMED) from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RefusedError(MALFORMED)
    return found


def write_answer(parameters: Mapping[str, str]) -> bytes:
    """An answer as the gateway writes it."""
    return "&".join(f"{name}={value}" for name, value in sorted(parameters.items())).encode()
