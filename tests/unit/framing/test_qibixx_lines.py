"""Goal: the adapter's lines, cut and damaged as a serial port does it."""

import pytest

from protocol.errors import OperatingError
from protocol.framing import qibixx
from protocol.framing.qibixx import Damaged


def test_lines_end_in_any_way_and_come_in_pieces() -> None:
    parser = qibixx.LineParser()
    assert parser.feed(b"V\r\nM,1\nR,0") == ["V", "M,1"]
    assert parser.is_mid_line
    assert parser.feed(b"8\r") == ["R,08"]
    assert qibixx.LineParser().feed(qibixx.encode("c,VEND,SUCCESS")) == ["c,VEND,SUCCESS"]


def test_what_is_no_line_is_damaged_and_the_next_one_is_read() -> None:
    parser = qibixx.LineParser()
    found = parser.feed(b"c,\xffSTATUS\n" + b"x" * 500 + b"\nV\n")
    assert found == [Damaged(b"c,\xffSTATUS", "character"), Damaged(b"x" * 160, "length"), "V"]


@pytest.mark.parametrize(
    ("text", "decimals", "amount"),
    [("1", 2, 100), ("1.2", 2, 120), ("1.250", 2, 125), ("0.5", 1, 5), ("7", 0, 7)],
)  # fmt: skip
def test_amounts_are_read_to_the_unit(text: str, decimals: int, amount: int) -> None:
    assert qibixx.parse_amount(text, decimals) == amount


@pytest.mark.parametrize("text", ["", "-1", "1.255", "1,25", "x", "1.", "99999999", " 1", "1e2"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(OperatingError, match="device_bad_frame"):
        qibixx.parse_amount(text, 2)


def test_amounts_are_written_as_people_write_them() -> None:
    written = [qibixx.format_amount(125, decimals) for decimals in range(4)]
    assert written == ["125", "12.5", "1.25", "0.125"]
