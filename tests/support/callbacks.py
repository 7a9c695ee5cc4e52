"""Callbacks for tests that need no payment for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.notify.limits import CALLBACK_GAPS_MS
from backend.notify.model import Tried, callback_id
from backend.notify.outbox import put_callback
from backend.notify.service import NoteFailed
from tests.support.shop import MERCHANT, Shop


@dataclass(frozen=True, slots=True, kw_only=True)
class PutCallback:
    """Leaves word for a merchant, as payments and refunds do. Answers the callback's id."""

    number: int
    merchant_id: str = MERCHANT
    event_type: str = "payment.captured"
    url: str = "https://shop.example/notify"
    resource: Mapping[str, Any] = field(default_factory=dict)

    def reads(self) -> Iterable[Read]:
        return ()

    def decide(self, ws: WorkingSet, now_ms: int) -> str:
        fields = {name: getattr(self, name) for name in ("merchant_id", "event_type", "url")}
        put_callback(ws, subject_id="sub", number=self.number, resource=self.resource,
                     at_ms=now_ms, **fields)  # fmt: skip
        return callback_id("sub", self.event_type, self.number, at_ms=now_ms)


def dead_letter(shop: Shop, number: int, **fields: Any) -> str:
    """A callback that failed as often as the table allows, all in this moment; the next moment is
    a second later."""
    found: str = shop.do(PutCallback(number=number, **fields))
    failures = [NoteFailed(callback_id=found, tried=Tried("status 500"))] * (
        len(CALLBACK_GAPS_MS) + 1
    )
    for outcome in shop.apply(*failures):
        outcome.value()
    shop.clock.at_ms += 1_000
    return found
