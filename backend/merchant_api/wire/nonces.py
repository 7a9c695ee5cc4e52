"""Nonces of proven calls, kept by all processes together while their timestamps could be accepted
again.

Rule 1: a nonce is remembered only after its call was proven, so nobody fills the room of others.
Rule 2: a merchant number has a fixed number of rows; a nonce's digest says which is its own, and
        what is over leaves a row when the next one comes to it. So nothing grows without end.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.merchant_api.faults import FREQUENCY_LIMITED, ApiError
from backend.merchant_api.limits import (
    CLOCK_SKEW_S_MAX,
    NONCE_PLACES,
    NONCES_AT_A_PLACE_MAX,
)
from backend.merchant_api.wire.authorization import refused
from backend.merchant_api.wire.tables import NONCES

_KEPT_MS = (2 * CLOCK_SKEW_S_MAX + 1) * 1000
"""Timestamps are whole seconds: one of the future counts to the end of its last one."""
_DIGEST_BYTES, _TIME_BYTES = 16, 8
_ENTRY_BYTES = _DIGEST_BYTES + _TIME_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeNonce:
    """Use a nonce up. ``SIGN_ERROR`` if it was used, ``FREQUENCY_LIMITED`` if there is no room."""

    mchid: str
    nonce: str
    at_ms: int
    """By the machine's clock, as timestamps are."""

    def reads(self) -> Iterable[Read]:
        return [(NONCES, (self.mchid, self._place()))]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        del now_ms  # the business's
        place = self._place()
        row = ws.get(NONCES, (self.mchid, place))
        seen = seen_with(row["seen"] if row else b"", self._digest(), at_ms=self.at_ms)
        if row is None:
            ws.insert(NONCES, {"mchid": self.mchid, "place": place, "seen": seen})
        else:
            ws.update(NONCES, (self.mchid, place), seen=seen)

    def _digest(self) -> bytes:
        return hashlib.sha256(self.nonce.encode("utf-8", "surrogateescape")).digest()

    def _place(self) -> int:
        return int.from_bytes(self._digest()[-4:], "big") % NONCE_PLACES


def seen_with(seen: bytes, digest: bytes, *, at_ms: int) -> bytes:
    """A row's entries, each the head of a digest and when it was taken, with one more."""
    entries = [seen[at : at + _ENTRY_BYTES] for at in range(0, len(seen), _ENTRY_BYTES)]
    since = max(at_ms - _KEPT_MS, 0).to_bytes(_TIME_BYTES, "big")
    kept = [one for one in entries if one[_DIGEST_BYTES:] > since]
    head = digest[:_DIGEST_BYTES]
    if any(one.startswith(head) for one in kept):
        raise refused("nonce_str", "随机串已被使用过")
    if len(kept) >= NONCES_AT_A_PLACE_MAX:
        raise ApiError(FREQUENCY_LIMITED)
    return b"".join((*kept, head, at_ms.to_bytes(_TIME_BYTES, "big")))
