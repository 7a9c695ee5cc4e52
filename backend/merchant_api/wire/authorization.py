"""Who says that they call: the ``Authorization`` header of API v3, taken apart. Pure.

``<scheme> mchid="…",nonce_str="…",timestamp="…",serial_no="…",signature="…"``; the order of the
five is free, and each client has its own.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from backend.merchant_api.faults import SIGN_ERROR, ApiError
from backend.merchant_api.limits import (
    AUTHORIZATION_CHARS_MAX,
    CLOCK_SKEW_S_MAX,
    NONCE_CHARS_MAX,
    SERIAL_CHARS_MAX,
)

_NAMES = frozenset({"mchid", "nonce_str", "timestamp", "serial_no", "signature"})
_PAIR = re.compile(r'\s*([a-z_]+)="([^"]*)"\s*').fullmatch
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a header says; nothing of it is proven yet."""

    scheme: str
    mchid: str
    nonce: str
    timestamp: str
    serial: str
    signature: str = field(repr=False)

    def message(self, method: str, target: str, body: bytes) -> bytes:
        """The five lines that are signed; ``target`` is the path and query exactly as sent."""
        head = f"{method}\n{target}\n{self.timestamp}\n{self.nonce}\n"
        return head.encode("utf-8", "surrogateescape") + body + b"\n"


def read_claim(header: str, *, schemes: Collection[str], now_ms: int) -> Claim:
    """The claim of a header; ``SIGN_ERROR`` names what is wrong with it."""
    if not header:
        raise refused("Authorization", "缺少 Authorization 请求头")
    head, _, rest = header.strip().partition(" ")
    if head not in schemes:
        raise refused("Authorization", "不支持的认证类型")
    if len(header) > AUTHORIZATION_CHARS_MAX:
        raise refused("Authorization", "Authorization 过长")
    values = _values(rest)
    if not _is_within(values["timestamp"], now_ms):
        raise refused("timestamp", "时间戳与服务器时间相差超过五分钟，或格式错误")
    if not 0 < len(values["nonce_str"]) <= NONCE_CHARS_MAX:
        raise refused("nonce_str", "随机串长度错误")
    if not 0 < len(values["serial_no"]) <= SERIAL_CHARS_MAX:
        raise refused("serial_no", "证书序列号长度错误")
    return Claim(
        scheme=head,
        mchid=values["mchid"],
        nonce=values["nonce_str"],
        timestamp=values["timestamp"],
        serial=values["serial_no"],
        signature=values["signature"],
    )


def refused(field_name: str, issue: str) -> ApiError:
    """``SIGN_ERROR`` that names a part of the header."""
    where = {"field": field_name, "issue": issue, "location": "authorization"}
    return ApiError(SIGN_ERROR, issue, where=where)


def _values(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for part in text.split(","):
        found = _PAIR(part)
        if found is None or found[1] not in _NAMES or found[1] in values:
            raise refused("Authorization", "Authorization 格式错误")
        values[found[1]] = found[2]
    missing = sorted(_NAMES - values.keys())
    if missing:
        raise refused(missing[0], "Authorization 缺少字段")
    return values


def _is_within(timestamp: str, now_ms: int) -> bool:
    if _TIMESTAMP(timestamp) is None:
        return False
    return abs(now_ms // 1000 - int(timestamp)) <= CLOCK_SKEW_S_MAX
