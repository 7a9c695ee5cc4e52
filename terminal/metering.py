"""A prepaid meter that buys its own tokens when little is left.

Rule 1: a token is made for the count that the meter asks for next and given once: said again, the
        meter knows it. So after a power cut the same token is entered again.
Rule 2: a token exists here only after its capture; what the meter has not taken is not kept.
Rule 3: after a no the meter asks again after a while, not at once.
"""

import time

import structlog

from protocol.framing import openpaygo
from protocol.messages import ExplainedLine, Explanation, Reading
from terminal.inputs import StartSale
from terminal.limits import METER_ASK_AGAIN_S
from terminal.ports import PayMeter, Selection
from terminal.profile import Profile

log = structlog.get_logger("terminal.metering")
_ITEM = "token-"


class MeterTop:
    """As ``SelectionSource`` and ``Dispenser``, for one meter."""

    def __init__(
        self, meter: PayMeter, key: bytes, *, days: int, price_minor: int, below_minutes: int
    ) -> None:
        """``price_minor`` is one day's; a token of so many ``days`` is bought when fewer than
        ``below_minutes`` are left."""
        self._meter = meter
        self._key = key
        self._days = days
        self._price_minor = price_minor
        self._below_minutes = below_minutes
        self._ask_again_at = 0.0

    async def next_selection(self) -> Selection | None:
        """As ``SelectionSource.next_selection``: a token that is wanted."""
        credit = await self._meter.credit()
        if credit.minutes >= self._below_minutes or time.monotonic() < self._ask_again_at:
            return None
        self._ask_again_at = time.monotonic() + METER_ASK_AGAIN_S
        count = openpaygo.next_adding_count(credit.count)
        return Selection(
            item=f"{_ITEM}{count}-{self._days}",
            amount_minor=self._days * self._price_minor,
            tag=str(credit.minutes),
        )

    async def refuse(self, selection: Selection) -> None:
        """As ``SelectionSource.refuse``."""
        log.info("token_not_paid", item=selection.item)

    async def dispense(self, item: str) -> None:
        """As ``Dispenser.dispense``: the token of this count goes into the meter."""
        count, days = (int(part) for part in item.removeprefix(_ITEM).split("-"))
        await self._meter.enter(openpaygo.make_token(self._key, count=count, days=days))
        self._ask_again_at = 0.0


def wishes_of(
    profile: Profile, price_minor: int, selection: Selection, now_ms: int
) -> list[StartSale]:
    """The token's sale under the meter's mandate."""
    days = selection.amount_minor // price_minor
    left = Reading(what="meter", value=int(selection.tag), unit="min", at_ms=now_ms)
    line = ExplainedLine(
        what="days",
        quantity=days,
        unit="d",
        price_minor=price_minor,
        per=1,
        amount_minor=selection.amount_minor,
    )
    said = Explanation(
        thing="meter",
        reason="low",
        began_at_ms=now_ms,
        ended_at_ms=now_ms,
        readings=[left],
        lines=[line],
    )
    return [
        StartSale(
            amount_minor=selection.amount_minor,
            currency=profile.currency,
            method=method,
            description=f"Prepaid power, {days} days",
            item=selection.item,
            explanation=said,
        )
        for method in profile.methods
    ]
