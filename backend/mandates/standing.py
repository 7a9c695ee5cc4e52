"""What a mandate allows its device now: a thing that is about to take asks beforehand, and goes on
asking while it gives, so that its payer's stop is heard.

Rule: the answer is no hold; the debit itself is checked again by ``backend.mandates.using``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.mandates.model import room_minor
from backend.mandates.tables import MANDATE
from backend.mandates.using import terms_of
from protocol.errors import CallerError
from protocol.messages import MandateStanding

MANDATE_STANDING = "mandate.standing"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryMandate:
    """``mandate.query``. Never remembered: each tells the present state. ``mandate_not_found`` for
    a mandate of another device or merchant."""

    mandate_id: str
    merchant_id: str
    device: str
    business_date: Callable[[int], str]

    def reads(self) -> Iterable[Read]:
        return [(MANDATE, self.mandate_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> tuple[str, dict[str, Any]]:
        row = ws.get(MANDATE, self.mandate_id)
        if row is None or (row["merchant_id"], row["device"]) != (self.merchant_id, self.device):
            raise CallerError("mandate_not_found", self.mandate_id)
        room = room_minor(terms_of(row), now_ms=now_ms, day=self.business_date(now_ms))
        standing = MandateStanding(
            mandate_id=self.mandate_id,
            is_active=room is not None,
            currency=row["currency"],
            room_minor=room or 0,
            valid_until_ms=row["valid_until_ms"],
        )
        return MANDATE_STANDING, standing.to_map()
