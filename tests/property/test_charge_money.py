"""Properties of what is paid for charging: whatever people, the lines and the programs do.

A simulated charger of either version, the hub's central system on its journal, and a real shop's
books. Each run is a list of steps that hypothesis makes shorter where one fails; then everything is
well again for long enough, and the books are held against what flowed through the meters.
"""

import asyncio
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.mandates.model import MandateCommand
from hub.ocpp.model import Charge, ChargeState
from protocol.errors import CallerError
from protocol.payment import PAID_STATES
from tests.support.charging import CARD, VERSIONS, ChargingStop
from tests.support.mandates import payer_says
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop, shop_of_two

MANDATE: dict[str, Any] = {
    "device": "charger-1",
    "limit_payment_minor": 120,
    "limit_day_minor": 20_000,
}
BALANCE_MINOR, PREPAY_MINOR = 50_000, 150
CASES = 15
_SAID = ["StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent"]
_ASKED = ["payment.create", "payment.query", "payment.close", "refund.create", "mandate.query"]
OWNERS = st.sampled_from([MandateCommand.SUSPEND, MandateCommand.RESUME])
LOSSES = st.tuples(
    st.sampled_from(_ASKED), st.sampled_from(["request", "answer"]), st.integers(1, 4)
)
CONNECTORS, NOTHING = st.sampled_from([1, 1, 1, 2]), st.none()
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), CONNECTORS),
        st.tuples(st.just("wait"), st.sampled_from([4, 30, 150])),
        st.tuples(st.sampled_from(["unplug", "pause", "go"]), CONNECTORS),
        st.tuples(st.just("tap"), st.sampled_from([CARD, CARD, "NOBODY"])),
        st.tuples(st.sampled_from(["cut", "mend"]), NOTHING),
        st.tuples(st.sampled_from(["kill", "power", "pay", "news"]), NOTHING),
        st.tuples(st.just("deaf"), st.sampled_from(_SAID)),
        st.tuples(st.just("lose"), LOSSES),
        st.tuples(st.just("owner"), OWNERS),
        st.tuples(st.just("jump"), st.sampled_from([-3_600_000, -60_000, 60_000, 3_600_000])),
    ),
    max_size=20,
).map(lambda steps: [("come", 1), *steps])


BEYOND: list[tuple[str, Any]] = [("come", 1), ("wait", 30), ("cut", None), ("wait", 150)]
"""Nobody can stop the charge at its limit."""


@dataclass
class Weather:
    """The stop, its payer, and which answers of the backend are still to be lost."""

    one: ChargingStop
    shop: Shop
    payer: str
    mandate: str
    lost: dict[tuple[str, str], int] = field(default_factory=dict)

    def fate(self, asked: str) -> str:
        for kind in ("request", "answer"):
            left = self.lost.get((asked, kind), 0)
            if left:
                self.lost[asked, kind] = left - 1
                return kind
        return ""

    async def do(self, step: str, what: Any) -> None:
        one = self.one
        match step:
            case "come":
                await self.come(what)
            case "unplug":
                await one.do("unplug", what)
            case "pause" | "go":
                await one.do("want", what, 0 if step == "pause" else 11_000)
            case "tap":
                await one.do("tap", what, None)
            case "pay":
                self.pay()
            case "wait":
                await one.pass_s(what)
            case "deaf":
                one.loses_answers_to.add(what)
            case "lose":
                asked, kind, times = what
                self.lost[asked, kind] = times
            case "owner":
                payer_says(self.shop, self.payer, self.mandate, what)
            case "jump":
                one.clock.jumped_ms += what
            case _:
                await self.happens(step)

    async def happens(self, step: str) -> None:
        """To the lines and the programs."""
        match step:
            case "cut":
                await self.one.cut()
            case "mend":
                await self.one.mend()
            case "kill":
                self.one.kill()
                self.one.begin()
                await self.one.cut()
            case "power":
                await self.one.power_on()
            case "news":
                await self.one.hear_news()

    async def come(self, connector: int) -> None:
        """A car, whose driver taps a card or pays the code that is offered."""
        await self.one.do("plug", connector, 22_000)
        if self.one.post.prepay_minor:
            await self.one.pass_s(3)
            self.pay()
        else:
            await self.one.do("tap", CARD, connector)

    def pay(self) -> None:
        """The payer says yes to what waits for it."""
        for payment in self.one.payments():
            if payment["state"] in {"created", "awaiting_payer"}:
                self.one.confirm(self.payer, payment["payment_id"])

    async def end(self) -> None:
        """Everything is well again, and the cars drive away."""
        self.lost.clear()
        self.one.loses_answers_to.clear()
        await self.one.mend()
        for connector in self.one.station.outlets:
            with suppress(CallerError):
                await self.one.do("unplug", connector)
        await self.one.pass_s(300)
        with suppress(CallerError):
            self.pay()
        await self.one.pass_s(100)


async def lived(weather: Weather, todo: list[tuple[str, Any]]) -> None:
    await weather.one.power_on()
    for step, what in todo:
        with suppress(CallerError):
            await weather.do(step, what)
        await weather.one.pass_s(1)
    await weather.end()


@settings(max_examples=CASES)
@example("ocpp1.6", False, BEYOND)
@example("ocpp2.0.1", True, BEYOND)
@given(st.sampled_from(sorted(VERSIONS)), st.booleans(), STEPS)
def test_what_is_paid_is_what_flowed_whatever_is_done(
    version: str, is_ahead: bool, todo: list[tuple[str, Any]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with shop_of_two(migrated_sqlite(path / "backend.db")) as shop:
            payer = shop.add_payer(balance_minor=BALANCE_MINOR)
            shop.top_up(shop.add_payer(), BALANCE_MINOR)
            mandate = shop.add_mandate(payer, **MANDATE)
            one = ChargingStop(shop, path, version, prepay_minor=PREPAY_MINOR * is_ahead)
            try:
                one.bind(mandate)
                weather = Weather(one, shop, payer, mandate)
                one.backend.loses = weather.fate
                asyncio.run(lived(weather, todo))
                check(weather)
            finally:
                one.close()


def check(weather: Weather) -> None:
    one = weather.one
    charges = {charge.payment_id: charge for charge in one.charges()}
    payments = {payment["payment_id"]: payment for payment in one.payments()}
    for charge in charges.values():
        assert not charge.is_open, charge
        check_charge(charge, payments.get(charge.payment_id))
    taken = {
        name: payment["amount_minor"] - payment["refunded_minor"]
        for name, payment in payments.items()
        if payment["state"] in PAID_STATES
    }
    assert taken.keys() <= charges.keys()
    assert weather.shop.payer_balance(weather.payer) == BALANCE_MINOR - sum(taken.values())
    assert weather.shop.verify().is_whole
    for number, outlet in one.station.outlets.items():
        flowed_wh = sum(each.energy_wh for each in charges.values() if each.connector == number)
        assert flowed_wh <= outlet.meter.register_wh
        if not one.station.outbox.lost:
            assert flowed_wh == outlet.meter.register_wh


def check_charge(charge: Charge, payment: dict[str, Any] | None) -> None:
    """What was taken for it is what it says, and no more than it costs."""
    is_paid = payment is not None and payment["state"] in PAID_STATES
    taken = payment["amount_minor"] - payment["refunded_minor"] if payment and is_paid else 0
    match charge.state:
        case ChargeState.PAID:
            assert is_paid
            assert taken == charge.amount_minor <= charge.cost_minor
        case ChargeState.FREE | ChargeState.DROPPED | ChargeState.REFUSED:
            assert not taken
        case ChargeState.UNSETTLED:
            assert not taken or charge.prepaid_minor
            assert charge.error_code
    if charge.limit_minor is not None and charge.ended_at_ms:
        assert charge.amount_minor <= charge.limit_minor
