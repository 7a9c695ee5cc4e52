"""Sensitive fields of calls: encrypted for the platform's key that ``Wechatpay-Serial`` names."""

from backend.merchant_api.faults import wrong_field
from backend.merchant_api.keys.ring import KeyRing
from backend.merchant_api.keys.suites import Suite
from protocol.errors import CallerError


async def opened(ring: KeyRing, suite: Suite, serial: str, text: str, pointer: str) -> str:
    """A field's clear text; ``PARAM_ERROR`` where the named key is none of the caller's suite or
    does not open it. ``pointer`` is the field's place in the body."""
    pair = await ring.of_serial(serial)
    if pair is None or pair.suite is not suite:
        raise wrong_field("Wechatpay-Serial", "加密敏感字段须指明平台证书或公钥", location="header")
    try:
        return pair.private.open_field(text)
    except CallerError:
        raise wrong_field(pointer, "无法解密") from None
