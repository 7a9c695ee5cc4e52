"""Which wallet has opened the page, and what its payer has typed. Pure.

Rule 1: a wallet is known by its browser's User-Agent, and by nothing else.
Rule 2: whoever says to be a wallet only gets that wallet's own code: there is nothing to gain.
"""

import base64
import re

from backend.pay_page.limits import AGENT_CHARS_MAX
from protocol.scanned import OWN_WALLET

AGENTS = (
    ("MicroMessenger", OWN_WALLET),
    ("AlipayClient", "alipay"),
    ("UnionPay", "unionpay"),
    ("CloudPay", "unionpay"),
)
"""What a wallet's browser says of itself. The first that stands in it counts."""
STATIC_PATH = "/q/s/"
_AMOUNT = re.compile(r"(\d{1,7})(?:\.(\d{1,2}))?", re.ASCII).fullmatch


def wallet_of(agent: str) -> str:
    """The wallet whose browser says so; empty for any other."""
    text = agent[:AGENT_CHARS_MAX]
    return next((wallet for mark, wallet in AGENTS if mark in text), "")


def typed_minor(text: str) -> int | None:
    """Yuan as somebody types them, in fen; None for anything that is no amount above zero."""
    found = _AMOUNT(text.strip())
    if found is None:
        return None
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) or None


def code_id_of(luck: bytes) -> str:
    """A static code's id: letters and digits that people can tell apart."""
    return base64.b32encode(luck).decode().rstrip("=").lower()
