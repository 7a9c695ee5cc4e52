"""A car park's exit: who stands there pays for the stay, and is let out.

Rule 1: the arm rises for what is captured, and for what costs nothing; never for an unknown.
Rule 2: a car that is let out already is asked for nothing more, also after a restart: the exit
        itself knows whom it let out, and a stay that was paid is not paid again (`item_flow`).
Rule 3: who does not pay is asked again after a while, or when driving up again.
"""

import time
from collections.abc import Mapping

import structlog

from protocol.errors import OperatingError
from protocol.framing import gate as words
from terminal.domain.parking import Tariff, explain, fee_minor
from terminal.inputs import StartSale
from terminal.limits import GATE_ASK_AGAIN_S
from terminal.ports import Gate, Selection
from terminal.profile import Profile

log = structlog.get_logger("terminal.parking")
_ITEM = "car-"


class ParkingExit:
    """As ``SelectionSource`` and ``Dispenser``, for one exit."""

    def __init__(self, gate: Gate, tariff: Tariff) -> None:
        self._gate = gate
        self._tariff = tariff
        self._asked: int | None = None
        self._ask_again_at = 0.0

    async def next_selection(self) -> Selection | None:
        """As ``SelectionSource.next_selection``: a car that is to pay."""
        car = await self._gate.car()
        if car is None:
            self._asked = None
            return None
        is_asked = car.tag == self._asked and time.monotonic() < self._ask_again_at
        if car.is_released or not car.tag or is_asked:
            return None
        self._asked, self._ask_again_at = car.tag, time.monotonic() + GATE_ASK_AGAIN_S
        if not car.entered_s:
            log.warning("car_of_unknown_entry", tag=car.tag)
            await self._gate.notice(words.NOT_PAID)
            return None
        fee = fee_minor(self._tariff, car.now_s - car.entered_s)
        if fee == 0:
            await self._gate.raise_for(car.tag)
            return None
        await self._gate.notice(words.PLEASE_PAY)
        return Selection(
            item=f"{_ITEM}{car.tag}-{car.entered_s}",
            amount_minor=fee,
            tag=str(car.tag),
            since_ms=car.entered_s * 1000,
            until_ms=car.now_s * 1000,
        )

    async def refuse(self, selection: Selection) -> None:
        """As ``SelectionSource.refuse``."""
        log.info("car_not_paid", item=selection.item)
        self._ask_again_at = time.monotonic() + GATE_ASK_AGAIN_S
        await self._gate.notice(words.NOT_PAID)

    async def dispense(self, item: str) -> None:
        """As ``Dispenser.dispense``: the arm."""
        tag, _, _ = item.removeprefix(_ITEM).partition("-")
        await self._gate.raise_for(int(tag))
        try:
            await self._gate.notice(words.THANK_YOU)
        except OperatingError as error:  # the arm is up all the same
            log.warning("car_not_thanked", item=item, code=error.code)


def wishes_of(
    profile: Profile,
    tariff: Tariff,
    mandates: Mapping[int, str],
    selection: Selection,
    now_ms: int,
) -> list[StartSale]:
    """The stay, for each way to pay it; by a mandate where the car has one."""
    del now_ms  # the exit's clock measured the stay
    mandate_id = mandates.get(int(selection.tag))
    said = explain(tariff, entered_s=selection.since_ms // 1000, left_s=selection.until_ms // 1000)
    return [
        StartSale(
            amount_minor=selection.amount_minor,
            currency=profile.currency,
            method=method,
            description="停车费 Parking",
            item=selection.item,
            mandate_id=mandate_id,
            explanation=said,
        )
        for method in profile.methods
        if method != "mandate" or mandate_id is not None
    ]
