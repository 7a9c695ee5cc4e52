"""Alipay's trade bill: what is written is read back; nothing of a bill that is wrong is used."""

import io
import zipfile
from collections.abc import Callable
from datetime import date

import pytest

from backend.channels.alipay.adapter import own_id
from backend.channels.alipay.bill import BillRow, open_bill, write_bill
from backend.channels.day_file import Spool
from protocol.errors import CallerError

DAY = date(2026, 11, 28)
ROWS = (
    BillRow(trade_no="2026112822", out_trade_no="pay_1", amount_minor=1_280, fee_minor=3),
    BillRow(trade_no="2026112822", out_trade_no="pay_1", amount_minor=-280, request_no="rfd_1"),
    BillRow(trade_no="2026112823", out_trade_no="pay_2", amount_minor=-5, request_no="pay_2-back"),
)


def spooled(content: bytes) -> Spool:
    return Spool.of([content])


def changed(change: Callable[[str], str]) -> bytes:
    """The archive of ``ROWS`` with its list changed."""
    made, written = io.BytesIO(), io.BytesIO(write_bill(DAY, "2088", ROWS))
    with zipfile.ZipFile(written) as old, zipfile.ZipFile(made, "w") as archive:
        for name in old.namelist():
            text = old.read(name).decode("gbk")
            archive.writestr(name, (text if "汇总" in name else change(text)).encode("gbk"))
    return made.getvalue()


def test_a_written_bill_is_read_back_with_our_ids() -> None:
    with open_bill(spooled(write_bill(DAY, "2088", ROWS)), own_id) as file:
        found = [(row.kind, row.reference, row.signed_minor) for row in file.rows()]
        fees = [row.fee.amount_minor for row in file.rows() if row.fee is not None]
    assert (file.day, file.count) == (DAY, 3)
    assert found == [
        ("payment", "pay_1", 1_280),
        ("refund", "rfd_1", -280),
        ("refund", "pay_2.back", -5),
    ]
    assert fees == [3, 0, 0]


def test_a_day_of_nothing_is_a_bill_of_no_rows() -> None:
    with open_bill(spooled(write_bill(DAY, "2088", [])), own_id) as file:
        assert list(file.rows()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("12.80,0.00", "12.81,0.00"),
        lambda text: text.replace("交易合计：1笔", "交易合计：2笔"),
        lambda text: text.replace("退款合计：2笔", "退款合计：1笔"),
        lambda text: text.replace(",交易,", ",退款,"),
        lambda text: text.replace("rfd_1", ""),
        lambda text: "\r\n".join(line for line in text.split("\r\n") if "pay_2" not in line),
        lambda text: text.replace("2026年11月28日 00", "2026年13月28日 00"),
        lambda text: text.replace("#起始日期", "#"),
        lambda text: text.replace("#退款合计", "#"),
        lambda text: text.replace(",0.00", "", 1),
    ],
)
def test_a_bill_that_is_wrong_anywhere_is_refused_whole(change: Callable[[str], str]) -> None:
    assert changed(change) != changed(str)
    with pytest.raises(CallerError, match="file_rejected"):
        open_bill(spooled(changed(change)), own_id)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive"])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(CallerError, match="file_rejected"):
        open_bill(spooled(content), own_id)


def test_every_cut_of_the_archive_is_refused() -> None:
    whole = write_bill(DAY, "2088", ROWS)
    for end in range(0, len(whole), 37):
        with pytest.raises(CallerError, match="file_rejected"):
            open_bill(spooled(whole[:end]), own_id)


def test_whatever_byte_of_the_archive_is_damaged_it_is_refused_or_read_and_nothing_breaks() -> None:
    whole = write_bill(DAY, "2088", ROWS)
    refused = 0
    for place in range(len(whole)):
        for value in (0xFF, 0x0E, whole[place] ^ 0x80):
            damaged = whole[:place] + bytes([value]) + whole[place + 1 :]
            try:
                open_bill(spooled(damaged), own_id).close()
            except CallerError as error:
                assert error.code == "file_rejected"
                refused += 1
    assert refused > len(whole)
