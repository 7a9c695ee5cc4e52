"""Cards at the PIN pad: recorded as the pad says, in doubt for good; and a supervisor's marks."""

import asyncio
import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import CallerError, OperatingError, advice
from terminal.counter.cards import CardDesk
from terminal.counter.practice import PracticePinPad
from terminal.counter.shifts import ShiftDesk
from terminal.domain.card_sale import (
    TRANSITIONS,
    CardEvent,
    CardKind,
    CardSale,
    CardState,
    CardStep,
)
from terminal.domain.mark import Mark, MarkedAs, check_reason, is_contradicted
from terminal.inputs import MarkOutcome, StartSale
from terminal.ports import CardOutcome
from terminal.slip import receipt_bytes
from tests.kit.patience import PATIENCE_S
from tests.support.tills import (
    CASHIER_PIN,
    SUPERVISOR_PIN,
    Till,
    hire_both,
    running_till,
)
from tests.unit.terminal.fakes import Bench, refusal

APPROVED = CardOutcome("approved", card="411111******1111", reference="024531")
SILENT = CardOutcome("unknown", why="device_no_reply")
SILENCE = advice("device_no_reply")
SIGNED = {"staff_id": 1, "pin": SUPERVISOR_PIN}


def card_in(state: CardState) -> CardSale:
    return CardSale(
        card_id=1, shift_id=1, kind=CardKind.SALE, amount_minor=5, currency="CNY", note="",
        by_name="x", at_ms=0, state=state,
    )  # fmt: skip


@pytest.mark.parametrize(("state", "step"), list(itertools.product(CardState, CardStep)))
def test_every_edge_of_a_card_emits_its_event_and_every_other_step_raises(
    state: CardState, step: CardStep
) -> None:
    edge = TRANSITIONS.get((state, step))
    if edge is None:
        with pytest.raises(CallerError, match="payment_state"):
            card_in(state).move(step)
    else:
        moved, event = card_in(state).move(step)
        assert (moved.state, event) == (edge.state, edge.event)


def test_no_edge_leads_out_of_an_unknown_card_and_every_event_is_emitted() -> None:
    left = {edge.state for (state, _), edge in TRANSITIONS.items() if state is CardState.UNKNOWN}
    assert left == {CardState.UNKNOWN}
    assert {edge.event for edge in TRANSITIONS.values()} == set(CardEvent)


def test_a_mark_needs_a_reason_and_is_contradicted_by_the_other_outcome_only() -> None:
    for reason in (" ", "x" * 81, "a\x1bb"):
        with pytest.raises(CallerError):
            check_reason(reason)
    mark = Mark(
        subject="pay_1", marked_as=MarkedAs.PAID, reason="x", by_name="y", at_ms=1, amount_minor=1
    )
    assert [is_contradicted(mark, state) for state in ("unknown", "paid", "declined")] == [
        False, False, True,
    ]  # fmt: skip


async def ask(till: Till, amount_minor: int, outcome: CardOutcome | None) -> dict[str, Any]:
    """A keyed amount goes to the pad; what is there when the pad has answered."""
    draft = await till.get("api/draft")
    wanted = {"draft_id": draft["draft_id"], "amount_minor": amount_minor}
    status, sale = await till.post("cards", **wanted)
    assert (status, sale["state"]) == (200, "asking")
    assert (await till.post("cards", **wanted))[1]["card_id"] == sale["card_id"]
    if outcome is None:
        return sale
    till.pinpad.hold(outcome)
    return dict(await till.get(f"api/cards/{sale['card_id']}/outcome"))


@pytest.mark.asyncio
async def test_card_sales_are_recorded_as_the_pad_says_and_stand_in_the_shift(
    tmp_path: Path,
) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        assert (await till.post("cards", draft_id="x", amount_minor=1))[0] == 409  # no shift
        await till.post("shift/open", float_minor=0)
        paid = await ask(till, 500, APPROVED)
        assert (paid["state"], paid["reference"]) == ("approved", "024531")
        assert (await ask(till, 300, CardOutcome("declined")))["state"] == "declined"
        lost = await ask(till, 200, SILENT)
        assert (lost["state"], lost["error_code"]) == ("unknown", "device_no_reply")
        till.pinpad.is_connected = False
        draft = (await till.get("api/draft"))["draft_id"]
        gone = (await till.post("cards", draft_id=draft, amount_minor=100))[1]
        gone = await till.get(f"api/cards/{gone['card_id']}/outcome")
        assert (gone["state"], gone["error_code"]) == ("failed", "device_disconnected")
        await till.post(f"cards/{gone['card_id']}/again")
        assert (await till.get("api/draft"))["digits"] == "100"
        assert "payment.create" not in till.backend.seen

        till.pinpad.is_connected = True
        number = paid["card_id"]
        part = {"refund_id": "back-1", "amount_minor": 200}
        back = (await till.post(f"cards/{number}/refund", **part))[1]
        # The answer was lost: the same again asks for nothing, other content is refused.
        assert (await till.post(f"cards/{number}/refund", **part))[1]["card_id"] == back["card_id"]
        for path, changed in ((number, {"amount_minor": 199}), (lost["card_id"], {})):
            told = (await till.post(f"cards/{path}/refund", **part | changed))[1]
            assert told["error"]["code"] == "idempotency_conflict"
        other = {"refund_id": "back-2", "amount_minor": 1}
        code = (await till.post(f"cards/{number}/refund", **other))[1]["error"]["code"]
        assert code == "busy"
        till.pinpad.hold(SILENT)
        assert (await till.get(f"api/cards/{back['card_id']}/outcome"))["state"] == "unknown"
        assert (await till.get(f"api/cards/{number}"))["left_minor"] == 300  # perhaps given back
        assert (await till.post(f"cards/{number}/refund", **part))[1]["state"] == "unknown"
        over = {"refund_id": "back-2", "amount_minor": 301}
        code = (await till.post(f"cards/{number}/refund", **over))[1]["error"]["code"]
        assert code == "refund_exceeds"

        report = await till.get("api/shift")
        assert report["cards"] == {"card_sale": {"count": 1, "minor": 500}}
        assert report["unknown"] == {"count": 2, "minor": 400}
        assert (await till.post("shift/close", counted_minor=0))[1]["error"]["code"] == (
            "shift_unsettled"
        )
        for card_id, taken in ((lost["card_id"], "paid"), (back["card_id"], "not_paid")):
            _, marked = await till.post(
                f"cards/{card_id}/mark", marked_as=taken, reason="slip", approval=SIGNED
            )
            assert marked["state"] == "unknown"
        status, closed = await till.post("shift/close", counted_minor=0)
        assert status == 200
        assert closed["marked"] == {
            "paid": {"count": 1, "minor": 200}, "not_paid": {"count": 1, "minor": 200},
        }  # fmt: skip
        assert closed["sales"] == {"count": 1, "minor": 500}


@pytest.mark.asyncio
async def test_the_pages_say_in_their_language_why_a_card_sale_is_unknown(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.post("session", staff_id=1, pin=SUPERVISOR_PIN)
        await till.post("shift/open", float_minor=0)
        lost = await ask(till, 200, SILENT)
        for path in (f"payments/card-{lost['card_id']}", f"card/{lost['card_id']}"):
            for lang, told in (("zh", SILENCE.zh), ("en", SILENCE.en)):
                assert told in (await till.get(f"{path}?lang={lang}")).decode()
        record = (await till.get(f"payments/card-{lost['card_id']}")).decode()
        assert SILENCE.code not in record


@pytest.mark.asyncio
async def test_a_card_that_is_not_approved_says_why_and_what_to_do(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.post("session", staff_id=1, pin=SUPERVISOR_PIN)
        await till.post("shift/open", float_minor=0)
        for code in ("card_not_approved", "insufficient_balance"):
            why = advice(code)
            no = await ask(till, 300, CardOutcome("declined", "411111******1111", why=code))
            assert (no["state"], no["error_code"]) == ("declined", code)
            for path in (f"payments/card-{no['card_id']}", f"card/{no['card_id']}"):
                for lang, told in (("zh", why.zh), ("en", why.en)):
                    page = (await till.get(f"{path}?lang={lang}")).decode()
                    assert told in page
                    assert "1111111111" not in page


@pytest.mark.asyncio
async def test_a_card_refund_is_not_to_be_given_again_and_nobody_speaks_of_a_charge(
    tmp_path: Path,
) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.post("session", staff_id=1, pin=SUPERVISOR_PIN)
        await till.post("shift/open", float_minor=0)
        await ask(till, 300, APPROVED)
        back = (await till.post("cards/1/refund", refund_id="back-1"))[1]
        for told, untold, lang in (
            ("do not refund again", "do not charge again", "en"),
            ("请勿重复退款", "请勿重复收款", "zh"),
        ):  # fmt: skip
            page = (await till.get(f"card/{back['card_id']}?lang={lang}")).decode()
            assert told in page
            assert untold not in page
        till.pinpad.hold(SILENT)
        await till.get(f"api/cards/{back['card_id']}/outcome")
        async with asyncio.timeout(PATIENCE_S):
            while len(till.printer.receipts) < 2:  # noqa: ASYNC110  # the printer has no event
                await asyncio.sleep(0.01)
        slip = till.printer.receipts[1]
        assert b"Do not refund again" in slip
        assert b"Do not charge again" not in slip


@pytest.mark.asyncio
async def test_cash_and_cards_are_numbered_apart_on_pages_slips_and_in_the_search(
    tmp_path: Path,
) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(1, SUPERVISOR_PIN)
        await till.post("shift/open", float_minor=0)
        card = await ask(till, 700, APPROVED)
        draft = (await till.get("api/draft"))["draft_id"]
        cash = (await till.post("cash", draft_id=draft, amount_minor=500))[1]
        assert card["card_id"] == cash["movement_id"] == 1, "each is the first of its series"
        listed = (await till.get("recent")).decode()
        for number, path in (("CARD-000001", "card-1"), ("CASH-000001", "cash-1")):
            assert listed.count(f">{number}<") == 1
            assert number in (await till.get(f"payments/{path}")).decode()
        for asked, found in (
            ("1", {"CARD", "CASH"}), ("000001", {"CARD", "CASH"}), ("cash-000001", {"CASH"}),
            ("CARD 1", {"CARD"}), ("card-2", set()),
        ):  # fmt: skip
            page = (await till.get(f"recent?q={asked}")).decode()
            assert {name for name in ("CARD", "CASH") if f">{name}-0" in page} == found, asked
        back = {"refund_id": "back-1", "amount_minor": 100}
        await till.post("cash/1/refund", **back)
        await till.post("cards/1/refund", **back | {"refund_id": "back-2"})
        till.pinpad.hold(APPROVED)
        await till.get("api/cards/2/outcome")
        async with asyncio.timeout(PATIENCE_S):
            while len(till.printer.receipts) < 4:  # noqa: ASYNC110  # the printer has no event
                await asyncio.sleep(0.01)
        numbers = [re.findall(rb"(?:CARD|CASH)-0+(\d)", paper) for paper in till.printer.receipts]
        assert numbers == [[b"1"], [b"1"], [b"2", b"1"], [b"2", b"1"]]
        assert "CARD-000001" in (await till.get("payments/card-2")).decode(), "the sale's"


@pytest.mark.asyncio
async def test_another_draft_on_the_keypad_leaves_the_sale_where_it_is(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        await till.post("shift/open", float_minor=0)
        draft_id = (await till.get("api/draft"))["draft_id"]
        await till.post("draft", draft_id=draft_id, digits="500")
        await till.post("sales", amount_minor=400)
        status, told = await till.post("sales/current/card")
        assert (status, told["error"]["code"]) == (409, "idempotency_conflict")
        assert (await till.get("api/screen"))["kind"] == "choosing"


@pytest.mark.asyncio
async def test_what_was_being_asked_when_the_power_went_is_unknown(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        await till.post("shift/open", float_minor=0)
        sale = await ask(till, 700, None)
    async with running_till(tmp_path) as till:
        found = await till.get(f"api/cards/{sale['card_id']}")
        assert found["state"] == "unknown"
        assert (await till.get("api/shift"))["unknown"] == {"count": 1, "minor": 700}
        await till.post("training", is_training=False)  # a turn of the loop: the slip is printed
        assert any("结果未知".encode("gb18030") in paper for paper in till.printer.receipts)


@pytest.mark.asyncio
async def test_a_practice_pad_never_reaches_the_real_one(tmp_path: Path) -> None:
    pad = PracticePinPad()
    assert [(await pad.pay(last, "CNY", timeout_s=1)).result for last in (0, 1, 3)] == [
        "approved", "declined", "unknown",
    ]  # fmt: skip
    async with running_till(tmp_path) as till:
        training = till.counter.training
        training.shifts.open(by_name="x", float_minor=0)
        draft = training.drafts.current()
        sale = training.cards.sell(draft_id=draft.draft_id, amount_minor=100, note="", by_name="x")
        assert (await training.cards.ended(sale.card_id, 5)).state is CardState.APPROVED
        assert till.counter.real.cards.store.recent(5) == []


def test_without_a_pad_no_card_is_taken() -> None:
    bench = Bench()
    shifts = ShiftDesk(bench.journal, lambda: bench.profile, bench.clock)

    async def print_slip(_slip: int) -> None:
        raise AssertionError

    cards = CardDesk(
        bench.journal,
        lambda: bench.profile,
        bench.clock,
        shifts=shifts,
        pinpad=None,
        print_slip=print_slip,
        show=lambda _: None,
    )
    assert not cards.has_pinpad
    with pytest.raises(OperatingError, match="device_disconnected"):
        cards.sell(draft_id="d", amount_minor=1, note="", by_name="x")


def unknown_sale(bench: Bench) -> str:
    bench.feed(StartSale(amount_minor=800, currency="CNY", method="merchant_qr"))
    asked = bench.sent_of("payment.create")[-1]
    bench.answer(refusal(asked.request_id, "backend_unreachable"))
    bench.wait(6_000)
    assert bench.kind == "unknown"
    return bench.agent.recent(1)[0].payment_id


def test_a_mark_leaves_the_sale_unknown_and_asked_about_and_the_answer_stands_beside_it() -> None:
    bench = Bench()
    shifts = ShiftDesk(bench.journal, lambda: bench.profile, bench.clock)
    shifts.open(by_name="x", float_minor=0)
    payment_id = unknown_sale(bench)
    mark = MarkOutcome(
        payment_id=payment_id, marked_as=MarkedAs.PAID, reason="phone showed it", by_name="王店长"
    )
    bench.feed(mark)
    bench.feed(mark)
    assert bench.kind == "keypad"
    assert bench.agent.sale(payment_id).state == "unknown"  # type: ignore[union-attr]
    report = shifts.report()
    assert (report.marked[MarkedAs.PAID].minor, report.unknown.count) == (800, 0)
    assert (report.sales.count, report.contradicted.count) == (0, 0)
    queries = len(bench.sent_of("payment.query"))
    bench.wait(60_000)
    assert len(bench.sent_of("payment.query")) > queries
    bench.clock.forward(1_000)
    bench.answer(bench.result("declined", error={
        "code": "insufficient_balance", "retry": "never", "zh": "余额不足", "en": "too low",
    }))  # fmt: skip
    assert bench.agent.sale(payment_id).state == "declined"  # type: ignore[union-attr]
    assert bench.agent.mark_of(payment_id).by_name == "王店长"  # type: ignore[union-attr]
    assert shifts.report().contradicted.minor == 800
    with pytest.raises(CallerError, match="payment_state"):
        bench.feed(mark)
    paper = receipt_bytes(bench.journal.receipt(shifts.print_x()).facts)  # type: ignore[union-attr]
    for words in ("按已付处理", "结果与处理相反"):
        assert words.encode("gb18030") in paper


@pytest.mark.asyncio
async def test_a_pad_whose_driver_breaks_leaves_an_unknown_and_is_free_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> CardOutcome:
        raise ValueError("a bug after the ask went out")

    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.post("shift/open", float_minor=0)
        with monkeypatch.context() as patch:
            patch.setattr(till.pinpad, "pay", broken)
            sale = await ask(till, 500, None)
            told = await till.get(f"api/cards/{sale['card_id']}/outcome")
        assert (told["state"], told["error_code"]) == ("unknown", "internal")
        assert (await ask(till, 300, APPROVED))["state"] == "approved"
