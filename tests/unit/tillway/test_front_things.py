"""The stories of things that pay by themselves: their order, their ends, what is left behind."""

import pytest
from fastapi.testclient import TestClient

from protocol.errors import CallerError, TillwayError
from tests.support.front_shop import (
    PAYMENT,
    FakeCharger,
    FakeExit,
    FakeVending,
    Program,
    fake_shop,
)
from tests.unit.tillway.test_front_app import token
from tillway.demo.at_work import Car
from tillway.demo.machines import Goods
from tillway.front.app import build_app
from tillway.front.things import Stage, Story, Things


@pytest.fixture
def things() -> Things:
    return Things(fake_shop(Program()))


def exit_of(things: Things) -> FakeExit:
    found = things.shop.car_park.exit
    assert isinstance(found, FakeExit)
    return found


def charger_of(things: Things) -> FakeCharger:
    found = things.shop.charger
    assert isinstance(found, FakeCharger)
    return found


def test_a_charge_shows_its_running_cost_and_ends_with_the_wallet_s_bill(things: Things) -> None:
    things.plug()
    assert (things.stage, things.running, things.energy_kwh) == (Stage.PULL, "0.62", "0.413")
    charger_of(things).state.update({"cost_minor": 125, "energy_wh": 833})
    things.look()
    assert (things.running, things.energy_kwh) == ("1.25", "0.833")
    things.pull()
    assert things.stage is Stage.BILL
    assert (things.bill.payment_id, things.bill.amount) == (PAYMENT, "0.62")
    assert things.bill.explained is not None
    assert things.bill.explained.lines[0].text.en == "0.413 kWh × 1.50"


def test_a_charge_that_is_not_paid_is_refused_in_its_own_words(things: Things) -> None:
    things.plug()
    charger_of(things).state.update({"ends_as": "unsettled", "error_code": "insufficient_balance"})
    with pytest.raises(TillwayError) as refused:
        things.pull()
    assert (refused.value.code, things.stage) == ("insufficient_balance", Stage.PLUG)


@pytest.mark.parametrize(
    ("car", "acts"),
    [
        (Car.WITH_MANDATE, ("leave", "out")),
        (Car.WITHOUT, ("leave", "pay", "out")),
        (Car.JUST_IN, ("leave", "out")),
    ],
)
def test_each_car_leaves_in_its_own_way_and_may_come_again(
    things: Things, car: Car, acts: tuple[str, ...]
) -> None:
    things.choose(Story.PARK)
    for _ in range(2):
        things.enter(car)
        assert len(things.stages) == len(acts) + 2
        for act in acts:
            assert things.stage == act
            getattr(things, act)()
        assert things.stage is Stage.BILL
        assert bool(things.bill.amount) is (car is not Car.JUST_IN)
        assert exit_of(things).gate.cars == []
        things.start_over()


def vending_of(things: Things) -> FakeVending:
    found = things.shop.vending.terminal
    assert isinstance(found, FakeVending)
    return found


def test_a_machine_sells_by_its_mandate_and_beyond_its_limits_by_a_code(things: Things) -> None:
    things.choose(Story.VEND)
    for item, acts in ((Goods.TEA, ()), (Goods.BOX, ("scan",)), (Goods.TEA, ())):
        before = vending_of(things).fallen
        things.press(item)
        assert len(things.stages) == len(acts) + 2
        for act in acts:
            assert (things.stage, vending_of(things).fallen) == (act, before), "not paid yet"
            getattr(things, act)()
        assert (things.stage, vending_of(things).fallen) == (Stage.BILL, before + 1)
        assert things.bill.amount
        things.start_over()
        assert things.stage is Stage.PRESS


def test_what_neither_mandate_nor_code_pays_is_refused_in_its_own_words(things: Things) -> None:
    vending_of(things).takes_codes = False
    things.choose(Story.VEND)
    with pytest.raises(TillwayError) as refused:
        things.press(Goods.BOX)
    assert (refused.value.code, things.stage) == ("mandate_limit_payment", Stage.PRESS)


def test_giving_a_shown_code_up_leaves_nothing_asked_at_the_machine(things: Things) -> None:
    things.choose(Story.VEND)
    things.press(Goods.BOX)
    with pytest.raises(CallerError):
        things.choose(Story.PARK)
    things.start_over()
    assert vending_of(things).cancels == 1
    things.choose(Story.CHARGE)
    assert things.stage is Stage.PLUG


def test_giving_up_leaves_no_cable_in_and_nobody_at_the_exit(things: Things) -> None:
    things.plug()
    things.start_over()
    assert charger_of(things).said == ["plug", "pull"]
    things.choose(Story.PARK)
    things.enter(Car.WITHOUT)
    things.leave()
    things.start_over()
    assert exit_of(things).cancels == 1
    assert (exit_of(things).gate.state["waiting"], things.stage) == (0, Stage.ENTER)
    things.enter(Car.WITHOUT)  # it is in still
    assert things.stage is Stage.LEAVE


def test_steps_come_in_their_order(things: Things) -> None:
    for act in (things.pull, things.leave, things.pay, things.out):
        with pytest.raises(CallerError) as refused:
            act()
        assert refused.value.code == "payment_state"
    things.plug()
    with pytest.raises(CallerError):
        things.choose(Story.PARK)


def test_the_page_acts_by_its_own_token_only_and_shows_the_step() -> None:
    with TestClient(build_app(fake_shop(Program())), base_url="http://127.0.0.1") as http:
        assert http.post("/things/plug").status_code == 401
        known = token(http)
        told = http.post("/things/plug", headers=known).json()
        assert 'data-stage="pull"' in told["things"]
        assert http.post("/things/fly", headers=known).status_code == 404
        for act, what in (("enter", {"car": 7}), ("press", {"item": "beer"})):
            wrong = http.post(f"/things/{act}", json=what, headers=known)
            assert wrong.status_code == 400
