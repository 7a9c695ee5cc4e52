"""Shifts and the drawer: counted blind, closed to the fen."""

from dataclasses import replace
from typing import Any

from terminal.domain.sale import Sale
from terminal.domain.shift import CashKind, Tally
from terminal.inputs import CodeScanned, HubStateArrived, StartSale
from terminal.slip import receipt_bytes
from tests.support.counter_room import Room, cash_sale, refused
from tests.support.offline_phone import Phone, hub_word


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
