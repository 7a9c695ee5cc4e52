"""One-time passwords of the second factor (RFC 6238: SHA-1, six digits, thirty seconds).

Rule 1: a code is good in its own step, the one before and the one after (§5.2): phones' clocks
        differ.
Rule 2: a step that was used, and every earlier one, is not good again (§5.2); who keeps the last
        used step says so.
"""

import base64
import hashlib
import hmac
from urllib.parse import quote, urlencode

SECRET_BYTES = 20
STEP_MS = 30_000
_DIGITS = 6
_DRIFT_STEPS = 1
_ISSUER = "Tillway"


def code_at(secret: bytes, step: int) -> str:
    """The code of a step (RFC 4226 §5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def step_of(secret: bytes, code: str, *, now_ms: int) -> int | None:
    """The step that a code is of; None for a wrong one. Every step is compared, each in
    constant time."""
    now, found = now_ms // STEP_MS, None
    for step in range(now - _DRIFT_STEPS, now + _DRIFT_STEPS + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            found = step
    return found


def secret_text(secret: bytes) -> str:
    """The secret as a person types it into a phone (base32)."""
    return base64.b32encode(secret).decode("ascii").rstrip("=")


def secret_uri(secret: bytes, name: str) -> str:
    """What a phone scans: ``otpauth://totp/…``."""
    label = quote(f"{_ISSUER}:{name}")
    words = {"secret": secret_text(secret), "issuer": _ISSUER, "algorithm": "SHA1",
             "digits": _DIGITS, "period": STEP_MS // 1000}  # fmt: skip
    return f"otpauth://totp/{label}?{urlencode(words)}"
