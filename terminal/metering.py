"""A prepaid meter that buys its own tokens when little is left.

Rule 1: a token is made for the count that the meter asks for next and given once: said again, the
        meter knows it. So after a power cut, or where the meter said nothing, the same token is
        entered again, and not paid again (`item_flow`).
Rule 2: a token exists here only after its capture; what the meter has not taken is not kept.
Rule 3: after a no the meter asks again after a while, not at once.
Rule 4: a count is bought once. A meter that asks for one again has not counted, or takes no token
        of ours: a person must look, and the next start of the program tries again.
"""

import time

import structlog

from protocol.errors import OperatingError
from protocol.framing import openpaygo
from protocol.messages import ExplainedLine, Explanation, Reading
from terminal.inputs import StartSale
from terminal.item_flow import NOT_GIVEN
from terminal.limits import METER_ASK_AGAIN_S, METER_SAY_AGAIN_S
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
        self._settled_count = 0
        """The latest count that the meter has taken or refused."""
        self._unsaid: str | None = None
        """The token of which the meter said nothing."""

    async def next_selection(self) -> Selection | None:
        """As ``SelectionSource.next_selection``: a token that is wanted, or that is to be entered
        again (rule 1)."""
        credit = await self._meter.credit()
        if time.monotonic() < self._ask_again_at:
            return None
        item = self._unsaid
        if item is None and credit.minutes < self._below_minutes:
            self._ask_again_at = time.monotonic() + METER_ASK_AGAIN_S
            item = self._next_token(credit.count)
        if item is None:
            return None
        amount_minor = self._days * self._price_minor
        return Selection(item=item, amount_minor=amount_minor, tag=str(credit.minutes))

    def _next_token(self, last_count: int) -> str | None:
        count = openpaygo.next_adding_count(last_count)
        if self._settled_count < count <= openpaygo.COUNT_MAX:
            return f"{_ITEM}{count}-{self._days}"
        log.error("meter_out_of_step", count=last_count, settled=self._settled_count)
        return None

    async def refuse(self, selection: Selection) -> None:
        """As ``SelectionSource.refuse``."""
        log.info("token_not_paid", item=selection.item)

    async def dispense(self, item: str) -> None:
        """As ``Dispenser.dispense``: the token of this count goes into the meter."""
        count, days = (int(part) for part in item.removeprefix(_ITEM).split("-"))
        self._unsaid, self._ask_again_at = item, time.monotonic() + METER_SAY_AGAIN_S
        try:
            await self._meter.enter(openpaygo.make_token(self._key, count=count, days=days))
        except OperatingError as error:
            if error.code == NOT_GIVEN:
                self._settle(count)
                self._ask_again_at = time.monotonic() + METER_ASK_AGAIN_S
            raise
        self._settle(count)

    def _settle(self, count: int) -> None:
        self._settled_count, self._unsaid, self._ask_again_at = count, None, 0.0


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
            description=f"预付电费 {days} 天 Prepaid power, {days} days",
            item=selection.item,
            explanation=said,
        )
        for method in profile.methods
    ]
