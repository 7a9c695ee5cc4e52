"""A charge by itself: its table, its meter, its price; and what a charger may not say."""

from dataclasses import replace
from typing import Any

import pytest

from hub.ocpp.dialect import CallRefusedError, Readings, energy_wh, meter_readings, parse
from hub.ocpp.model import TRANSITIONS, Charge, ChargeState, ChargeStep
from hub.ocpp.paying import explain
from hub.ocpp.v16 import _Start
from protocol.errors import CallerError

RUNNING = Charge(
    payment_id="pay_1",
    number=1,
    charger="charger-1",
    connector=1,
    key="k",
    tag="CARD-1",
    state=ChargeState.RUNNING,
    currency="CNY",
    per_kwh_minor=150,
    per_minute_minor=6,
    start_wh=1_000,
    last_wh=1_000,
    began_at_ms=10_000,
    last_at_ms=10_000,
    heard_at_ms=10_000,
)


def test_every_step_is_the_tables_or_refused() -> None:
    for state in ChargeState:
        for step in ChargeStep:
            charge = replace(RUNNING, state=state)
            edge = TRANSITIONS.get((state, step))
            if edge is not None:
                assert charge.move(step).state is edge.state
                continue
            with pytest.raises(CallerError, match="payment_state"):
                charge.move(step)


def test_readings_out_of_order_and_backwards_are_put_aside() -> None:
    read = RUNNING.read(3_000, at_ms=70_000, heard_at_ms=70_000)
    assert (read.energy_wh, read.milliwatts) == (2_000, 120_000_000)
    for wh, at_ms in ((2_000, 40_000), (2_900, 80_000), (4_000, 60_000)):
        aside = read.read(wh, at_ms=at_ms, heard_at_ms=90_000)
        assert aside == replace(read, odd_readings=1)


def test_the_last_word_is_the_reading_at_the_end() -> None:
    read = RUNNING.read(3_000, at_ms=70_000, heard_at_ms=70_000)
    assert read.end(2_500, at_ms=130_000, reason="Local").amount_minor == 225 + 12
    assert read.end(500, at_ms=130_000, reason="Local").energy_wh == 0, "a meter that was changed"
    assert read.end(None, at_ms=130_000, reason="Local").amount_minor == 300 + 12
    early = read.end(2_500, at_ms=5_000, reason="Local")
    assert (early.duration_ms, early.amount_minor, early.odd_readings) == (0, 225, 1)


def test_a_charger_that_does_not_say_where_it_began_is_not_overpaid() -> None:
    silent = replace(RUNNING, start_wh=None, last_wh=0)
    assert silent.end(900_000, at_ms=20_000, reason="Local").energy_minor == 0
    read = silent.read(900_000, at_ms=20_000, heard_at_ms=20_000)
    assert read.end(901_000, at_ms=30_000, reason="Local").energy_minor == 150


def test_the_limit_is_seen_before_it_is_reached() -> None:
    read = replace(RUNNING, limit_minor=310).read(3_000, at_ms=70_000, heard_at_ms=70_000)
    assert read.cost_minor == 306
    assert read.reaches_limit(70_000), "120 kW reach it within the seconds that a stop takes"
    assert not replace(read, limit_minor=400).reaches_limit(70_000)
    assert replace(read, limit_minor=400).reaches_limit(100_000), "half a minute without a word"


def test_lines_and_cap_make_the_amount() -> None:
    ended = replace(RUNNING, limit_minor=200).end(3_000, at_ms=70_000, reason="Local")
    said = explain(ended)
    assert (sum(line.amount_minor for line in said.lines), said.cap_minor) == (306, 200)


@pytest.mark.parametrize(
    ("sampled", "wh"),
    [
        ({"value": "12.5"}, 12),
        ({"value": "NaN"}, None),
        ({"value": "1e400"}, None),
        ({"value": "-3"}, None),
        ({"value": "4", "phase": "L1"}, None),
        ({"value": "4", "phase": None, "measurand": None}, 4),
        ({"value": "4", "format": "SignedData"}, None),
        ({"value": "4", "measurand": "Power.Active.Import"}, None),
        ({}, None),
    ],
)
def test_what_is_no_reading_of_the_register_is_none(sampled: dict[str, Any], wh: int) -> None:
    assert energy_wh(sampled, unit="Wh") == wh


def sampled(minute: int, *values: dict[str, Any]) -> Readings:
    return Readings.model_validate(
        {"timestamp": f"2026-01-01T00:{minute:02}:00Z", "sampledValue": values}
    )


def test_of_several_meters_the_one_nearest_to_the_car_is_read() -> None:
    """The meter at the inlet counts what all cars take, and the losses."""
    inlet, outlet = {"value": "900000", "location": "Inlet"}, {"value": "1200"}
    said = (sampled(2, inlet, outlet), sampled(1, {"value": "1100", "location": "Outlet"}, inlet))
    first_ms = round(said[1].timestamp.timestamp() * 1000)
    assert meter_readings(said, lambda _: "Wh") == [(1_100, first_ms), (1_200, first_ms + 60_000)]
    alone = (sampled(1, inlet, {"value": "3", "location": "EV"}),)
    assert meter_readings(alone, lambda _: "Wh") == [(900_000, first_ms)]
    assert meter_readings((), lambda _: "Wh") == []


def test_kilowatt_hours_are_read_exactly() -> None:
    assert energy_wh({"value": "0.001"}, unit="kWh") == 1
    assert energy_wh({"value": 1.234}, unit="kWh") == 1_234


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"idTag": None}, "TypeConstraintViolation"),
        ({"idTag": "x" * 21}, "TypeConstraintViolation"),
        ({"meterStart": -1}, "TypeConstraintViolation"),
        ({"meterStart": ...}, "OccurrenceConstraintViolation"),
    ],
)
def test_a_wrong_call_gets_the_standards_code(changed: dict[str, Any], code: str) -> None:
    call = {"connectorId": 1, "idTag": "A", "meterStart": 1, "timestamp": "2026-01-01T00:00:00Z"}
    wrong = {name: value for name, value in (call | changed).items() if value is not ...}
    with pytest.raises(CallRefusedError) as refused:
        parse(_Start, wrong)
    assert refused.value.code == code
