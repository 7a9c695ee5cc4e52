"""UnionPay's net of a day arrives on our reserve account, under the reference that we clear by."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from backend.channels.model import PayOrder
from backend.sandbox.institution.orders import OrderBook
from backend.sandbox.institution.program import Place, serving
from backend.sandbox.registry import find
from backend.sandbox.unionpay.issuers import CardTill
from protocol.money import Money
from tests.support.shop import ShopClock

pytestmark = pytest.mark.asyncio
DAY_MS = 86_400_000
RESERVE = "RESERVE-TILLWAY"


async def test_a_days_net_moves_over_the_reserve_bank_also_when_it_was_down(tmp_path: Path) -> None:
    clock = ShopClock()
    places = {
        name: Place(name=name, state_dir=tmp_path, clock=clock)
        for name in ("reserve-bank", "unionpay")
    }
    switch = (find("unionpay").build(), places["unionpay"])
    async with serving([switch]) as served:
        house = served.houses["unionpay"]
        house.books.open_account("CARD-1", "李雷", Money(5_000, "CNY"), day=date(2026, 11, 23))
        book = OrderBook(house.books, CardTill(house.books))
        book.bind("tok", "CARD-1")
        book.pay(PayOrder("pay_1", "tok", Money(1_234, "CNY")), day=date(2026, 11, 23))
        clock.at_ms += DAY_MS
        await house.time_passes()
        rows = house.books.db.execute("SELECT reference, state FROM settlement_order").fetchall()
        assert rows == [("STL-CUP-20261123", "waiting")]
    async with serving([(find("reserve-bank").build(), places["reserve-bank"]), switch]) as served:
        bank, house = served.houses["reserve-bank"].books, served.houses["unionpay"]
        before = bank.balance(RESERVE).amount_minor
        await asyncio.gather(house.time_passes(), house.time_passes())
        rows = house.books.db.execute("SELECT reference, state FROM settlement_order").fetchall()
        assert rows == [("STL-CUP-20261123", "settled")]
        assert bank.balance(RESERVE).amount_minor == before + 1_234
