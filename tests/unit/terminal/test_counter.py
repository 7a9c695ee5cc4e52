"""People at the till: PINs, sessions, drafts, cash, shifts, training."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import CallerError
from terminal.counter.drafts import Drafts
from terminal.counter.people import People
from terminal.counter.shifts import ShiftDesk
from terminal.counter.sign_in import SignIn
from terminal.counter.staffing import Staffing
from terminal.counter.tending import StaffWish, tend_staff
from terminal.domain.pin import check_pin_form
from terminal.domain.sale import Sale
from terminal.domain.shift import CashKind, Tally
from terminal.inputs import (
    Cancel,
    ChooseMethod,
    CodeScanned,
    HubStateArrived,
    StartSale,
    TypeCode,
)
from terminal.limits import IDLE_LOCK_MS, PIN_FAILURES_MAX, PIN_LOCK_MS
from terminal.ports import CardOutcome
from terminal.profile import Good
from terminal.slip import receipt_bytes
from tests.kit.patience import PATIENCE_S
from tests.support.offline_phone import Phone, hub_word
from tests.support.tills import CASHIER_PIN, SUPERVISOR_PIN, hire_both, running_till
from tests.unit.terminal.fakes import CODE, Bench


class Room:
    """A bench with staff and a drawer."""

    def __init__(self, path: Path | None = None) -> None:
        self.bench = Bench(path)
        people = People(self.bench.journal.database, self.bench.clock)
        hire_both(people)
        self.staffing = Staffing(people, self.bench.entropy)
        self.sign_in = SignIn(people, self.staffing, self.bench.clock, lambda: IDLE_LOCK_MS)
        self.shifts = ShiftDesk(self.bench.journal, lambda: self.bench.profile, self.bench.clock)
        self.drafts = Drafts(self.bench.journal, self.bench.entropy)


@pytest.fixture
def room() -> Room:
    return Room()


def refused(work: Any) -> str:
    with pytest.raises(CallerError) as error:
        asyncio.run(work) if asyncio.iscoroutine(work) else work()
    return error.value.code


def test_a_right_pin_opens_a_session_and_idleness_locks_it(room: Room) -> None:
    asyncio.run(room.sign_in.sign_in(2, CASHIER_PIN))
    assert room.sign_in.signed_in()
    room.bench.clock.forward(IDLE_LOCK_MS - 1)
    room.sign_in.touch()
    room.bench.clock.forward(IDLE_LOCK_MS - 1)
    assert room.sign_in.signed_in()
    room.bench.clock.forward(1)
    assert room.sign_in.signed_in() is None
    assert room.sign_in.session()
    asyncio.run(room.sign_in.sign_in(2, CASHIER_PIN))
    assert room.sign_in.signed_in()


def test_too_many_wrong_pins_lock_the_person_and_nobody_else(room: Room) -> None:
    for _ in range(PIN_FAILURES_MAX - 1):
        assert refused(room.sign_in.sign_in(2, "0000")) == "staff_pin_wrong"
    assert refused(room.sign_in.sign_in(2, "0000")) == "staff_locked"
    assert refused(room.sign_in.sign_in(2, CASHIER_PIN)) == "staff_locked"
    asyncio.run(room.sign_in.sign_in(1, SUPERVISOR_PIN))
    room.bench.clock.forward(PIN_LOCK_MS)
    asyncio.run(room.sign_in.sign_in(2, CASHIER_PIN))
    assert not room.sign_in.staff[1].failures


def test_many_guesses_at_once_count_as_many(room: Room) -> None:
    async def guess() -> list[Any]:
        tries = (room.sign_in.sign_in(2, f"{pin:04d}") for pin in range(PIN_FAILURES_MAX + 1))
        return await asyncio.gather(*tries, return_exceptions=True)

    assert asyncio.run(guess())[-1].code == "staff_locked"


def test_only_a_supervisor_signs(room: Room) -> None:
    assert refused(room.sign_in.approved(2, CASHIER_PIN)) == "staff_supervisor"
    assert asyncio.run(room.sign_in.approved(1, SUPERVISOR_PIN)).name == "王店长"


def test_a_pin_is_kept_as_a_salted_slow_hash_only(tmp_path: Path) -> None:
    said = tend_staff(tmp_path, StaffWish(hires="阿芳"), lambda: "730915")
    assert [(each["name"], each["role"]) for each in said] == [("阿芳", "cashier")]
    tend_staff(tmp_path, StaffWish(hires="阿强"), lambda: "730915")
    assert b"730915" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert refused(lambda: tend_staff(tmp_path, StaffWish(hires="阿芳"), lambda: "5791")) == (
        "staff_exists"
    )
    assert tend_staff(tmp_path, StaffWish(leaves="阿芳"), lambda: "")[0]["name"] == "阿强"


@pytest.mark.parametrize(
    "pin", ["", "123", "1234", "9876", "7777", "123456789", "12a4", "１２５８"]
)
def test_a_pin_that_everybody_tries_first_is_refused(pin: str) -> None:
    assert refused(lambda: check_pin_form(pin)) == "staff_pin_weak"


def test_the_last_supervisor_stays_and_nobody_can_be_let_go_twice(room: Room) -> None:
    people = People(room.bench.journal.database, room.bench.clock)
    staffing = Staffing(people, room.bench.entropy)
    assert refused(lambda: staffing.let_go(1, by_name="王店长")) == "staff_last"
    assert staffing.let_go(2, by_name="王店长").name == "小李"
    assert refused(lambda: staffing.let_go(2, by_name="王店长")) == "staff_unknown"
    assert refused(staffing.renew_pin(7, pin="730915", by_name="王店长")) == "staff_unknown"
    assert [each.name for each in people.all()] == ["王店长"]


def test_a_forgotten_pin_is_renewed_by_the_rules_of_hiring_and_is_not_the_old_one(
    room: Room,
) -> None:
    people = People(room.bench.journal.database, room.bench.clock)
    staffing = Staffing(people, room.bench.entropy)
    for _ in range(PIN_FAILURES_MAX):
        refused(room.sign_in.sign_in(2, "0000"))
    assert refused(staffing.renew_pin(2, pin="1234", by_name="王店长")) == "staff_pin_weak"
    assert refused(staffing.renew_pin(2, pin=CASHIER_PIN, by_name="王店长")) == "staff_pin_same"
    asyncio.run(staffing.renew_pin(2, pin="730915", by_name="王店长"))
    asyncio.run(room.sign_in.sign_in(2, "730915", new_pin="580246"))
    assert refused(room.sign_in.sign_in(2, CASHIER_PIN)) == "staff_pin_wrong"


def test_what_is_done_about_staff_is_written_down_with_who_signed(room: Room) -> None:
    people = People(room.bench.journal.database, room.bench.clock)
    staffing = Staffing(people, room.bench.entropy)
    room.bench.clock.forward(60_000)
    asyncio.run(staffing.renew_pin(2, pin="730915", by_name="王店长"))
    staffing.let_go(2, by_name="王店长")
    refused(lambda: staffing.let_go(1, by_name="王店长"))
    acts = staffing.acts()
    assert [(each.act, each.name, each.by_name) for each in acts] == [
        ("left", "小李", "王店长"),
        ("pin_renewed", "小李", "王店长"),
        ("hired", "小李", "owner"),
        ("hired", "王店长", "owner"),
    ]
    assert acts[0].at_ms == room.bench.clock.now_ms()


def test_the_owner_of_the_device_renews_the_last_supervisor_s_pin_and_is_written_down(
    tmp_path: Path,
) -> None:
    tend_staff(tmp_path, StaffWish(hires="王店长", is_supervisor=True), lambda: "730915")
    assert refused(lambda: tend_staff(tmp_path, StaffWish(leaves="王店长"), lambda: "")) == (
        "staff_last"
    )
    forgotten = StaffWish(renews="王店长")
    assert refused(lambda: tend_staff(tmp_path, forgotten, lambda: "730915")) == "staff_pin_same"
    tend_staff(tmp_path, forgotten, lambda: "491702")
    told = tend_staff(tmp_path, StaffWish(looks_back=True), lambda: "")
    assert [(each["act"], each["name"]) for each in told] == [
        ("pin_renewed", "王店长"),
        ("hired", "王店长"),
    ]
    assert all(str(each["by_name"]).startswith("CLI") for each in told)


def test_who_is_named_at_the_command_line_works_here(tmp_path: Path) -> None:
    for wish in (StaffWish(leaves="阿芳"), StaffWish(renews="阿芳")):
        assert refused(lambda wish=wish: tend_staff(tmp_path, wish, lambda: "730915")) == (
            "staff_unknown"
        )


@pytest.mark.asyncio
async def test_nobody_signs_out_over_an_open_payment_or_keys_goods_that_are_not_named(
    tmp_path: Path,
) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        draft = (await till.get("api/draft"))["draft_id"]
        status, said = await till.post("draft/goods", draft_id=draft, code="6901234567892")
        assert (status, said["error"]["code"]) == (400, "goods_unknown")
        till.backend.state = "unknown"
        till.scanner.show(CODE)
        await till.post("sales", amount_minor=1280, method="pay_code")
        await till.screen("unknown")
        status, said = await till.post("session/end")
        assert (status, said["error"]["code"]) == (409, "staff_spool")
        assert till.counter.sign_in.signed_in()


def test_a_draft_becomes_one_payment_however_often_it_is_charged(room: Room) -> None:
    draft = room.drafts.current()
    room.drafts.key(draft.draft_id, digits="500", note="x")
    sale = StartSale(amount_minor=500, currency="CNY", method="merchant_qr",
                     draft_id=draft.draft_id)  # fmt: skip
    room.bench.feed(sale)
    room.bench.answer(room.bench.result("captured"))
    assert room.bench.kind == "paid"
    room.bench.feed(sale)
    assert room.bench.kind == "paid"
    assert len(room.bench.sent_of("payment.create")) == 1
    assert room.drafts.current().draft_id != draft.draft_id
    code = refused(lambda: room.drafts.key(draft.draft_id, digits="1", note=""))
    assert code == "idempotency_conflict"


def test_what_was_keyed_outlives_a_cancel_and_a_power_cut(tmp_path: Path) -> None:
    room = Room(tmp_path / "journal.db")
    draft = room.drafts.current()
    room.drafts.key(draft.draft_id, digits="500", note="two teas")
    sale = StartSale(amount_minor=500, currency="CNY", draft_id=draft.draft_id)
    room.bench.feed(sale)
    room.bench.feed(Cancel())
    assert room.drafts.current().digits == "500"
    room.bench.feed(sale)
    room.bench.power_cut()
    room.bench.boot()
    kept = Drafts(room.bench.journal, room.bench.entropy).current()
    assert (kept.draft_id, kept.digits, kept.note) == (draft.draft_id, "500", "two teas")
    room.bench.feed(sale)
    room.bench.feed(ChooseMethod("merchant_qr"))
    room.bench.power_cut()
    room.bench.boot()
    assert Drafts(room.bench.journal, room.bench.entropy).current().digits == ""
    room.bench.power_cut()


def test_a_typed_code_pays_like_a_scanned_one(room: Room) -> None:
    room.bench.feed(StartSale(amount_minor=500, currency="CNY"))
    room.bench.feed(TypeCode("6921734976505"))
    assert room.bench.agent.screen().error is not None
    room.bench.feed(TypeCode(CODE))
    assert len(room.bench.sent_of("payment.create")) == 1


def cash_sale(room: Room, amount_minor: int, tendered_minor: int) -> int:
    draft = room.drafts.current()
    sale, _ = room.shifts.sell(
        draft_id=draft.draft_id, amount_minor=amount_minor, tendered_minor=tendered_minor,
        note="", by_name="小李",
    )  # fmt: skip
    again, slip = room.shifts.sell(
        draft_id=draft.draft_id, amount_minor=amount_minor, tendered_minor=tendered_minor,
        note="", by_name="小李",
    )  # fmt: skip
    assert (again, slip) == (sale, None)
    return sale.movement_id


def test_a_shift_is_counted_blind_and_closed_to_the_fen(room: Room) -> None:
    assert refused(room.shifts.report) == "shift_needed"
    room.shifts.open(by_name="小李", float_minor=50_000)
    assert refused(lambda: room.shifts.open(by_name="x", float_minor=0)) == "shift_state"
    room.bench.feed(StartSale(amount_minor=1_280, currency="CNY", method="merchant_qr"))
    room.bench.answer(room.bench.result("captured"))
    number = cash_sale(room, 4_550, 5_000)
    back: dict[str, Any] = {"reason": "", "by_name": "小李", "approved_by": "王店长"}
    given, slip = room.shifts.give_back(number, refund_id="back-1", amount_minor=50, **back)
    assert slip is not None
    again = room.shifts.give_back(number, refund_id="back-1", amount_minor=50, **back)
    assert again == (given, None)
    for refund_id, amount_minor, code in (
        ("back-1", 51, "idempotency_conflict"), ("back-2", 4_501, "refund_exceeds")
    ):  # fmt: skip
        assert code == refused(
            lambda: room.shifts.give_back(
                number, refund_id=refund_id, amount_minor=amount_minor, **back  # noqa: B023
            )
        )  # fmt: skip
    room.shifts.move(CashKind.PAY_IN, amount_minor=1_000, reason="", by_name="x", approved_by=None)
    room.shifts.move(CashKind.PAY_OUT, amount_minor=300, reason="", by_name="x", approved_by="y")
    report = room.shifts.report()
    assert report.sales.minor == 5_830
    assert report.net_minor == 5_780
    assert report.expected_minor == 50_000 + 4_550 - 50 + 1_000 - 300
    closing: dict[str, Any] = {"by_name": "小李", "counted_minor": 55_000, "approved_by": None}
    assert refused(lambda: room.shifts.close(reason=" ", **closing)) == "shift_reason_needed"
    closed, slip = room.shifts.close(reason="找零有误", **closing)
    assert closed.difference_minor == -200
    facts = room.bench.journal.receipt(slip)
    assert facts is not None
    counted = facts.facts
    assert counted["sales"][1] - counted["refunds"][1] == counted["net_minor"], (
        "it adds up on paper"
    )
    paper = receipt_bytes({**facts.facts, "is_training": True, "is_copy": True})
    for words in ("交班报告", "-2.00", "找零有误", "培训", "COPY"):
        assert words.encode("gb18030") in paper
    assert refused(room.shifts.report) == "shift_needed"
    assert refused(lambda: cash_sale(room, 1, 1)) == "shift_needed"


def test_unknown_outcomes_need_a_signature_to_close_over(room: Room) -> None:
    room.shifts.open(by_name="小李", float_minor=0)
    room.bench.feed(StartSale(amount_minor=1, currency="CNY", method="merchant_qr"))
    closing: dict[str, Any] = {"by_name": "小李", "counted_minor": 0, "reason": ""}
    assert refused(lambda: room.shifts.close(approved_by=None, **closing)) == "shift_unsettled"
    room.shifts.close(approved_by="王店长", **closing)


def test_what_was_accepted_offline_stands_by_itself_and_needs_no_signature(room: Room) -> None:
    room.shifts.open(by_name="小李", float_minor=0)
    bench = room.bench
    bench.feed(HubStateArrived(hub_word("offline", bench.clock.now_ms())))
    bench.agent._desk.profile = replace(bench.profile, methods=("offline_token",))
    bench.feed(StartSale(amount_minor=300, currency="CNY", method="offline_token"))
    sale = bench.agent.current()
    assert isinstance(sale, Sale)
    token = Phone(bench.clock.now_ms()).sign(str(sale.code_url))
    bench.feed(CodeScanned(sale.payment_id, token))
    report = room.shifts.report()
    assert (report.offline, report.unknown) == (Tally(1, 300), Tally())
    room.shifts.close(approved_by=None, by_name="小李", counted_minor=0, reason="")
    closed = room.shifts.last_closed()
    assert closed is not None
    assert closed.offline == Tally(1, 300)
    facts = room.bench.journal.receipts_of("shift-1")[-1].facts
    assert "离线待入账".encode("gb18030") in receipt_bytes(facts)


def test_too_little_cash_is_refused(room: Room) -> None:
    room.shifts.open(by_name="小李", float_minor=0)
    assert refused(lambda: cash_sale(room, 100, 99)) == "cash_short"


@pytest.mark.asyncio
async def test_training_leaves_nothing_behind_and_never_leaves_the_device(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        headers = {"authorization": f"Bearer {till.token}", "x-station": "training"}
        for amount_minor, kind in ((500, "paid"), (501, "declined"), (502, "waiting")):
            body = {"amount_minor": amount_minor}
            for path, sent in (("sales", body), ("sales/current/code", {"code": CODE})):
                url = f"{till.base}/api/{path}"
                async with till.client.post(url, json=sent, headers=headers) as answer:
                    assert answer.status == 200
            url = f"{till.base}/api/screen"
            async with till.client.get(url, headers=headers) as answer:
                assert (await answer.json())["kind"] == kind
            till.counter.sign_in.train(is_training=True)
            shown = await till.payer_reads()
            assert "TRAINING 培训: do not pay" in shown
            assert f"{amount_minor / 100:.2f}" in shown
            if kind != "waiting":
                url = f"{till.base}/api/sales/current/dismiss"
                await till.client.post(url, json={}, headers=headers)
        async with asyncio.timeout(PATIENCE_S):
            while len(till.printer.receipts) < 2:  # noqa: ASYNC110  # the printer has no event
                await asyncio.sleep(0.01)
        assert all("培训".encode("gb18030") in paper for paper in till.printer.receipts)
        assert "payment.create" not in till.backend.seen
        assert await till.get("api/payments") == []


TEA = Good(code="6921734976505", zh="茶", en="Tea", amount_minor=350)
COLA = Good(code="6901939621608", zh="可乐", en="Cola", amount_minor=300)


def test_a_cart_is_summed_here_kept_over_a_power_cut_and_stands_on_the_receipt(
    tmp_path: Path,
) -> None:
    room = Room(tmp_path / "journal.db")
    draft = room.drafts.current()
    for good, step in ((TEA, 1), (COLA, 1), (TEA, 1), (COLA, -1)):
        draft = room.drafts.change(draft.draft_id, good, step)
    assert (draft.digits, [line.quantity for line in draft.cart]) == ("700", [2])
    assert refused(lambda: room.drafts.change(draft.draft_id, COLA, -1)) == "field_invalid"
    room.drafts.key(draft.draft_id, digits="1", note="")
    room.bench.power_cut()
    room.bench.boot()
    room.drafts = Drafts(room.bench.journal, room.bench.entropy)
    assert room.drafts.current().digits == "700"
    sale = StartSale(amount_minor=700, currency="CNY", draft_id=draft.draft_id)
    room.bench.feed(sale)
    room.bench.feed(Cancel())
    assert room.drafts.current().cart == draft.cart
    room.bench.feed(sale)
    room.bench.feed(ChooseMethod("merchant_qr"))
    room.bench.answer(room.bench.result("captured"))
    assert "茶 x2".encode("gb18030") in receipt_bytes(room.bench.receipts[-1].facts)
    assert room.drafts.current().cart == ()
    room.bench.power_cut()


@pytest.mark.asyncio
@pytest.mark.parametrize("way", ["wallet", "card"])
async def test_another_try_of_a_declined_cart_has_its_goods_on_the_keypad(
    tmp_path: Path, way: str
) -> None:
    async with running_till(tmp_path, goods={TEA.code: TEA, COLA.code: COLA}) as till:
        till.backend.state = "declined"
        till.pinpad.hold(CardOutcome("declined"))
        await till.post("shift/open", float_minor=0)
        draft = (await till.get("api/draft"))["draft_id"]
        for good in (TEA, COLA, TEA):
            _, keyed = await till.post("draft/goods", draft_id=draft, code=good.code, step=1)
        await till.post("draft", draft_id=draft, digits="", note="六号桌")
        wish = {"amount_minor": 1_000, "draft_id": draft, "description": "六号桌"}
        await till.post("sales", **wish)
        if way == "wallet":
            await till.post("sales/current/code", code=CODE)
            await till.screen("declined")
            await till.post("sales/current/again")
        else:
            _, card = await till.post("sales/current/card")
            await till.get(f"api/cards/{card['card_id']}/outcome")
            await till.post(f"cards/{card['card_id']}/again")
        again = await till.get("api/draft")
        assert (again["digits"], again["lines"], again["note"]) == (
            "1000",
            keyed["lines"],
            "六号桌",
        )
        assert again["draft_id"] != draft
        _, fewer = await till.post(
            "draft/goods", draft_id=again["draft_id"], code=COLA.code, step=-1
        )
        assert fewer["digits"] == "700"


def test_goods_paid_in_cash_stand_on_the_slip(room: Room) -> None:
    room.shifts.open(by_name="小李", float_minor=0)
    for _ in range(2):
        room.drafts.change(room.drafts.current().draft_id, COLA, 1)
        cash_sale(room, 300, 500)
    slip = room.bench.journal.receipts_of("cash-2")[0]
    assert "可乐 x1".encode("gb18030") in receipt_bytes(slip.facts)
