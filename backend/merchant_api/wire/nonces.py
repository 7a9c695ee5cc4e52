"""Nonces of proven calls, kept while their timestamps could be accepted again.

Rule: a nonce is remembered only after its call was proven, so nobody fills the memory of others.
"""

from collections import deque

from backend.merchant_api.faults import FREQUENCY_LIMITED, ApiError
from backend.merchant_api.limits import CLOCK_SKEW_S_MAX, NONCES_REMEMBERED_MAX
from backend.merchant_api.wire.authorization import refused

_KEPT_MS = 2 * CLOCK_SKEW_S_MAX * 1000


class NonceMemory:
    """One per process; owned by the event loop."""

    def __init__(self, nonces_max: int = NONCES_REMEMBERED_MAX) -> None:
        self._max = nonces_max
        self._known: set[tuple[str, str]] = set()
        self._order: deque[tuple[int, tuple[str, str]]] = deque()

    def take(self, mchid: str, nonce: str, *, now_ms: int) -> None:
        """``SIGN_ERROR`` if it was used, ``FREQUENCY_LIMITED`` if there is no room."""
        while self._order and self._order[0][0] <= now_ms - _KEPT_MS:
            self._known.discard(self._order.popleft()[1])
        key = (mchid, nonce)
        if key in self._known:
            raise refused("nonce_str", "随机串已被使用过")
        if len(self._order) >= self._max:
            raise ApiError(FREQUENCY_LIMITED)
        self._known.add(key)
        self._order.append((now_ms, key))
