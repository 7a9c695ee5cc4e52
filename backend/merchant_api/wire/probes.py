"""Signature probes: now and then a signature is wrong on purpose, and says so at its beginning.

A program that checks signatures refuses what carries one; a server that takes a callback with one
has not checked it. Pure.
"""

import hashlib

MARK = "WECHATPAY/SIGNTEST/"


def probe_of(signature: str) -> str:
    """A wrong signature of the same length."""
    return MARK + signature[len(MARK) :]


def is_chosen(name: str, every: int) -> bool:
    """Whether what has this name is one of the few; never, where ``every`` is 0."""
    if not every:
        return False
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:4], "big") % every == 0
