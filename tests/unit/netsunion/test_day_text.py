"""The clearing house's list of a day: whole, or refused with the line."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.channels.day_file import Spool
from backend.channels.epcc import day_text, ids
from backend.channels.epcc.day_text import DayLine
from backend.channels.netsunion import open_day
from protocol.crypto.keys import generate
from protocol.errors import CallerError
from protocol.money import Money

KEY, DAY = generate("ES256"), date(2026, 11, 23)


def a_line(number: int = 1, **changes: object) -> DayLine:
    content: dict[str, object] = {
        "kind": "payment", "own_id": f"pay_{number}", "trx_id": f"{number:031d}",
        "account": "SGN-1", "amount": Money(100, "CNY"), "fee": Money(0, "CNY"),
        "settlement_day": DAY,
    }  # fmt: skip
    return DayLine(**(content | changes))  # type: ignore[arg-type]


def text(*rows: DayLine) -> bytes:
    return b"".join(day_text.write(DAY, ids.INSTITUTION, rows, key=KEY))


def lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def check(data: bytes) -> int:
    return day_text.check(lines(data), day=DAY, issuer=ids.INSTITUTION, key=KEY.public)


_LINES = st.builds(
    a_line,
    st.integers(0, 10**9),
    kind=st.sampled_from(["payment", "topup", "refund", "chargeback", "payout"]),
    amount=st.integers(1, 10**15).map(lambda minor: Money(minor, "CNY")),
    account=st.text(st.sampled_from("AZ09-_账户"), min_size=1, max_size=40),
)


@given(st.lists(_LINES, max_size=8))
def test_every_list_we_write_comes_back(rows: list[DayLine]) -> None:
    data = text(*rows)
    assert check(data) == len(rows)
    assert list(day_text.rows(lines(data))) == rows


def test_an_empty_day_is_a_list_too() -> None:
    assert check(text()) == 0


@given(st.data())
@settings(max_examples=60)
def test_every_truncation_is_refused(data: st.DataObject) -> None:
    whole = text(a_line(), a_line(2))
    with pytest.raises(CallerError):
        check(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"H|1|", b"H|2|", "line 1"),
        (b"20261123\n", b"20261124\n", "line 1"),
        (b"CNY1.00|CNY0.00", b"CNY1.01|CNY0.00", "line 4"),
        (b"CNY1.00|CNY0.00", b"CNY1.0|CNY0.00", "line 2"),
        (b"CNY1.00|CNY0.00", b"CNY0.00|CNY0.00", "line 2"),
        (b"D|payment", b"D|gift", "line 2"),
        (b"SGN-1", b"SGN\xff", "line 2: not UTF-8"),
        (b"SGN-1", b"SGN-1" * 300, "line 2: too long"),
        (b"SGN-1", b"", "line 2: columns"),
        (b"pay_1", b"pay_1|x", "line 2: columns"),
        (b"|0000000000000000000000000000001", b"|1", "line 2: TrxId"),
        (b"T|2|", b"T|3|", "line 4"),
        (b"{S:", b"{X:", "line 5"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(old: bytes, new: bytes, reason: str) -> None:
    whole = text(a_line(), a_line(2))
    assert old in whole
    with pytest.raises(CallerError, match=reason) as caught:
        check(whole.replace(old, new, 1))
    assert caught.value.code == "file_rejected"


def test_a_doubled_row_and_a_trailing_one_are_refused() -> None:
    header, row, *rest = lines(text(a_line()))
    for spoilt in ([header, row, row, *rest], [header, row, *rest, row]):
        with pytest.raises(CallerError):
            check(b"".join(spoilt))


def test_a_list_signed_by_another_is_refused() -> None:
    data = b"".join(day_text.write(DAY, ids.INSTITUTION, [a_line()], key=generate("ES256")))
    with pytest.raises(CallerError) as caught:
        check(data)
    assert caught.value.code == "signature_invalid"


def test_a_list_of_another_day_or_member_is_refused() -> None:
    data = lines(text(a_line()))
    for day, issuer in ((date(2026, 11, 24), ids.INSTITUTION), (DAY, "Z0000000000000")):
        with pytest.raises(CallerError, match="line 1"):
            day_text.check(data, day=day, issuer=issuer, key=KEY.public)


def test_a_refused_spool_is_closed() -> None:
    spool = Spool.of([b"noise\n"])
    with pytest.raises(CallerError):
        open_day(spool, day=DAY, key=KEY.public)
    with pytest.raises(ValueError):
        spool.write(b"more")
