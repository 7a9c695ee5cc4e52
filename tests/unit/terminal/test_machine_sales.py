"""Goal: what people select at the machine is sold at our price, or refused there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from protocol.errors import CallerError, OperatingError
from terminal import vending
from terminal.config import load
from terminal.domain.screen import Screen
from terminal.domain.words import Words
from terminal.inputs import Cancel, CashierInput, ChooseMethod, StartSale
from terminal.machine_sales import MachineSales
from terminal.machines import machine_of
from terminal.ports import Selection
from terminal.profile import Item
from tests.kit.patience import PATIENCE_S
from tests.unit.terminal.fakes import profile

TEA = Selection("tea", 350)
SENDING = Screen(
    kind="sending", title=Words("", ""), currency="CNY", subject="pay_1", delivery="none"
)
CONFIG = """
profile = "vending"
[merchant]
id = "m-1"
zh = "小店"
en = "Corner Shop"
[devices]
mdb = "/nonexistent/tty"
[vending]
mandate_id = "mdt_1"
"""
ITEM = '[[vending.items]]\nitem = "{0}"\nzh = "茶"\nen = "Tea"\namount_minor = 350\n'


class FakeMachine:
    """Says what the test lets it, and keeps what it was refused."""

    def __init__(self, *says: Selection | OperatingError) -> None:
        self.says = list(says)
        self.refused: list[Selection] = []
        self.is_done = asyncio.Event()

    async def next_selection(self) -> Selection | None:
        if not self.says:
            self.is_done.set()
            await asyncio.Event().wait()
        word = self.says.pop(0)
        if isinstance(word, OperatingError):
            raise word
        return word

    async def refuse(self, selection: Selection) -> None:
        self.refused.append(selection)


class FakeTill:
    """Shows these screens after a sale has begun."""

    def __init__(self, *shown: Screen, trouble: CallerError | None = None) -> None:
        self.shown = shown
        self.trouble = trouble
        self.wishes: list[StartSale] = []
        self.others: list[CashierInput] = []

    async def command(self, wish: CashierInput) -> Screen:
        if not isinstance(wish, StartSale):
            self.others.append(wish)
            return SENDING
        self.wishes.append(wish)
        if self.trouble is not None:
            raise self.trouble
        return SENDING

    async def screens(self, after: int) -> AsyncIterator[tuple[int, Screen]]:
        for revision, screen in enumerate((SENDING, *self.shown)):
            yield revision, screen
        await asyncio.Event().wait()


async def served(
    machine: FakeMachine, till: FakeTill, *, methods: tuple[str, ...] = ("mandate",)
) -> FakeMachine:
    """The machine after all it had to say."""
    items = (Item(item="tea", zh="茶", en="Tea", amount_minor=350),)
    shop = profile(kind="vending", items=items, methods=methods)
    sales = MachineSales(machine, partial(vending.wishes_of, shop), till, lambda: 1)
    task = asyncio.create_task(sales.run())
    async with asyncio.timeout(PATIENCE_S):
        await machine.is_done.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return machine


@pytest.mark.asyncio
@pytest.mark.parametrize("delivery", ["owed", "dispensing", "given", "not_given"])
async def test_what_is_paid_is_left_to_the_dispenser(delivery: str) -> None:
    till = FakeTill(replace(SENDING, kind="paid", is_final=True, delivery=delivery))
    machine = await served(FakeMachine(TEA), till)
    assert machine.refused == []
    assert [(wish.item, wish.amount_minor, wish.method) for wish in till.wishes] == [
        ("tea", 350, "mandate")
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "last", [replace(SENDING, kind="declined", is_final=True), replace(SENDING, subject="pay_2")]
)
async def test_what_is_not_paid_is_refused_at_the_machine(last: Screen) -> None:
    assert (await served(FakeMachine(TEA), FakeTill(last))).refused == [TEA]


@pytest.mark.asyncio
async def test_a_payment_that_takes_too_long_is_refused_at_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("terminal.machine_sales.SELECTION_SALE_S", 0.01)
    till = FakeTill()
    assert (await served(FakeMachine(TEA), till)).refused == [TEA]
    assert till.others == [Cancel()], "given up at the backend, too"


@pytest.mark.asyncio
async def test_the_ways_to_pay_are_tried_one_after_another() -> None:
    ways = ("mandate", "merchant_qr")
    till = FakeTill(replace(SENDING, kind="declined", is_final=True))
    assert (await served(FakeMachine(TEA), till, methods=ways)).refused == [TEA]
    assert [wish.method for wish in till.wishes] == ["mandate", "merchant_qr"]
    paid = FakeTill(replace(SENDING, kind="paid", is_final=True, delivery="owed"))
    assert (await served(FakeMachine(TEA), paid, methods=ways)).refused == []
    assert [wish.method for wish in paid.wishes] == ["mandate"], "never a second payment"


@pytest.mark.asyncio
async def test_a_code_that_was_not_read_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("terminal.machine_sales.SELECTION_RETRY_S", 0.001)
    missed = replace(SENDING, kind="choosing")
    till = FakeTill(missed, replace(SENDING, kind="paid", is_final=True, delivery="owed"))
    assert (await served(FakeMachine(TEA), till, methods=("pay_code",))).refused == []
    assert till.others == [ChooseMethod("pay_code")]


@pytest.mark.asyncio
async def test_another_price_another_item_and_a_busy_till_sell_nothing() -> None:
    dear, strange = Selection("tea", 351), Selection("rope", 350)
    till = FakeTill()
    assert (await served(FakeMachine(dear, strange), till)).refused == [dear, strange]
    assert till.wishes == []
    busy = FakeTill(trouble=CallerError("payment_state"))
    assert (await served(FakeMachine(TEA), busy)).refused == [TEA]


@pytest.mark.asyncio
async def test_a_machine_that_does_not_answer_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("terminal.machine_sales.SELECTION_RETRY_S", 0.01)
    till = FakeTill(replace(SENDING, kind="declined", is_final=True))
    machine = FakeMachine(OperatingError("device_no_reply"), TEA)
    assert (await served(machine, till)).refused == [TEA]


@pytest.mark.asyncio
async def test_a_machine_is_built_from_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "terminal.toml"
    file.write_text(CONFIG + ITEM.format("tea") + "column = 1\n")
    async with AsyncExitStack() as stack:
        machine = machine_of(load(file), profile(kind="vending"), stack)
        assert machine is not None
        assert machine.source is not None
        with pytest.raises(OperatingError, match="device_disconnected"):
            await machine.source.next_selection()
    file.write_text(CONFIG.replace('mdb = "/nonexistent/tty"\n', "") + ITEM.format("tea"))
    machine = machine_of(load(file), profile(kind="vending"), AsyncExitStack())
    assert machine is not None
    assert machine.source is None, "what is sold on the page is written down"
    file.write_text(CONFIG.replace('"vending"', '"till"', 1) + ITEM.format("tea") + "column = 1\n")
    assert machine_of(load(file), profile(), AsyncExitStack()) is None


@pytest.mark.parametrize("columns", [("", ""), ("column = 1\n", "column = 1\n")])
def test_items_without_a_column_of_their_own_are_refused(
    tmp_path: Path, columns: tuple[str, str]
) -> None:
    file = tmp_path / "terminal.toml"
    items = [ITEM.format(name) + column for name, column in zip("ab", columns, strict=True)]
    file.write_text(CONFIG + "".join(items))
    with pytest.raises(CallerError, match=r"config_invalid.*column"):
        load(file)
