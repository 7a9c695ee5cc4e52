"""Refunds, as the agent plays them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from protocol.errors import CallerError
from terminal.counter.shifts import ShiftDesk
from terminal.domain.mark import MarkedAs
from terminal.effects import Transmit
from terminal.inputs import Dismiss, MarkRefund, StartRefund, StartSale
from terminal.slip import receipt_bytes
from tests.unit.terminal.fakes import BACKEND_KEY, Bench, opened, refusal, sign


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    made.feed(StartSale(amount_minor=1000, currency="CNY", method="merchant_qr"))
    made.answer(made.result("captured", to=made.sent_of("payment.create")[0]))
    yield made
    made.power_cut()


def ask(bench: Bench, amount_minor: int | None = None) -> Transmit:
    payment_id = bench.agent.recent(1)[0].payment_id
    bench.feed(StartRefund(payment_id=payment_id, amount_minor=amount_minor, reason="broken"))
    return bench.sent_of("refund.create")[-1]


def result(parcel: Transmit, state: str, **fields: Any) -> bytes:
    asked = opened(parcel).body
    body = {name: asked[name] for name in ("refund_id", "payment_id", "amount_minor", "currency")}
    return sign("refund.result", {**body, "state": state, **fields}, request_id=parcel.request_id)


def test_a_refund_succeeds_once_and_is_printed(bench: Bench) -> None:
    parcel = ask(bench, 300)
    assert bench.kind == "refund_sending"
    bench.answer(result(parcel, "succeeded"))
    assert bench.kind == "refund_done"
    assert bench.printed() == ["paid", "refund"]
    assert bench.agent.recent(1)[0].refunded_minor == 300
    bench.answer(result(parcel, "succeeded"))
    assert bench.agent.recent(1)[0].refunded_minor == 300


def test_without_an_amount_the_rest_goes_back_and_then_nothing_more(bench: Bench) -> None:
    bench.answer(result(ask(bench, 300), "succeeded"))
    rest = ask(bench)
    assert opened(rest).body["amount_minor"] == 700
    bench.answer(result(rest, "succeeded"))
    with pytest.raises(CallerError) as refused:
        ask(bench)
    assert refused.value.code == "refund_exceeds"


def test_silence_is_unknown_and_the_same_refund_goes_again(bench: Bench) -> None:
    parcel = ask(bench, 300)
    bench.wait(5_000)
    assert bench.kind == "refund_unknown"
    error = bench.agent.screen().error
    assert error is not None
    assert "do not refund again" in error.words.en
    assert "收款" not in error.words.zh
    sent = bench.sent_of("refund.create")
    assert len(sent) >= 3
    assert {one.request_id for one in sent} == {parcel.request_id}
    assert len({opened(one).body["refund_id"] for one in sent}) == 1
    bench.answer(result(parcel, "succeeded"))
    assert bench.kind == "refund_done"


@pytest.mark.parametrize("code", ["busy", "spool_unwritable"])
def test_a_hub_that_takes_nothing_is_told_in_the_refunds_own_words_until_it_answers_the_same_refund(
    bench: Bench, code: str
) -> None:
    parcel = ask(bench, 300)
    bench.answer(refusal(parcel.request_id, code))
    shown = bench.agent.screen()
    assert (shown.kind, shown.error and shown.error.code) == ("refund_sending", code)
    assert shown.error is not None
    assert "given once at most" in shown.error.words.en
    bench.wait(1_000)
    first, again = bench.sent_of("refund.create")
    assert first.request_id == again.request_id
    bench.answer(result(again, "succeeded"))
    assert bench.agent.screen().error is None
    assert bench.kind == "refund_done"


def test_while_a_refund_is_open_another_of_the_payment_is_refused(bench: Bench) -> None:
    first = ask(bench, 300)
    bench.wait(5_000)
    bench.feed(Dismiss())
    assert bench.agent.refund_left_minor(bench.agent.recent(1)[0]) == 700
    for amount_minor in (300, None):  # the cashier tries again
        with pytest.raises(CallerError) as refused:
            ask(bench, amount_minor)
        assert refused.value.code == "payment_state"
    assert len({opened(one).body["refund_id"] for one in bench.sent_of("refund.create")}) == 1
    bench.answer(result(first, "succeeded"))
    assert bench.agent.recent(1)[0].refunded_minor == 300
    bench.answer(result(ask(bench, 300), "succeeded"))
    assert bench.agent.recent(1)[0].refunded_minor == 600


def test_a_marked_refund_stays_unknown_and_the_answer_stands_beside_the_mark(bench: Bench) -> None:
    shifts = ShiftDesk(bench.journal, lambda: bench.profile, bench.clock)
    shifts.open(by_name="x", float_minor=0)
    parcel = ask(bench, 300)
    refund_id = opened(parcel).body["refund_id"]
    mark = MarkRefund(
        refund_id=refund_id, marked_as=MarkedAs.NOT_PAID, reason="no money came", by_name="王店长"
    )
    with pytest.raises(CallerError, match="payment_state"):  # it is on its way, not unknown
        bench.feed(mark)
    bench.wait(5_000)
    assert shifts.report().unknown.minor == 300
    for _ in range(2):
        bench.feed(mark)
    assert bench.kind == "keypad"
    assert bench.agent.refund(refund_id).state == "unknown"  # type: ignore[union-attr]
    report = shifts.report()
    assert (report.unknown.count, report.marked) == (0, {})
    assert report.marked_refunds[MarkedAs.NOT_PAID].minor == 300
    with pytest.raises(CallerError, match="payment_state"):  # the money may be under way
        ask(bench, 300)
    bench.clock.forward(1_000)
    bench.answer(result(parcel, "succeeded"))
    assert bench.agent.mark_of(refund_id).by_name == "王店长"  # type: ignore[union-attr]
    assert shifts.report().contradicted.minor == 300
    with pytest.raises(CallerError, match="payment_state"):
        bench.feed(mark)
    with pytest.raises(CallerError, match="refund_not_found"):
        bench.feed(replace(mark, refund_id="rfd_nobody"))
    paper = receipt_bytes(bench.journal.receipt(shifts.print_x()).facts)  # type: ignore[union-attr]
    for words in ("退款按未退", "结果与处理相反"):
        assert words.encode("gb18030") in paper


def test_a_failed_refund_leaves_room_for_another(bench: Bench) -> None:
    first = ask(bench, 300)
    bench.answer(refusal(first.request_id, "merchant_balance_short", key=BACKEND_KEY))
    assert bench.agent.refund_left_minor(bench.agent.recent(1)[0]) == 1000
    assert ask(bench, 300).request_id != first.request_id


def test_an_open_refund_is_open_after_a_restart_too(tmp_path: Any) -> None:
    bench = Bench(tmp_path / "journal.db")
    bench.feed(StartSale(amount_minor=1000, currency="CNY", method="merchant_qr"))
    bench.answer(bench.result("captured", to=bench.sent_of("payment.create")[0]))
    ask(bench, 300)
    bench.power_cut()
    bench.boot()
    with pytest.raises(CallerError) as refused:
        ask(bench, 300)
    assert refused.value.code == "payment_state"
    bench.power_cut()


def test_too_much_is_refused_with_its_code(bench: Bench) -> None:
    parcel = ask(bench, 5000)
    bench.answer(refusal(parcel.request_id, "refund_exceeds", key=BACKEND_KEY))
    screen = bench.agent.screen()
    assert (screen.kind, screen.error.code) == ("refund_failed", "refund_exceeds")  # type: ignore[union-attr]
    assert bench.agent.recent(1)[0].refunded_minor == 0


def test_a_processing_refund_is_queried_with_new_requests(bench: Bench) -> None:
    bench.answer(result(ask(bench, 300), "processing"))
    bench.wait(15_000)
    queries = bench.sent_of("refund.query")
    assert len({query.request_id for query in queries}) == len(queries) == 2


def test_a_refund_is_recovered_after_a_power_cut(tmp_path: Any) -> None:
    bench = Bench(tmp_path / "journal.db")
    bench.feed(StartSale(amount_minor=1000, currency="CNY", method="merchant_qr"))
    bench.answer(bench.result("captured", to=bench.sent_of("payment.create")[0]))
    parcel = ask(bench, 300)
    bench.power_cut()
    bench.boot()
    again = bench.sent_of("refund.create")[-1]
    assert again.request_id == parcel.request_id
    assert opened(again).body == opened(parcel).body
    bench.answer(result(again, "succeeded"))
    assert bench.receipts[-1].facts["is_recovered"] is True
    bench.power_cut()


@pytest.mark.parametrize("wish", [StartRefund(payment_id="pay_" + "0" * 26)])
def test_a_payment_that_is_not_ours_cannot_be_refunded(bench: Bench, wish: StartRefund) -> None:
    with pytest.raises(CallerError) as refused:
        bench.feed(wish)
    assert refused.value.code == "payment_not_found"
