"""Goods in the cart: their sum, their receipt, another try."""

from pathlib import Path

import pytest

from terminal.counter.drafts import Drafts
from terminal.inputs import Cancel, ChooseMethod, StartSale
from terminal.ports import CardOutcome
from terminal.profile import Good
from terminal.slip import receipt_bytes
from tests.support.counter_room import Room, cash_sale, refused
from tests.support.tills import running_till
from tests.unit.terminal.fakes import CODE

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
