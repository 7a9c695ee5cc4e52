"""The way of a payment, from what the programs say."""

from dataclasses import replace
from typing import Any

import pytest

from backend.sagas.model import SagaEvent
from faces.words import Words
from protocol.payment import Event
from tests.support.front_shop import (
    CHARGE,
    SALE,
    FakeCharger,
    FakeTill,
    Program,
    entries,
    fake_shop,
    passages,
    payment,
)
from tillway.front.hops import Hop, way_of, way_of_charge, way_of_charge_ahead
from tillway.front.parts import total
from tillway.front.words import EVENTS, WORDS

DAY_MS = 86_400_000


def stations(hops: tuple[Hop, ...]) -> list[tuple[str, int | None, int | None]]:
    return [(hop.place, hop.at_ms, hop.took_ms) for hop in hops]


def test_a_payment_by_code_goes_there_and_back_with_the_times_that_programs_tell() -> None:
    way = way_of(SALE, payment(), [], entries(), ahead_ms=0)
    assert stations(way.hops) == [
        ("till", 0, 0), ("payer", None, None), ("till", 300, 300), ("hub", None, None),
        ("backend", None, None), ("backend", 320, 20), ("ledger", 320, 0), ("hub", None, None),
        ("till", 335, 15),
    ]  # fmt: skip
    assert way.wire_ms == 35
    assert way.mood == "paid"
    assert way.trace_id == "ab" * 16


def test_the_way_of_a_stay_begins_at_the_exit_where_it_is_reckoned() -> None:
    way = way_of(SALE, payment(), [], entries(), ahead_ms=0, place="exit")
    assert way.hops[0].words == Words("算出停车费", "Stay reckoned")
    assert {hop.place for hop in way.hops} >= {"exit", "hub", "backend"}
    assert "till" not in {hop.place for hop in way.hops}
    assert {WORDS[f"{what}_exit"].en for what in ("place", "kind")} == {"Exit", "Car park exit"}


def test_the_hub_s_times_stand_on_the_way_and_one_that_it_does_not_tell_is_left_out() -> None:
    way = way_of(SALE, payment(), [], entries(), ahead_ms=0, passages=passages())
    assert stations(way.hops) == [
        ("till", 0, 0), ("payer", None, None), ("till", 300, 300), ("hub", 302, 2), ("hub", 305, 3),
        ("hub", 306, 1), ("backend", None, None), ("backend", 320, 14), ("ledger", 320, 0),
        ("hub", 330, 10), ("till", 335, 5), ("hub", 336, 1),
    ]  # fmt: skip
    under_way = [passages()[0] | {"answered_at_ms": None, "handed_over_at_ms": None}]
    hops = way_of(SALE, payment(), [], entries(), ahead_ms=0, passages=under_way).hops
    assert [hop.at_ms for hop in hops if hop.place == "hub"] == [302, 305, 306, None]


def test_each_transfer_stands_once_from_the_giver_to_the_taker() -> None:
    postings = way_of(SALE, payment(), [], entries(), ahead_ms=0).postings
    assert [(p.giver, p.taker, p.amount) for p in postings] == [
        ("C:CUST:pyr_1:CNY", "C:MPEND:mch-1:CNY", "12.80"),
        ("C:MPEND:mch-1:CNY", "C:UNSWEPT:CNY", "0.08"),
    ]


@pytest.mark.parametrize("ahead_ms", [0, DAY_MS])
def test_a_backend_whose_clock_was_moved_before_the_payment_is_shown_in_the_till_s_time(
    ahead_ms: int,
) -> None:
    moved = way_of(SALE, payment(ahead_ms), [], entries(ahead_ms), ahead_ms=ahead_ms)
    assert stations(moved.hops) == stations(way_of(SALE, payment(), [], entries(), ahead_ms=0).hops)


def test_a_backend_s_clock_that_was_read_late_puts_no_answer_before_its_question() -> None:
    read_ms = DAY_MS + 327  # 327 ms late: without more, 7 ms before the amount was keyed in
    late = way_of(SALE, payment(DAY_MS), [], entries(DAY_MS), ahead_ms=read_ms)
    assert [hop.at_ms for hop in late.hops if hop.place in {"backend", "ledger"}][1:] == [300, 300]


def test_a_clock_that_was_moved_after_the_payment_changes_nothing() -> None:
    assert way_of(SALE, payment(), [], entries(), ahead_ms=DAY_MS) == way_of(
        SALE, payment(), [], entries(), ahead_ms=0
    )


def test_a_time_that_fits_no_clock_is_not_shown() -> None:
    way = way_of(SALE, payment(2 * DAY_MS), [], entries(2 * DAY_MS), ahead_ms=DAY_MS)
    assert [hop.at_ms for hop in way.hops if hop.place in {"backend", "ledger"}] == [None] * 3


def test_a_sale_that_waits_for_its_scan_has_one_station() -> None:
    waiting = SALE | {"state": "scanning", "sent_at_ms": None, "settled_at_ms": None}
    way = way_of(waiting, None, [], [], ahead_ms=0)
    assert stations(way.hops) == [("till", 0, 0)]
    assert way.wire_ms is None
    assert way.mood == "plain"


@pytest.mark.parametrize("ahead_ms", [0, DAY_MS])
def test_a_shown_code_comes_back_first_and_is_then_scanned_and_paid(ahead_ms: int) -> None:
    told: dict[str, Any] = payment(ahead_ms)
    shown = told["timeline"][0] | {
        "event": "PaymentCodeShown", "at_ms": SALE["created_at_ms"] + 308 + ahead_ms
    }  # fmt: skip
    sale = SALE | {"method": "merchant_qr", "state": "showing_qr", "settled_at_ms": None}
    told["timeline"] = [shown]
    waiting = way_of(sale, told, [], [], ahead_ms=ahead_ms, passages=passages())
    assert stations(waiting.hops)[-3:] == [
        ("backend", 308, 2), ("hub", 330, 22), ("hub", 336, 6)
    ]  # fmt: skip
    told["timeline"] = [shown, payment(ahead_ms)["timeline"][0]]
    sale |= {"state": "paid", "settled_at_ms": SALE["settled_at_ms"]}
    paid = way_of(sale, told, [], entries(ahead_ms), ahead_ms=ahead_ms, passages=passages())
    assert [hop.place for hop in paid.hops[-7:]] == [
        "hub", "hub", "payer", "backend", "ledger", "hub", "till",
    ]  # fmt: skip
    assert paid.wire_ms is None


def test_a_channel_s_conversation_is_part_of_the_way_and_a_later_refund_is_not() -> None:
    told: dict[str, Any] = payment()
    refunded = told["timeline"][0] | {"event": "PaymentRefunded", "at_ms": SALE["created_at_ms"]}
    told["timeline"] = [*told["timeline"], refunded]
    sent = {"event": "SagaSent", "at_ms": SALE["created_at_ms"] + 310}
    sagas = [
        {"kind": "pay", "channel_id": "unionpay", "timeline": [sent]},
        {"kind": "refund", "channel_id": "unionpay", "timeline": [sent]},
    ]
    way = way_of(SALE, told, sagas, entries(), ahead_ms=0)
    assert [(h.place, h.at_ms, h.detail) for h in way.hops if h.place == "channel"] == [
        ("channel", 310, "unionpay")
    ]
    assert WORDS["hop_paid"] in [hop.words for hop in way.hops]
    assert EVENTS["PaymentRefunded"] not in [hop.words for hop in way.hops]


@pytest.mark.parametrize("ahead_ms", [0, DAY_MS])
def test_a_charge_goes_from_the_cable_to_the_ledger_by_the_hub_that_signs_for_its_charger(
    ahead_ms: int,
) -> None:
    charge = CHARGE | {"state": "paid", "ended_at_ms": SALE["created_at_ms"] + 295}
    told: dict[str, Any] = {"ahead_ms": ahead_ms, "passages": passages()}
    way = way_of_charge(charge, payment(ahead_ms), [], entries(ahead_ms), **told)
    assert stations(way.hops) == [
        ("charger", 0, 0), ("hub", 7, 7), ("hub", 10, 3), ("hub", 11, 1), ("backend", None, None),
        ("backend", 25, 14), ("ledger", 25, 0), ("hub", 35, 10), ("charger", None, None),
    ]  # fmt: skip
    assert (way.amount, way.state, way.mood, way.wire_ms) == ("0.62", "paid", "paid", None)
    owed = way_of_charge(charge | {"state": "owed"}, None, [], [], ahead_ms=ahead_ms)
    assert (owed.state, [hop.place for hop in owed.hops]) == ("going", ["charger", "hub"])
    refused = way_of_charge(charge | {"state": "unsettled"}, payment(), [], [], ahead_ms=0)
    assert (refused.mood, refused.hops[-1].words) == ("error", WORDS["hop_charge_unsettled"])


def test_a_charge_that_was_paid_ahead_goes_by_its_code_and_ends_with_what_went_back() -> None:
    start_ms = SALE["created_at_ms"] + 302
    shown = payment()["timeline"][0] | {"event": "PaymentCodeShown", "at_ms": start_ms + 10}
    told: dict[str, Any] = payment() | {"timeline": [shown, payment()["timeline"][0]]}
    charge = CHARGE | {"prepaid_minor": 5_000, "state": "running", "began_at_ms": start_ms + 900}
    running = way_of_charge_ahead(charge, told, [], entries(), ahead_ms=0, passages=passages())
    assert stations(running.hops) == [
        ("charger", None, None), ("hub", 0, 0), ("hub", 3, 3), ("hub", 4, 1),
        ("backend", None, None), ("backend", 10, 6), ("hub", 28, 18), ("hub", 34, 6),
        ("payer", None, None), ("backend", 18, 0), ("ledger", 18, 0), ("hub", None, None),
        ("charger", 900, 866),
    ]  # fmt: skip
    assert (running.amount, running.mood) == ("50.00", "paid")
    ended = charge | {"ended_at_ms": start_ms + 2_000}
    for state, cost_minor, words, detail in (
        ("paid", 62, "hop_rest_paid", "¥49.38"), ("paid", 5_000, "hop_rest_none", ""),
        ("unsettled", 62, "hop_rest_unsettled", "¥49.38"),
    ):  # fmt: skip
        over = ended | {"state": state, "cost_minor": cost_minor}
        way = way_of_charge_ahead(over, told, [], entries(), ahead_ms=0, passages=passages())
        assert way.hops[-2].words == WORDS["hop_metered"]
        assert (way.hops[-1].words, way.hops[-1].detail) == (WORDS[words], detail)
    owed = way_of_charge_ahead(ended | {"state": "owed"}, told, [], entries(), ahead_ms=0)
    assert owed.hops[-1].words == WORDS["hop_metered"], "what goes back is on its way"
    assert {hop.at_ms for hop in owed.hops if hop.place == "backend"} == {None}, "no hub's time"


def test_the_last_payment_is_the_till_s_or_the_charger_s_whichever_came_later() -> None:
    shop = fake_shop(Program())
    assert shop.last_way() is None
    shop.charger.plug_in()
    assert shop.last_way() is None, "nothing is owed while it charges"
    shop.charger.pull_out()
    way = shop.last_way()
    assert way is not None
    assert way.hops[0].place == "charger"
    assert way.postings
    assert isinstance(shop.charger, FakeCharger)
    shop.charger.state.update({"prepaid_minor": 5_000, "state": "running", "ended_at_ms": 0})
    way = shop.last_way()
    assert way is not None
    assert (way.amount, way.hops[-1].words) == ("50.00", WORDS["hop_begun"])
    shop.charger.state["state"] = "offered"
    assert shop.last_way() is None, "a code that nobody has paid"
    before = {"prepaid_minor": 0, "state": "paid", "ended_at_ms": SALE["created_at_ms"] - 1}
    shop.charger.state.update(before)
    shop.till.sell(1_280, "pay_code")
    way = shop.last_way()
    assert way is not None
    assert way.hops[0].place == "till"


def test_every_event_of_the_backend_s_timelines_has_words() -> None:
    assert set(EVENTS) == {event.value for event in (*Event, *SagaEvent)}


def test_a_metric_s_samples_are_summed_and_another_metric_s_are_not() -> None:
    told = 'a_total{state="paid"} 2.0\na_total{state="declined"} 1.0\na_total_created 17e8\nb 5.0\n'
    assert total(told, "a_total") == 3
    assert total(told, "c") == 0


@pytest.mark.parametrize(("name", "words"), [("exit-1", "hop_stay"), ("vend-1", "hop_pressed")])
def test_the_last_payment_of_a_machine_is_told_as_the_machine_s(name: str, words: str) -> None:
    machine = FakeTill(name)
    machine.sell(940, "merchant_qr")
    way = replace(fake_shop(Program()), tills=(machine,)).last_way()
    assert way is not None
    assert way.hops[0].words == WORDS[words]
