"""What is keyed in at the till: it outlives everything and is charged once."""

from pathlib import Path

from terminal.counter.drafts import Drafts
from terminal.inputs import Cancel, ChooseMethod, StartSale, TypeCode
from tests.support.counter_room import Room, refused
from tests.unit.terminal.fakes import CODE


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
