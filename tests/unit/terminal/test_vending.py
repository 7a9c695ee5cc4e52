"""A vending machine: what is paid is given out, or paid back, or shown to the owner."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faces.assets import Assets
from protocol.errors import CallerError
from terminal import vending
from terminal.domain.delivery import Delivery
from terminal.domain.sale import Sale
from terminal.effects import DispenseItem, Transmit
from terminal.inputs import (
    AnswerArrived,
    Cancel,
    ConfirmItem,
    Dismiss,
    ItemFailed,
    ItemGiven,
    LinkDown,
    LinkUp,
    Reverse,
)
from terminal.limits import CREATE_AGE_MS_MAX
from terminal.profile import Item
from terminal.web.view import Renderer
from tests.support.tills import counter_of
from tests.unit.terminal.fakes import BACKEND_KEY, Bench, opened, refusal

DAY_MS = 24 * 3_600_000


def machine(path: Path | None = None) -> Bench:
    return Bench(
        path,
        kind="vending",
        methods=("mandate",),
        is_attended=False,
        mandate_id="mdt_1",
        items=(Item(item="tea", zh="茶", en="Tea", amount_minor=350),),
    )


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = machine()
    yield made
    made.power_cut()


def order(bench: Bench) -> Transmit:
    bench.feed(vending.select(bench.profile, "tea", bench.clock.now_ms()))
    return bench.sent_of("payment.create")[-1]


def pay(bench: Bench) -> None:
    bench.answer(bench.result("captured", to=order(bench)))
    bench.wait(0)


def latest(bench: Bench) -> Sale:
    return bench.agent.recent(1)[0]


def dispensed(bench: Bench) -> int:
    return sum(isinstance(effect, DispenseItem) for effect in bench.others)


def assert_paid_back(bench: Bench) -> None:
    """Reversed under its own id, in words; and it never fell."""
    sale = latest(bench)
    assert (sale.state, sale.delivery) == ("reversing", Delivery.NOT_GIVEN)
    assert sale.error_code == "item_not_given"
    bench.wait(15_000)
    reverse = bench.sent_of("payment.reverse")[-1]
    assert opened(reverse).body == {"payment_id": sale.payment_id}
    assert len({one.request_id for one in bench.sent_of("payment.reverse")}) == 1
    bench.answer(bench.result("reversed", to=reverse))
    assert (latest(bench).state, latest(bench).ended_as) == ("cancelled", "reversed")
    assert bench.printed()[-2:] == ["paid", "reversed"]
    assert bench.receipts[-1].facts["error_code"] == "item_not_given"
    bench.answer(bench.result("captured", paid_at_ms=1))  # an old answer that was late
    bench.feed(ItemGiven(sale.payment_id))  # nor does a late word of the motor count
    assert (latest(bench).state, latest(bench).delivery) == ("cancelled", Delivery.NOT_GIVEN)
    assert bench.agent.unsettled_items() == []


def test_an_item_is_given_once_and_only_by_the_dispensers_word(bench: Bench) -> None:
    create = order(bench)
    assert dispensed(bench) == 0
    bench.answer(bench.result("captured", to=create))
    assert (latest(bench).delivery, dispensed(bench)) == (Delivery.OWED, 0)
    bench.wait(0)
    assert (latest(bench).delivery, dispensed(bench)) == (Delivery.DISPENSING, 1)
    bench.answer(bench.result("captured"))
    bench.feed(ItemGiven(latest(bench).payment_id))
    bench.wait(DAY_MS)
    assert (latest(bench).state, latest(bench).delivery) == ("paid", Delivery.GIVEN)
    assert dispensed(bench) == 1
    assert not bench.sent_of("payment.reverse")
    assert bench.kind == "keypad"  # nobody is there to tap


def test_what_is_sold_is_named_in_both_languages(bench: Bench) -> None:
    assert opened(order(bench)).body["description"] == "茶 Tea"


def test_a_motor_that_says_no_gives_the_money_back(bench: Bench) -> None:
    pay(bench)
    bench.feed(ItemFailed(latest(bench).payment_id, "item_not_given"))
    screen = bench.agent.screen()
    assert (screen.kind, screen.error.code) == ("reversing", "item_not_given")  # type: ignore[union-attr]
    assert_paid_back(bench)


def test_a_machine_sells_on_while_it_gives_money_back(bench: Bench) -> None:
    pay(bench)
    bench.feed(LinkDown())
    bench.feed(ItemFailed(latest(bench).payment_id, "item_not_given"))
    bench.wait(10_000)
    assert bench.kind == "keypad"
    assert bench.agent.screen().unknown_count == 1
    bench.feed(vending.select(bench.profile, "tea", bench.clock.now_ms()))


def test_power_cut_before_the_motor_ran_gives_the_money_back(tmp_path: Path) -> None:
    bench = machine(tmp_path / "journal.db")
    paid = bench.result("captured", to=order(bench))
    bench.agent.feed(AnswerArrived(paid))  # committed; then the power goes
    bench.power_cut()
    bench.boot()
    assert dispensed(bench) == 0
    assert_paid_back(bench)
    assert dispensed(bench) == 0
    bench.power_cut()


def test_paid_but_learned_after_a_restart_gives_the_money_back(tmp_path: Path) -> None:
    bench = machine(tmp_path / "journal.db")
    order(bench)
    bench.power_cut()
    bench.clock.forward(3_000)
    bench.boot()
    bench.answer(bench.result("captured", to=bench.sent_of("payment.query")[-1]))
    assert_paid_back(bench)
    assert dispensed(bench) == 0
    bench.power_cut()


def test_a_reversal_goes_on_over_a_restart_with_its_id(tmp_path: Path) -> None:
    bench = machine(tmp_path / "journal.db")
    pay(bench)
    bench.feed(ItemFailed(latest(bench).payment_id, "item_not_given"))
    bench.wait(20_000)
    bench.power_cut()
    bench.boot()
    assert_paid_back(bench)
    bench.power_cut()


def uncertain(path: Path) -> Bench:
    bench = machine(path)
    pay(bench)
    assert dispensed(bench) == 1
    bench.power_cut()
    bench.boot()
    return bench


def test_what_was_dispensing_when_the_power_went_is_uncertain_and_nobody_guesses(
    tmp_path: Path,
) -> None:
    bench = uncertain(tmp_path / "journal.db")
    bench.wait(DAY_MS)
    sale = latest(bench)
    assert (sale.state, sale.delivery) == ("paid", Delivery.UNCERTAIN)
    assert (sale.error_code, sale.is_recovered) == ("item_uncertain", True)
    assert not bench.sent_of("payment.reverse")
    assert dispensed(bench) == 1
    assert bench.agent.unsettled_items() == [sale]
    assert bench.agent.screen().items_unsettled == 1
    bench.power_cut()


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", "茶 · 出货不明"), ("en", "Tea · perhaps given out")]
)
def test_uncertain_goods_stand_on_the_page(tmp_path: Path, lang: Any, words: str) -> None:
    bench = uncertain(tmp_path / "journal.db")
    counter = counter_of(bench.agent, bench.journal)
    pages = Renderer(counter, Assets("till", "terminal.web"))
    html = pages.told("sale", counter.real, lang)["html"]
    assert 'data-delivery="uncertain"' in html
    assert words in html
    assert latest(bench).payment_id[-8:] in html
    bench.power_cut()


def test_the_owner_says_that_it_was_given(tmp_path: Path) -> None:
    bench = uncertain(tmp_path / "journal.db")
    bench.feed(ConfirmItem(latest(bench).payment_id))
    assert (latest(bench).delivery, latest(bench).error_code) == (Delivery.GIVEN, None)
    assert bench.agent.screen().items_unsettled == 0
    for wish in (ConfirmItem(latest(bench).payment_id), Reverse(latest(bench).payment_id)):
        with pytest.raises(CallerError) as refused:
            bench.feed(wish)
        assert refused.value.code == "payment_state"
    bench.power_cut()


def test_the_owner_says_that_it_was_not_given(tmp_path: Path) -> None:
    bench = uncertain(tmp_path / "journal.db")
    bench.feed(Reverse(latest(bench).payment_id))
    assert_paid_back(bench)
    bench.power_cut()


@pytest.mark.parametrize("code", ["device_no_reply", "device_disconnected", "a_new_code"])
def test_a_dispenser_that_says_nothing_of_use_leaves_it_uncertain(bench: Bench, code: str) -> None:
    pay(bench)
    bench.feed(ItemFailed(latest(bench).payment_id, code))
    screen = bench.agent.screen()
    assert (screen.kind, screen.error.code) == ("paid", "item_uncertain")  # type: ignore[union-attr]
    bench.wait(DAY_MS)
    assert not bench.sent_of("payment.reverse")
    assert latest(bench).delivery is Delivery.UNCERTAIN


def test_an_answer_that_comes_after_two_minutes_gives_the_money_back(bench: Bench) -> None:
    order(bench)
    bench.feed(LinkDown())
    bench.wait(CREATE_AGE_MS_MAX)
    bench.feed(LinkUp())
    bench.answer(bench.result("captured", to=bench.sent_of("payment.query")[-1]))
    assert_paid_back(bench)
    assert dispensed(bench) == 0


def test_nothing_falls_once_somebody_else_stands_there(bench: Bench) -> None:
    create = order(bench)
    bench.wait(5_000)
    bench.feed(Dismiss())
    bench.answer(bench.result("captured", to=create))
    assert_paid_back(bench)
    assert dispensed(bench) == 0


def test_a_payer_who_gave_up_and_had_paid_gets_the_money_back_whatever_the_close_is_told() -> None:
    bench = Bench(
        kind="vending",
        methods=("merchant_qr",),
        is_attended=False,
        items=(Item(item="tea", zh="茶", en="Tea", amount_minor=350),),
    )
    create = order(bench)
    bench.answer(bench.result("awaiting_payer", to=create, code_url="https://pay/x"))
    bench.feed(Cancel())
    close = bench.sent_of("payment.close")[0]
    bench.wait(15_000)  # nobody answers it: somebody else may stand there
    bench.feed(Dismiss())
    bench.answer(bench.result("captured"))  # a push: it was paid before it was closed
    assert (latest(bench).state, latest(bench).delivery) == ("reversing", Delivery.NOT_GIVEN)
    bench.answer(refused_result(bench, close))
    assert_paid_back(bench)
    assert dispensed(bench) == 0
    bench.power_cut()


def test_a_sale_undone_before_the_motor_ran_is_not_given(bench: Bench) -> None:
    bench.answer(bench.result("captured", to=order(bench)))
    bench.answer(bench.result("reversed"))
    bench.wait(0)
    assert dispensed(bench) == 0
    assert (latest(bench).state, latest(bench).delivery) == ("cancelled", Delivery.NOT_GIVEN)


def refused_result(bench: Bench, reverse: Transmit) -> bytes:
    error = {"code": "payment_state", "retry": "never", "zh": "x", "en": "y"}
    return bench.result("captured", to=reverse, error=error)


def refused_plainly(bench: Bench, reverse: Transmit) -> bytes:
    del bench
    return refusal(reverse.request_id, "payment_state", key=BACKEND_KEY)


@pytest.mark.parametrize("refused", [refused_result, refused_plainly])
def test_a_reversal_that_the_backend_refuses_is_left_to_the_owner(
    bench: Bench, refused: Any
) -> None:
    pay(bench)
    bench.feed(ItemFailed(latest(bench).payment_id, "item_not_given"))
    bench.wait(15_000)
    bench.answer(refused(bench, bench.sent_of("payment.reverse")[-1]))
    bench.wait(5_000)
    for query in bench.sent_of("payment.query"):
        bench.answer(bench.result("captured", to=query))
    bench.wait(DAY_MS)
    sale = latest(bench)
    assert (sale.state, sale.delivery) == ("paid", Delivery.NOT_GIVEN)
    assert bench.agent.unsettled_items() == [sale]
    assert dispensed(bench) == 1
