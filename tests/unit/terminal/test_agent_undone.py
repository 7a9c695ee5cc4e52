"""A shown code, a cancel, a reversal, a sale that is left unknown, as the agent plays them."""

from collections.abc import Iterator

import pytest

from protocol.errors import CallerError
from terminal.inputs import (
    Cancel,
    Dismiss,
    LinkDown,
    Query,
    Reverse,
    StartSale,
)
from tests.unit.terminal.fakes import (
    BACKEND_KEY,
    Bench,
    refusal,
    sell,
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.power_cut()


def test_the_merchant_qr_is_shown_polled_and_paid_by_a_push(bench: Bench) -> None:
    create = sell(bench, method="merchant_qr")
    bench.answer(bench.result("awaiting_payer", to=create, code_url="https://pay/x"))
    screen = bench.agent.screen()
    assert (screen.kind, screen.code_url) == ("qr", "https://pay/x")
    bench.wait(5_000)
    query = bench.sent_of("payment.query")[0]
    bench.answer(bench.result("awaiting_payer", to=query))  # without the code: kept
    assert bench.agent.screen().code_url == "https://pay/x"
    bench.answer(bench.result("captured"))
    assert bench.kind == "paid"


def test_cancelling_a_shown_qr_waits_for_the_backend_and_loses_to_a_payer(bench: Bench) -> None:
    create = sell(bench, method="merchant_qr")
    bench.answer(bench.result("awaiting_payer", to=create, code_url="https://pay/x"))
    bench.feed(Cancel())
    assert bench.kind == "closing"
    close = bench.sent_of("payment.close")[0]
    bench.answer(bench.result("captured", to=close))
    assert bench.kind == "paid"


def test_a_closed_payment_ends_the_cancel(bench: Bench) -> None:
    create = sell(bench, method="merchant_qr")
    bench.answer(bench.result("awaiting_payer", to=create, code_url="https://pay/x"))
    bench.feed(Cancel())
    bench.answer(bench.result("closed", to=bench.sent_of("payment.close")[0]))
    assert bench.kind == "closed"
    bench.feed(Dismiss())
    assert bench.kind == "keypad"


def test_a_close_that_nobody_answers_says_so_and_may_be_left_until_it_is_answered(
    bench: Bench,
) -> None:
    create = sell(bench, method="merchant_qr")
    bench.answer(bench.result("awaiting_payer", to=create, code_url="https://pay/x"))
    bench.feed(Cancel())
    bench.wait(2_900)
    screen = bench.agent.screen()
    assert (screen.kind, screen.error) == ("closing", None)
    assert [button.action for button in screen.buttons] == ["query"]
    with pytest.raises(CallerError, match="payment_state"):
        bench.feed(Dismiss())
    bench.wait(200)
    screen = bench.agent.screen()
    assert screen.error is not None
    assert screen.error.code == "hub_silent"
    assert "请勿让顾客再付这一笔" in screen.error.words.zh
    assert "must not pay this one" in screen.error.words.en
    assert [button.action for button in screen.buttons] == ["query", "park"]
    bench.feed(Dismiss())
    screen = bench.agent.screen()
    assert (screen.kind, screen.unknown_count) == ("keypad", 1)
    bench.answer(bench.result("closed", to=bench.sent_of("payment.close")[-1]))
    assert bench.agent.screen().unknown_count == 0
    assert bench.printed() == ["closed"]
    sell(bench, amount_minor=300)
    assert bench.kind == "sending"


def test_a_reversal_says_that_nobody_answers_and_no_longer_once_somebody_does(
    bench: Bench,
) -> None:
    sell(bench)
    bench.wait(20_000)
    bench.feed(Reverse())
    bench.wait(1)
    screen = bench.agent.screen()
    assert (screen.kind, screen.error and screen.error.code) == ("reversing", "timeout")
    bench.wait(4_000)
    screen = bench.agent.screen()
    assert (screen.kind, screen.error and screen.error.code) == ("reversing", "hub_silent")
    bench.answer(bench.result("reversed", to=bench.sent_of("payment.reverse")[-1]))
    assert bench.kind == "reversed"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("busy", ("门店网关此刻太忙", "too busy")),
        ("spool_unwritable", ("磁盘已满", "disk is full")),
        ("backend_unreachable", ("与后台断开", "lost the backend")),
    ],
)
def test_a_close_and_a_reversal_that_are_refused_say_why_and_may_be_left(
    bench: Bench, code: str, why: tuple[str, str]
) -> None:
    create = sell(bench, method="merchant_qr")
    bench.answer(bench.result("awaiting_payer", to=create, code_url="https://pay/x"))
    bench.feed(Cancel())
    close = bench.sent_of("payment.close")[0]
    bench.answer(refusal(close.request_id, code))
    screen = bench.agent.screen()
    assert screen.error is not None
    assert (screen.kind, screen.error.code) == ("closing", code)
    assert why[0] in screen.error.words.zh
    assert why[1] in screen.error.words.en
    assert "请勿让顾客再付这一笔" in screen.error.words.zh
    assert [button.action for button in screen.buttons] == ["query", "park"]
    bench.feed(Dismiss())
    assert bench.agent.screen().unknown_count == 1
    bench.wait(1_100)
    assert len(bench.sent_of("payment.close")) == 2, "it goes again by itself"
    bench.answer(bench.result("closed", to=close))
    assert bench.agent.screen().unknown_count == 0

    sell(bench)
    bench.wait(20_000)
    bench.feed(Reverse())
    bench.wait(1)
    bench.answer(refusal(bench.sent_of("payment.reverse")[-1].request_id, code))
    screen = bench.agent.screen()
    assert screen.error is not None
    assert (screen.kind, screen.error.code) == ("reversing", code)
    assert why[1] in screen.error.words.en


def test_a_hub_that_puts_a_close_off_and_then_falls_silent_is_told_as_silent(bench: Bench) -> None:
    create = sell(bench, method="merchant_qr")
    bench.answer(bench.result("awaiting_payer", to=create, code_url="https://pay/x"))
    bench.feed(Cancel())
    for at_ms in range(1, 5):  # each answered: it is not silent, however often it is asked
        close = bench.sent_of("payment.close")[-1]
        bench.answer(refusal(close.request_id, "backend_unreachable", at_ms=at_ms))
        bench.wait(10_000)
    bench.answer(refusal(close.request_id, "backend_unreachable", at_ms=9))
    screen = bench.agent.screen()
    assert screen.error is not None
    assert screen.error.code == "backend_unreachable"
    bench.wait(300_000)
    screen = bench.agent.screen()
    assert screen.error is not None
    assert screen.error.code == "hub_silent"


def test_without_a_line_a_close_says_at_once_that_nobody_answers(bench: Bench) -> None:
    create = sell(bench, method="merchant_qr")
    bench.answer(bench.result("awaiting_payer", to=create, code_url="https://pay/x"))
    bench.feed(LinkDown())
    bench.feed(Cancel())
    screen = bench.agent.screen()
    assert (screen.kind, screen.error and screen.error.code) == ("closing", "hub_silent")


def test_stopping_while_the_payer_confirms_is_a_reversal_not_before_fifteen_seconds(
    bench: Bench,
) -> None:
    create = sell(bench)
    bench.answer(bench.result("awaiting_payer", to=create))
    assert bench.kind == "waiting"
    bench.feed(Cancel())
    assert bench.kind == "reversing"
    bench.wait(14_000)
    assert not bench.sent_of("payment.reverse")
    bench.wait(1_000)
    reverse = bench.sent_of("payment.reverse")[0]
    bench.answer(bench.result("captured"))  # the payer was faster: the reversal goes on
    assert bench.kind == "reversing"
    bench.answer(bench.result("reversed", to=reverse))
    assert bench.kind == "reversed"
    assert bench.printed() == ["reversed"]
    bench.answer(bench.result("captured", paid_at_ms=1))  # an old answer that was late
    assert bench.kind == "reversed"


def test_an_unanswered_reversal_is_repeated_with_the_same_request(bench: Bench) -> None:
    sell(bench)
    bench.wait(20_000)
    bench.feed(Reverse())
    bench.wait(10_000)
    reversals = bench.sent_of("payment.reverse")
    assert len(reversals) >= 3
    assert len({parcel.request_id for parcel in reversals}) == 1


def test_too_late_to_reverse_asks_for_the_truth(bench: Bench) -> None:
    sell(bench)
    bench.wait(20_000)
    bench.feed(Reverse())
    bench.wait(1)
    reverse = bench.sent_of("payment.reverse")[-1]
    bench.answer(refusal(reverse.request_id, "payment_state", key=BACKEND_KEY))
    assert bench.kind == "unknown"


@pytest.mark.parametrize("is_plain", [False, True])
def test_a_close_that_came_too_late_says_nothing_about_the_reversal_after_it(
    bench: Bench, *, is_plain: bool
) -> None:
    create = sell(bench, method="merchant_qr")
    bench.answer(bench.result("awaiting_payer", to=create, code_url="https://pay/x"))
    bench.feed(Cancel())
    close = bench.sent_of("payment.close")[0]
    bench.answer(bench.result("processing"))  # the payer has begun to pay: no close will do
    assert bench.kind == "reversing"
    bench.wait(15_000)
    reverse = bench.sent_of("payment.reverse")[-1]
    error = {"code": "payment_state", "retry": "never", "zh": "x", "en": "y"}
    late = bench.result("captured", to=close, error=error)
    plain = refusal(close.request_id, "payment_state", key=BACKEND_KEY)
    bench.answer(plain if is_plain else late)
    assert bench.kind == "reversing", "the goods stay here"
    before = len(bench.sent_of("payment.reverse"))
    bench.wait(30_000)
    assert len(bench.sent_of("payment.reverse")) > before, "until it is answered"
    bench.answer(bench.result("reversed", to=reverse))
    assert bench.kind == "reversed"
    assert "paid" not in bench.printed()


def test_a_payment_reversed_before_it_arrived_ends_without_an_amount(bench: Bench) -> None:
    sell(bench)
    bench.wait(20_000)
    bench.feed(Reverse())
    bench.wait(1)
    reverse = bench.sent_of("payment.reverse")[-1]
    bench.answer(bench.result("reversed", to=reverse, amount_minor=0, method="unknown"))
    assert bench.kind == "reversed"
    assert bench.receipts[-1].facts["amount_minor"] == 1280


def test_a_reversal_that_the_backend_refuses_leaves_the_sale_paid(bench: Bench) -> None:
    sell(bench)
    bench.wait(20_000)
    bench.feed(Reverse())
    bench.wait(1)
    reverse = bench.sent_of("payment.reverse")[-1]
    error = {"code": "payment_state", "retry": "never", "zh": "x", "en": "y"}
    bench.answer(bench.result("captured", to=reverse, error=error))
    assert bench.kind == "paid"


def test_an_unknown_sale_can_be_left_and_is_still_asked_about(bench: Bench) -> None:
    sell(bench)
    bench.wait(5_000)
    with pytest.raises(CallerError):
        bench.feed(StartSale(amount_minor=1, currency="CNY", method="pay_code"))
    bench.feed(Dismiss())
    screen = bench.agent.screen()
    assert (screen.kind, screen.unknown_count, screen.unknown_minor) == ("keypad", 1, 1280)
    bench.wait(30_000)
    query = bench.sent_of("payment.query")[-1]
    bench.answer(bench.result("captured", to=query))
    assert bench.agent.screen().unknown_count == 0
    assert bench.printed() == ["unknown", "paid"]


def test_query_now_asks_at_once(bench: Bench) -> None:
    create = sell(bench)
    bench.answer(refusal(create.request_id, "timeout"))
    before = len(bench.sent_of("payment.query"))
    bench.feed(Query())
    assert len(bench.sent_of("payment.query")) == before + 1
