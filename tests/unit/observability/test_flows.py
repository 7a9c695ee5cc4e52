"""Counting flows: parts of a span, shares of the durations, what is forgotten."""

import asyncio
from contextlib import closing
from dataclasses import replace

import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient

from backend.db.command import Command
from backend.hub_api.flow import flow_of, outcome_of
from backend.observability.flow_desk import FlowDesk
from backend.observability.flow_watch import FlowWatch
from backend.observability.flows import Flow, FlowFigures, FlowMeter, Outcome, Span, figures
from backend.observability.limits import FLOW_MINUTES_KEPT
from protocol.clock import MINUTE_MS
from protocol.errors import CallerError, OperatingError
from tests.support.shop import Shop, ShopClock
from tests.support.wallet_http import services_of

T = 1_000 * MINUTE_MS


def of(meter: FlowMeter, flow: Flow, *, minutes: int = 60, parts: int = 6) -> FlowFigures:
    span = Span.until(T, minutes=minutes, parts=parts)
    found = figures(meter.sums(span), parts=parts)
    return next(one for one in found if one.flow is flow)


def test_requests_fall_into_the_parts_of_the_span_and_shares_are_upper_bounds() -> None:
    meter = FlowMeter()
    for minute in range(60):
        outcome = Outcome.FAILED if minute == 0 else Outcome.DONE
        took_ms = 400.0 if minute < 2 else 3.0
        meter.note(Flow.REFUND, outcome, took_ms=took_ms, at_ms=T - minute * MINUTE_MS)
    meter.note(Flow.REFUND, Outcome.REFUSED, took_ms=90_000.0, at_ms=T - 60 * MINUTE_MS)
    found = of(meter, Flow.REFUND)
    assert found.counts == (10,) * 6
    assert found.failures == (0, 0, 0, 0, 0, 1)
    assert (found.count, found.refused, found.failed) == (60, 0, 1)
    assert (found.p50_ms, found.p95_ms, found.p99_ms) == (5, 5, 500)
    longer = of(meter, Flow.REFUND, minutes=61, parts=1)
    assert (longer.count, longer.refused, longer.p99_ms) == (61, 1, 30_000)


def test_nothing_asked_has_no_duration() -> None:
    assert of(FlowMeter(), Flow.WALLET).p95_ms is None


def test_a_day_is_remembered_and_no_more() -> None:
    meter = FlowMeter()
    for minute in range(2 * FLOW_MINUTES_KEPT):
        at_ms = T - (2 * FLOW_MINUTES_KEPT - 1 - minute) * MINUTE_MS
        meter.note(Flow.WALLET, Outcome.DONE, took_ms=1, at_ms=at_ms)
    assert of(meter, Flow.WALLET, minutes=3 * FLOW_MINUTES_KEPT, parts=1).count == FLOW_MINUTES_KEPT


@pytest.mark.asyncio
async def test_processes_and_restarts_add_up_and_a_day_later_the_place_is_taken_again(
    migrated_url: str,
) -> None:
    with closing(Shop(migrated_url)) as shop:
        shop.clock.at_ms = T
        programs = [services_of(shop) for _ in range(2)]
        one, other = map(FlowDesk, programs)
        meters = [program.flows for program in programs]
        meters[0].note(Flow.REFUND, Outcome.DONE, took_ms=4, at_ms=T)
        await one.keep()
        await one.keep()
        meters[0].note(Flow.REFUND, Outcome.FAILED, took_ms=4, at_ms=T)
        meters[1].note(Flow.REFUND, Outcome.REFUSED, took_ms=90, at_ms=T - 3 * MINUTE_MS)
        await other.keep()
        assert [await _refunds(desk) for desk in (one, other)] == [((1, 2), 1), ((1, 1), 0)]
        await one.keep()
        begun_anew = FlowDesk(services_of(shop))
        assert await _refunds(begun_anew) == ((1, 2), 1)
        shop.clock.at_ms = T + FLOW_MINUTES_KEPT * MINUTE_MS
        meters[0].note(Flow.REFUND, Outcome.DONE, took_ms=4, at_ms=shop.clock.at_ms)
        meters[1].note(Flow.REFUND, Outcome.DONE, took_ms=4, at_ms=T)
        await one.keep()
        await other.keep()
        assert await _refunds(begun_anew) == ((0, 1), 0)
        assert len(shop.rows("SELECT * FROM flow_minute")) == 3


@pytest.mark.asyncio
async def test_what_is_on_its_way_to_the_database_is_neither_missed_nor_counted_twice(
    migrated_url: str,
) -> None:
    with closing(Shop(migrated_url)) as shop:
        shop.clock.at_ms = T
        services, begun = services_of(shop), asyncio.Event()

        async def slow(command: Command) -> object:
            begun.set()
            await asyncio.sleep(0.05)
            return await services.submit(command)

        desk = FlowDesk(replace(services, submit=slow))
        services.flows.note(Flow.REFUND, Outcome.DONE, took_ms=4, at_ms=T)
        keeping = asyncio.create_task(desk.keep())
        await begun.wait()
        assert await _refunds(desk) == ((0, 1), 0)
        await keeping
        assert await _refunds(desk) == ((0, 1), 0)


async def _refunds(desk: FlowDesk) -> tuple[tuple[int, ...], int]:
    found = await desk.figures(minutes=4, parts=2)
    refunds = next(one for one in found if one.flow is Flow.REFUND)
    return refunds.counts, refunds.failed


@pytest.mark.asyncio
async def test_what_could_not_be_kept_is_kept_the_next_time(migrated_url: str) -> None:
    async def busy(_: object) -> None:
        raise OperatingError("busy")

    with closing(Shop(migrated_url)) as shop:
        services = replace(services_of(shop), submit=busy)
        services.flows.note(Flow.WALLET, Outcome.DONE, took_ms=4, at_ms=T)
        await FlowDesk(services).keep()
        assert of(services.flows, Flow.WALLET).count == 1


@pytest.mark.parametrize(
    ("message_type", "body", "flow"),
    [
        ("payment.create", {"method": "pay_code"}, Flow.SALE_BY_CODE),
        ("payment.create", {"method": "mandate"}, Flow.MANDATE_DEBIT),
        ("payment.create", {"method": ["x"]}, None),
        ("payment.reverse", {}, Flow.ASKING),
        ("device.hello", {}, None),
    ],
)
def test_what_a_device_asks_has_its_flow(
    message_type: str, body: dict[str, object], flow: Flow | None
) -> None:
    assert flow_of(message_type, body) is flow


def test_a_refusal_is_an_answer_and_an_open_outcome_a_failure() -> None:
    assert outcome_of(CallerError("field_invalid")) is Outcome.REFUSED
    assert outcome_of(OperatingError("busy")) is Outcome.FAILED
    assert outcome_of(("payment.result", {"state": "declined"})) is Outcome.REFUSED
    assert outcome_of(("payment.result", {"state": "unknown"})) is Outcome.FAILED
    assert outcome_of(("payment.result", {"state": "captured"})) is Outcome.DONE


def test_http_is_timed_by_its_path_and_judged_by_its_status() -> None:
    app, meter, clock = FastAPI(), FlowMeter(), ShopClock()
    clock.at_ms = T

    @app.get("/{path:path}")
    async def any_path(path: str) -> PlainTextResponse:
        return PlainTextResponse("", int(path.rpartition("/")[2]))

    http = TestClient(FlowWatch(app, meter, clock, {Flow.MERCHANT_API: ("/v3/",)}))
    for path in ("/v3/200", "/v3/404", "/v3/500", "/v3/204", "/other/500"):
        http.get(path)
    found = of(meter, Flow.MERCHANT_API)
    assert (found.count, found.refused, found.failed) == (4, 1, 1)
    assert of(meter, Flow.WALLET).count == 0
