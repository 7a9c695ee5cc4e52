"""The payer's pay code: 18 digits that a wallet makes alone, without a line, for about a minute.

    13 04711234 90817263
    │  │        └ tag    8 digits
    │  └ route           8 digits: which wallet's code key; a random number, not a payer's number
    └ prefix             10 to 15, as tills expect of a pay code; carries log2(6) bits of the tag

The tag and the prefix come from HMAC-SM3(wallet secret, context ‖ step ‖ counter). ``step`` counts
30 s; ``counter`` (0 to 3) lets a wallet show up to four codes in a step. A receiver accepts its
own step, the two before and the one after: a code lives 60 to 90 s and a wallet's clock may be
30 s fast. The wallet secret is HMAC-SM3(master key, context ‖ route): the issuer stores no wallet's
secret, and a copy of its database makes no code. A wallet's secret is renewed by a new route.

Guessing: 16 of 6·10^8 values are right for an existing route at one moment, 2.7·10^-8 per try;
over random routes of 10^8 with 10^6 wallets, 2.7·10^-10. A receiver counts wrong codes per device
and stops it (``WRONG_CODES_MAX`` per ``WRONG_CODES_WINDOW_MS``), which leaves 1,440 tries a day.
Single use: positions (step, counter) of a route only rise, so one small row per wallet refuses
every used code for ever. A code is never stored, and logged only as ``mask`` shows it.
"""

import hmac as compare
import re
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC

CODE_DIGITS = 18
STEP_MS = 30_000
STEPS_BEHIND_MAX = 2
STEPS_AHEAD_MAX = 1
COUNTERS_PER_STEP = 4
EXPIRED_STEPS_MAX = 40
"""How far back a code is recognised, only to say *expired* (20 minutes) and not *invalid*."""
_SEARCHED = (
    *range(0, -STEPS_BEHIND_MAX - 1, -1),
    *range(1, STEPS_AHEAD_MAX + 1),
    *range(-STEPS_BEHIND_MAX - 1, -EXPIRED_STEPS_MAX, -1),
)
"""Steps from the receiver's own, the likeliest first: each costs as many MACs as it has codes."""
ROUTES_MAX = 10**8
SECRET_BYTES = 32
WRONG_CODES_MAX = 10
WRONG_CODES_WINDOW_MS = 10 * 60 * 1000

_TAGS = 10**8
_PREFIX_FIRST, _PREFIXES = 10, 6
_SHAPE = re.compile(r"1[0-5]\d{16}\Z", re.ASCII)
_CODE_CONTEXT = b"tillway-pay-code-v1"
_WALLET_CONTEXT = b"tillway-pay-code-wallet-v1"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Which code of a wallet this is; later codes compare greater."""

    step: int
    counter: int

    @property
    def number(self) -> int:
        """The position as one integer in the same order."""
        return self.step * COUNTERS_PER_STEP + self.counter


@dataclass(frozen=True, slots=True)
class Found:
    """What a scanned code turned out to be. ``route`` and ``position`` count only when live."""

    status: Literal["live", "expired", "invalid"]
    route: int = -1
    position: Position | None = None


def wallet_secret(master_key: bytes, route: int) -> bytes:
    """The secret that a wallet keeps; the issuer makes it again whenever it needs it."""
    _check(master_key, route)
    return _hmac(master_key, _WALLET_CONTEXT + route.to_bytes(4, "big"))


def make_code(secret: bytes, *, route: int, at_ms: int, counter: int = 0) -> str:
    """The wallet's code for this moment. Another counter gives another code in the same step."""
    _check(secret, route)
    if not 0 <= counter < COUNTERS_PER_STEP:
        raise ValueError("a step has four codes")
    return _code(HMAC(secret, SM3()), route, Position(at_ms // STEP_MS, counter))


def find_code(master_key: bytes, code: str, *, at_ms: int) -> Found:
    """What a scanned code is, judged by the time it was received. Never raises for any text."""
    if _SHAPE.match(code) is None:
        return Found("invalid")
    route = int(code[2:10])
    secret = wallet_secret(master_key, route)
    now = at_ms // STEP_MS
    keyed = HMAC(secret, SM3())
    for step in (now + offset for offset in _SEARCHED if now + offset >= 0):
        for counter in range(COUNTERS_PER_STEP):
            position = Position(step, counter)
            if compare.compare_digest(_code(keyed, route, position), code):
                is_live = step >= now - STEPS_BEHIND_MAX
                return Found("live" if is_live else "expired", route, position)
    return Found("invalid")


def mask(code: str) -> str:
    """The code as it may be stored and shown: ``13****…1234``."""
    return f"{code[:2]}****…{code[-4:]}" if len(code) == CODE_DIGITS else "****"


def expires_at_ms(position: Position) -> int:
    """When the last receiver with a right clock stops taking the code."""
    return (position.step + STEPS_BEHIND_MAX + 1) * STEP_MS


def _code(keyed: HMAC, route: int, position: Position) -> str:
    """The code of a position; ``keyed`` has taken the wallet's secret in and nothing else."""
    mac = keyed.copy()
    mac.update(_CODE_CONTEXT + position.step.to_bytes(8, "big") + bytes([position.counter]))
    number = int.from_bytes(mac.finalize()[:16], "big")
    rest, tag = divmod(number, _TAGS)
    return f"{_PREFIX_FIRST + rest % _PREFIXES}{route:08d}{tag:08d}"


def _hmac(key: bytes, message: bytes) -> bytes:
    mac = HMAC(key, SM3())
    mac.update(message)
    return mac.finalize()


def _check(key: bytes, route: int) -> None:
    if len(key) != SECRET_BYTES or not 0 <= route < ROUTES_MAX:
        raise ValueError("a code key has 32 bytes and a route has eight digits")
