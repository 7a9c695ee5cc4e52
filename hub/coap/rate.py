"""How many requests an endpoint, and all together, may make. Pure."""

from collections import OrderedDict
from dataclasses import dataclass

from hub.coap.limits import (
    BURST_S,
    ENDPOINTS_REMEMBERED_MAX,
    REQUESTS_PER_S_MAX,
    REQUESTS_PER_S_TOTAL_MAX,
)

_MICRO = 1_000_000


@dataclass(slots=True)
class _Bucket:
    tokens_micro: int
    at_ms: int


class RateLimit:
    """Token buckets. An endpoint that is forgotten starts again with a full one, so the bucket
    of all together is what bounds a sender that changes its address."""

    def __init__(
        self, *, per_s: int = REQUESTS_PER_S_MAX, total_per_s: int = REQUESTS_PER_S_TOTAL_MAX
    ) -> None:
        self._per_s = per_s
        self._total_per_s = total_per_s
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._total = _Bucket(total_per_s * BURST_S * _MICRO, 0)

    def admits(self, endpoint: str, *, now_ms: int) -> bool:
        """Whether this endpoint may have one more request served now."""
        bucket = self._buckets.get(endpoint)
        if bucket is None:
            bucket = _Bucket(self._per_s * BURST_S * _MICRO, now_ms)
            self._buckets[endpoint] = bucket
            if len(self._buckets) > ENDPOINTS_REMEMBERED_MAX:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(endpoint)
        _refill(bucket, self._per_s, now_ms)
        _refill(self._total, self._total_per_s, now_ms)
        if bucket.tokens_micro < _MICRO or self._total.tokens_micro < _MICRO:
            return False
        bucket.tokens_micro -= _MICRO
        self._total.tokens_micro -= _MICRO
        return True


def _refill(bucket: _Bucket, per_s: int, now_ms: int) -> None:
    elapsed_ms = max(0, now_ms - bucket.at_ms)
    bucket.at_ms = now_ms
    bucket.tokens_micro = min(
        per_s * BURST_S * _MICRO, bucket.tokens_micro + elapsed_ms * per_s * _MICRO // 1000
    )
