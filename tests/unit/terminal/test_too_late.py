"""A create is made while the payer may be there, and never hours later."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from terminal.inputs import LinkDown, LinkUp, Reverse, StartSale
from terminal.limits import CREATE_AGE_MS_MAX
from tests.unit.terminal.fakes import BACKEND_KEY, HUB_KEY, Bench, refusal

HOURS_MS = 6 * 3_600_000
TILL: dict[str, Any] = {"methods": ("merchant_qr",)}
MACHINE = {"kind": "vending", "methods": ("mandate",), "is_attended": False, "mandate_id": "mdt_1"}


@pytest.fixture(params=[TILL, MACHINE], ids=["till", "machine"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(**request.param)
    yield made
    made.power_cut()


def sell(bench: Bench) -> None:
    method = bench.profile.methods[0]
    bench.feed(StartSale(amount_minor=300, currency="CNY", method=method))


def assert_given_up(bench: Bench, creates: int) -> None:
    """Ended as declined, in words, on paper, and with no create more than before."""
    sale = bench.agent.recent(1)[0]
    assert (sale.state, sale.error_code) == ("declined", "payment_too_late")
    assert bench.printed()[-1] == "declined"
    assert bench.receipts[-1].facts["error_code"] == "payment_too_late"
    assert len(bench.sent_of("payment.create")) == creates
    assert bench.agent.unknown_sales() == []


def test_what_never_left_ends_after_its_time_and_is_not_sent_when_the_line_is_back(
    bench: Bench,
) -> None:
    bench.feed(LinkDown())
    sell(bench)
    bench.wait(CREATE_AGE_MS_MAX - 1)
    assert bench.kind == "offline"
    bench.wait(1)
    assert_given_up(bench, creates=0)
    bench.wait(HOURS_MS)
    bench.feed(LinkUp())
    assert_given_up(bench, creates=0)


def test_what_never_left_is_given_up_at_the_line_too_if_no_timer_ran(bench: Bench) -> None:
    bench.feed(LinkDown())
    sell(bench)
    bench.clock.wall += HOURS_MS  # the machine slept: its ticks stood still
    bench.feed(LinkUp())
    assert_given_up(bench, creates=0)


def test_a_wall_clock_that_went_back_does_not_make_a_create_young(bench: Bench) -> None:
    sell(bench)
    bench.clock.wall -= HOURS_MS
    bench.wait(CREATE_AGE_MS_MAX)
    query = bench.sent_of("payment.query")[-1]
    bench.answer(refusal(query.request_id, "payment_not_found", key=BACKEND_KEY))
    assert_given_up(bench, creates=1)


def test_what_a_query_does_not_find_after_the_time_is_not_made_again(bench: Bench) -> None:
    sell(bench)
    bench.wait(6_000)
    bench.feed(LinkDown())
    bench.wait(HOURS_MS)
    assert bench.kind == "unknown"  # it may have been accepted: only an answer ends it
    bench.feed(LinkUp())
    assert bench.kind == "unknown"
    query = bench.sent_of("payment.query")[-1]
    bench.answer(refusal(query.request_id, "payment_not_found", key=BACKEND_KEY))
    assert_given_up(bench, creates=1)


def test_what_may_have_been_accepted_is_paid_however_late_the_answer_is(bench: Bench) -> None:
    sell(bench)
    bench.feed(LinkDown())
    bench.wait(HOURS_MS)
    bench.feed(LinkUp())
    bench.answer(bench.result("captured", to=bench.sent_of("payment.query")[-1]))
    assert bench.printed() == ["unknown", "paid"]


def test_a_create_that_is_refused_again_and_again_ends_after_its_time(bench: Bench) -> None:
    sell(bench)
    for tries in range(1, 20):
        create = bench.sent_of("payment.create")[-1]
        bench.answer(refusal(create.request_id, "busy", at_ms=tries))
        while bench.kind == "sending" and len(bench.sent_of("payment.create")) == tries:
            bench.wait(500)
    assert_given_up(bench, creates=7)  # after 0, 1, 3, 7, 15, 31 and 63 seconds


def test_a_reversal_that_finds_nothing_after_the_time_ends_the_sale(bench: Bench) -> None:
    sell(bench)
    bench.wait(CREATE_AGE_MS_MAX)
    bench.feed(Reverse())
    bench.wait(1)
    reverse = bench.sent_of("payment.reverse")[-1]
    bench.answer(refusal(reverse.request_id, "payment_not_found", key=BACKEND_KEY))
    assert_given_up(bench, creates=1)


def test_the_hub_alone_cannot_say_that_the_backend_has_nothing(bench: Bench) -> None:
    sell(bench)
    bench.wait(CREATE_AGE_MS_MAX)
    query = bench.sent_of("payment.query")[-1]
    bench.answer(refusal(query.request_id, "payment_not_found", key=HUB_KEY))
    assert bench.kind == "unknown"
    assert bench.agent.refused_answers["signature_invalid"] == 1


def test_a_decline_for_lateness_by_the_backend_is_a_decline(bench: Bench) -> None:
    sell(bench)
    error = {"code": "payment_too_late", "retry": "never", "zh": "x", "en": "y"}
    create = bench.sent_of("payment.create")[0]
    bench.answer(bench.result("declined", to=create, error=error))
    assert_given_up(bench, creates=1)
    assert "nothing was charged" in bench.agent.screen().error.words.en  # type: ignore[union-attr]


def test_an_age_is_kept_over_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "journal.db", **TILL)
    sell(bench)
    bench.power_cut()
    bench.clock.forward(CREATE_AGE_MS_MAX)
    bench.boot()
    query = bench.sent_of("payment.query")[-1]
    bench.answer(refusal(query.request_id, "payment_not_found", key=BACKEND_KEY))
    assert_given_up(bench, creates=1)
    bench.power_cut()


@pytest.mark.parametrize("hubs", [1, 2])
def test_with_another_hub_nothing_found_proves_nothing_and_a_reversal_ends_it(hubs: int) -> None:
    bench = Bench(methods=("merchant_qr",), hub_count=hubs)
    sell(bench)
    bench.wait(6_000)
    bench.feed(LinkDown())  # a dead hub may hold the create
    bench.wait(CREATE_AGE_MS_MAX)
    bench.feed(LinkUp())
    query = bench.sent_of("payment.query")[-1]
    bench.answer(refusal(query.request_id, "payment_not_found", key=BACKEND_KEY))
    if hubs == 1:
        assert_given_up(bench, creates=1)
        return
    assert bench.kind == "reversing"
    bench.answer(refusal(query.request_id, "payment_not_found", key=BACKEND_KEY, at_ms=2))
    assert len(bench.sent_of("payment.create")) == 1, "the answer to a question of before"
    bench.wait(20_000)
    reverse = bench.sent_of("payment.reverse")[-1]
    bench.answer(bench.result("reversed", to=reverse))
    assert (bench.kind, bench.agent.unknown_sales()) == ("reversed", [])
    bench.answer(bench.result("reversed"))  # the dead hub is back, and its create comes too late
    assert bench.kind == "reversed"


def test_with_another_hub_the_same_create_goes_again_while_the_payer_is_there() -> None:
    bench = Bench(methods=("merchant_qr",), hub_count=2)
    sell(bench)
    bench.wait(6_000)
    query = bench.sent_of("payment.query")[-1]
    bench.answer(refusal(query.request_id, "payment_not_found", key=BACKEND_KEY))
    first, again = bench.sent_of("payment.create")
    assert first.request_id == again.request_id
    bench.answer(bench.result("captured", to=again))
    assert bench.kind == "paid"
