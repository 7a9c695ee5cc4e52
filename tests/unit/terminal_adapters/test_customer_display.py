"""Goal: the payer's display shows what goes on, and its trouble never reaches a sale.

Method: the driver on a port with a simulated display behind it; the follower with a dummy.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from firmware_sim.devices.displays import Cd5220, EpsonVfd, Led8
from protocol.errors import OperatingError
from terminal.adapters.customer_display import SerialCustomerDisplay
from terminal.adapters.dummy import DummyCustomerDisplay
from terminal.customer_screen import CustomerScreen
from terminal.customer_view import customer_view
from terminal.domain.at_counter import AtCounter, cash_due, of_card, of_cash
from terminal.domain.card_sale import CardKind, CardSale, CardState
from terminal.domain.screen import Screen
from terminal.domain.shift import CashKind, CashMovement
from terminal.domain.words import TITLES
from terminal.ports import CustomerView, Lamp
from terminal.web.customer_words import CUSTOMER_TITLES
from tests.kit.device_port import DevicePort
from tests.kit.drivers import Opened
from tests.kit.patience import PATIENCE_S

VIEW = CustomerView("Scan to pay", "CNY 12.80".rjust(20), "12.80", "total")
EMPTY = CustomerView("Corner Shop", "Welcome")


def _screen(kind: str, amount: str | None = "12.80") -> Screen:
    return Screen(kind=kind, title=TITLES[kind], amount=amount, currency="CNY")


@pytest.mark.asyncio
@pytest.mark.parametrize(("family", "display"), [("epson_vfd", EpsonVfd()), ("cd5220", Cd5220())])
async def test_rows_are_shown_whatever_was_there_before(
    family: str, display: EpsonVfd | Cd5220
) -> None:
    port = DevicePort(display)
    display.feed(b"\x1bQAOLD\r", 0)
    async with Opened() as opened:
        driver = opened(SerialCustomerDisplay("-", family, open_port=lambda: port))  # type: ignore[arg-type]
        await driver.show(EMPTY)
        await driver.show(VIEW)
    assert [row.rstrip() for row in display.rows] == [VIEW.upper, VIEW.lower]
    assert not display.is_cursor_shown


@pytest.mark.asyncio
async def test_digits_are_shown_or_nothing_where_they_do_not_fit() -> None:
    display = Led8()
    port = DevicePort(display)
    async with Opened() as opened:
        driver = opened(SerialCustomerDisplay("-", "led8", open_port=lambda: port))
        await driver.show(VIEW)
        assert (display.digits, display.lamp) == ("12.80", "total")
        await driver.show(CustomerView("", "", "1234567.89", "total"))
        assert (display.digits, display.lamp) == ("", "none")
        await driver.show(VIEW)
        await driver.show(EMPTY)
        assert (display.digits, display.lamp) == ("", "none")


@pytest.mark.asyncio
async def test_a_display_that_is_pulled_out_is_disconnected_and_comes_back() -> None:
    port = DevicePort(EpsonVfd())
    async with Opened() as opened:
        driver = opened(SerialCustomerDisplay("-", "epson_vfd", open_port=lambda: port))
        await driver.show(EMPTY)
        port.is_cut = True
        with pytest.raises(OperatingError, match="device_disconnected"):
            await driver.show(VIEW)
        port.is_cut = False
        await driver.show(VIEW)


@pytest.mark.parametrize(
    ("kind", "upper", "digits", "lamp"),
    [("qr", "Scan to pay", "12.80", "total"), ("paid", "Paid - thank you", "12.80", "received"),
     ("declined", "Declined", "", "none"), ("unknown", "Please wait", "12.80", "total"),
     ("refund_done", "Refunded", "12.80", "change"), ("reversed", "Money goes back", "", "none")],
)  # fmt: skip
def test_the_payer_sees_amount_and_result(kind: str, upper: str, digits: str, lamp: str) -> None:
    view = customer_view(_screen(kind), name="Corner Shop")
    assert view == CustomerView(upper, "CNY 12.80".rjust(20), digits, lamp)  # type: ignore[arg-type]


def _cash(tendered_minor: int | None, kind: CashKind = CashKind.SALE) -> AtCounter:
    movement = CashMovement(
        movement_id=1, shift_id=1, kind=kind, amount_minor=1_280, currency="CNY", reason="",
        by_name="x", at_ms=0, tendered_minor=tendered_minor,
    )  # fmt: skip
    return of_cash(movement)


def _card(state: CardState, kind: CardKind = CardKind.SALE) -> AtCounter:
    sale = CardSale(
        card_id=1, shift_id=1, kind=kind, amount_minor=1_280, currency="CNY", note="",
        by_name="x", at_ms=0, state=state,
    )  # fmt: skip
    return of_card(sale)


@pytest.mark.parametrize(
    ("at", "upper", "lower", "digits", "lamp"),
    [
        (cash_due(1_280, "CNY"), "To pay", "CNY 12.80", "12.80", "total"),
        (_cash(2_000), "Paid - thank you", "Change 7.20", "7.20", "change"),
        (_cash(1_280), "Paid - thank you", "CNY 12.80", "12.80", "received"),
        (_cash(None, CashKind.REFUND), "Refunded", "CNY 12.80", "12.80", "change"),
        (_card(CardState.ASKING), "Card at the PIN pad", "CNY 12.80", "12.80", "total"),
        (_card(CardState.APPROVED), "Paid - thank you", "CNY 12.80", "12.80", "received"),
        (_card(CardState.DECLINED), "Declined", "CNY 12.80", "", "none"),
        (_card(CardState.ASKING, CardKind.REFUND), "Refund: your card", "CNY 12.80", "", "none"),
    ],
)
def test_the_payer_sees_what_the_counter_takes_itself(
    at: AtCounter, upper: str, lower: str, digits: str, lamp: Lamp
) -> None:
    screen = replace(_screen("keypad", None), at_counter=at)
    view = customer_view(screen, name="Corner Shop")
    assert view == CustomerView(upper, lower.rjust(20), digits, lamp)


def test_every_state_of_cash_and_cards_has_words_for_the_payer_that_fit() -> None:
    cards = [_card(state, kind) for state in CardState for kind in CardKind]
    for at in (cash_due(1, "CNY"), _cash(2_000), _cash(None, CashKind.REFUND), *cards):
        assert at.kind in CUSTOMER_TITLES
        view = customer_view(replace(_screen("keypad", None), at_counter=at), name="Shop")
        assert view.upper != "Shop"
        assert max(len(view.upper), len(view.lower)) <= 20


def test_between_sales_the_payer_is_greeted() -> None:
    assert customer_view(_screen("keypad", None), name="Corner Shop") == EMPTY
    assert customer_view(_screen("choosing"), name="Corner Shop") == EMPTY


def test_every_screen_has_words_for_the_payer_that_fit() -> None:
    for kind in TITLES:
        view = customer_view(_screen(kind), name="A shop with a very long name")
        assert max(len(view.upper), len(view.lower)) <= 20


async def _screens(queue: "asyncio.Queue[Screen]") -> AsyncIterator[tuple[int, Screen]]:
    number = 0
    while True:
        number += 1
        yield number, await queue.get()


@pytest.mark.asyncio
async def test_each_new_view_is_shown_once_and_the_last_one_again_after_trouble() -> None:
    display, queue = DummyCustomerDisplay(), asyncio.Queue[Screen]()
    screen = CustomerScreen(display, name="Corner Shop", refresh_s=60, retry_s=0.01)
    task = asyncio.create_task(screen.run(_screens(queue)))

    async def settled(wanted: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(display.views) < wanted:  # noqa: ASYNC110 - another task's list
                await asyncio.sleep(0.005)

    queue.put_nowait(_screen("keypad", None))
    await settled(1)
    queue.put_nowait(_screen("choosing"))
    queue.put_nowait(_screen("qr"))
    await settled(2)
    display.is_connected = False
    queue.put_nowait(_screen("paid"))
    await asyncio.sleep(0.03)
    display.is_connected = True
    await settled(3)
    assert [view.upper for view in display.views] == ["Corner Shop", "Scan to pay",
                                                      "Paid - thank you"]  # fmt: skip
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.asyncio
async def test_the_picture_is_written_again_from_time_to_time() -> None:
    display, queue = DummyCustomerDisplay(), asyncio.Queue[Screen]()
    screen = CustomerScreen(display, name="Corner Shop", refresh_s=0.01)
    task = asyncio.create_task(screen.run(_screens(queue)))
    queue.put_nowait(_screen("keypad", None))
    async with asyncio.timeout(PATIENCE_S):
        while len(display.views) < 3:  # noqa: ASYNC110 - another task's list
            await asyncio.sleep(0.005)
    assert set(display.views) == {EMPTY}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
