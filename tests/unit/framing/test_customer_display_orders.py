"""Goal: a display's orders are told from text and from each other, however the bytes are cut."""

import pytest

from protocol.framing import customer_display
from protocol.framing.customer_display import CD5220_ORDERS, EPSON_ORDERS, OrderParser


def _codes(data: bytes, orders: object = EPSON_ORDERS) -> list[tuple[bytes, bytes]]:
    parser = OrderParser(orders)  # type: ignore[arg-type]
    found = [order for value in data for order in parser.feed(bytes([value]))]
    assert found == OrderParser(orders).feed(data)  # type: ignore[arg-type]
    assert b"".join(order.raw for order in found) == data
    return [(order.code, order.args) for order in found]


def test_epson_orders_and_text_are_told_apart() -> None:
    assert _codes(b"\x1b@A\x1f$\x05\x02\x0c\x1fX\x03") == [
        (b"\x1b@", b""), (b"", b"A"), (b"\x1f$", b"\x05\x02"), (b"\x0c", b""), (b"\x1fX", b"\x03"),
    ]  # fmt: skip


def test_a_cd5220_row_ends_with_cr_and_too_much_of_it_is_forgotten() -> None:
    assert _codes(b"\x1bQAHELLO\r\x1bl\x01\x02", CD5220_ORDERS) == [
        (b"\x1bQA", b"HELLO"), (b"\x1bl", b"\x01\x02"),
    ]  # fmt: skip
    [order] = OrderParser(CD5220_ORDERS).feed(b"\x1bQD" + b"x" * 500 + b"\r")
    assert order.args == b"x" * 40


def test_glyphs_of_ones_own_are_as_long_as_they_say() -> None:
    data = b"\x1b&\x01AB" + b"\x05\x01\x02\x03\x04\x05" + b"\x01\xff" + b"Z"
    assert _codes(data) == [(b"\x1b&", data[2:-1]), (b"", b"Z")]


@pytest.mark.parametrize(
    "broken", [b"\x1b&\x02AA", b"\x1b&\x01BA", b"\x1b&\x01AA\x09", b"\x1f\xf0"]
)
def test_an_unknown_order_is_said_to_be_one_and_the_next_is_read(broken: bytes) -> None:
    first, *_, last = OrderParser(EPSON_ORDERS).feed(broken + b"\x0c")
    assert not first.is_known
    assert last.code == b"\x0c"


def test_a_whole_picture_has_two_padded_rows_of_plain_characters() -> None:
    picture = customer_display.epson_rows("Café\n", "x" * 30)
    assert picture.endswith(b"Caf??".ljust(20) + b"x" * 20)


def test_digits_that_do_not_fit_are_refused() -> None:
    assert customer_display.led8_digits("12.30", 2) == b"\x1b@\x0c\x1bs2\x1bQA12.30\r"
    for digits, lamp in (("1" * 17, 0), ("1e3", 0), ("1", 5)):
        with pytest.raises(ValueError, match="LED8"):
            customer_display.led8_digits(digits, lamp)
