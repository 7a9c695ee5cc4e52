"""Alipay's trade bill of a day (业务明细): a ZIP with a list in GBK, as the console gives it out.

Rule 1: the archive and its list are read to the end, and the list's own totals are held against its
        rows, before the first row is given out.
Rule 2: what goes back has a negative amount and the request's number (退款批次号/请求号).
Rule 3: commas split the columns and nothing is quoted; a tab may stand behind a number, so that
        spreadsheets leave it alone.
"""

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from backend.channels.alipay.limits import BILL_FILES_MAX
from backend.channels.alipay.wire import fen, yuan
from backend.channels.day_file import DayFile, DayRow, Spool, rejected
from backend.channels.limits import DAY_FILE_ROWS_MAX
from protocol.errors import CallerError
from protocol.money import Money

COLUMNS = (
    "支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间", "门店编号",
    "门店名称", "操作员", "终端号", "对方账户", "订单金额（元）", "商家实收（元）",
    "支付宝红包（元）", "集分宝（元）", "支付宝优惠（元）", "商家优惠（元）", "券核销金额（元）",
    "券名称", "商家红包消费金额（元）", "卡消费金额（元）", "退款批次号/请求号", "服务费（元）",
    "分润（元）", "备注",
)  # fmt: skip
_CHARSET = "gbk"
_LIST, _SUMMARY = "业务明细.csv", "业务明细(汇总).csv"
_PAID, _GIVEN = "交易", "退款"
_DAY = re.compile(r"#起始日期：\[(\d{4})年(\d{2})月(\d{2})日 00:00:00\].*").fullmatch
_PAID_TOTAL = re.compile(r"#交易合计：(\d+)笔，商家实收共(-?[0-9.]+)元.*").fullmatch
_GIVEN_TOTAL = re.compile(r"#退款合计：(\d+)笔，商家实收退款共(-?[0-9.]+)元.*").fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class BillRow:
    """One line of the bill. ``amount_minor`` is what the seller got, negative for what went back;
    ``fee_minor`` what Alipay keeps for it."""

    trade_no: str
    out_trade_no: str
    amount_minor: int
    fee_minor: int = 0
    request_no: str = ""
    buyer: str = ""
    made_at: str = ""
    done_at: str = ""
    """``YYYY-MM-DD HH:MM:SS``, in China."""


def write_bill(day: date, seller: str, rows: Iterable[BillRow]) -> bytes:
    """The archive of a day."""
    kept = list(rows)
    lines = [
        "#支付宝业务明细查询",
        f"#账号：[{seller}]",
        f"#起始日期：[{day:%Y年%m月%d日} 00:00:00]   终止日期：[{day:%Y年%m月%d日} 23:59:59]",
        "#-----------------------------------------业务明细列表-----------------------------------",
        ",".join(COLUMNS),
        *(_line(row) for row in kept),
        "#-----------------------------------------业务明细列表结束-------------------------------",
        *_totals(kept),
    ]
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, said in ((_LIST, lines), (_SUMMARY, [*lines[:3], *_totals(kept)])):
            content = "".join(f"{line}\r\n" for line in said).encode(_CHARSET)
            archive.writestr(f"{seller}_{day:%Y%m%d}_{name}", content)
    return found.getvalue()


def open_bill(archive: Spool, own_id: Callable[[str], str]) -> DayFile:
    """A day of an archive; ``own_id`` is our id of a number in it. Takes the archive over."""
    try:
        spool = _unpacked(archive)
    finally:
        archive.close()
    try:
        day, count = _verify(spool)
    except BaseException:
        spool.close()
        raise

    def rows(spool: Spool) -> Iterator[DayRow]:
        for _, row in _rows(spool):
            yield _day_row(row, own_id)

    return DayFile(spool, day=day, count=count, read=rows)


def _unpacked(archive: Spool) -> Spool:
    """The list of an archive, spooled."""
    spool = Spool()
    try:
        with zipfile.ZipFile(archive.file) as found:
            names = found.namelist()
            lists = [name for name in names[:BILL_FILES_MAX] if name.endswith(_LIST)]
            if len(names) > BILL_FILES_MAX or len(lists) != 1:
                raise CallerError("file_rejected", "an archive without one list of the day")
            with found.open(lists[0]) as content:
                while chunk := content.read(io.DEFAULT_BUFFER_SIZE):
                    spool.write(chunk)
    except (
        zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError,
        OSError, ValueError,
    ) as error:  # fmt: skip
        spool.close()
        raise CallerError("file_rejected", f"no archive: {type(error).__name__}") from None
    except BaseException:
        spool.close()
        raise
    return spool


def _verify(spool: Spool) -> tuple[date, int]:
    day: date | None = None
    counts, sums = {_PAID: 0, _GIVEN: 0}, {_PAID: 0, _GIVEN: 0}
    totals: dict[str, tuple[int, int | None]] = {}
    for number, text in _lines(spool):
        begun = _DAY(text)
        if begun is not None:
            day = _date(number, begun)
        for kind, shape in ((_PAID, _PAID_TOTAL), (_GIVEN, _GIVEN_TOTAL)):
            said = shape(text)
            if said is not None:
                totals[kind] = (int(said[1]), fen(said[2]))
    for number, row in _rows(spool):
        kind = _kind(row)
        counts[kind], sums[kind] = counts[kind] + 1, sums[kind] + row.amount_minor
        if counts[kind] > DAY_FILE_ROWS_MAX:
            raise rejected(number, f"more than {DAY_FILE_ROWS_MAX} rows")
    if day is None:
        raise CallerError("file_rejected", "a list that names no day")
    for kind in (_PAID, _GIVEN):
        if totals.get(kind) != (counts[kind], sums[kind]):
            raise CallerError("file_rejected", f"the totals of {kind} are not those of the rows")
    return day, sum(counts.values())


def _date(number: int, begun: re.Match[str]) -> date:
    try:
        return date(int(begun[1]), int(begun[2]), int(begun[3]))
    except ValueError:
        raise rejected(number, "no date") from None


def _rows(spool: Spool) -> Iterator[tuple[int, BillRow]]:
    for number, text in _lines(spool):
        if text and not text.startswith(("#", COLUMNS[0])):
            yield number, _row(number, text)


def _row(number: int, text: str) -> BillRow:
    columns = [column.strip() for column in text.split(",")]
    if len(columns) != len(COLUMNS):
        raise rejected(number, f"{len(columns)} columns and not {len(COLUMNS)}")
    said = dict(zip(COLUMNS, columns, strict=True))
    amount, fee = fen(said["商家实收（元）"]), fen(said["服务费（元）"])
    if not amount or fee is None:
        raise rejected(number, "an amount")
    row = BillRow(
        trade_no=said["支付宝交易号"],
        out_trade_no=said["商户订单号"],
        amount_minor=amount,
        fee_minor=-fee,
        request_no=said["退款批次号/请求号"],
        buyer=said["对方账户"],
        made_at=said["创建时间"],
        done_at=said["完成时间"],
    )
    if said["业务类型"] != _kind(row) or (row.amount_minor < 0) != bool(row.request_no):
        raise rejected(number, "kind, sign and request do not fit")
    return row


def _day_row(row: BillRow, own_id: Callable[[str], str]) -> DayRow:
    is_paid = row.amount_minor > 0
    return DayRow(
        "payment" if is_paid else "refund",
        own_id(row.out_trade_no if is_paid else row.request_no),
        row.buyer if is_paid else own_id(row.out_trade_no),
        Money(abs(row.amount_minor), "CNY"),
        channel_reference=row.trade_no,
        fee=Money(row.fee_minor, "CNY"),
    )


def _lines(spool: Spool) -> Iterator[tuple[int, str]]:
    for number, line in spool.lines():
        try:
            yield number, line.decode(_CHARSET).rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise rejected(number, f"not GBK at byte {error.start + 1}") from None


def _line(row: BillRow) -> str:
    said = dict.fromkeys(COLUMNS, "") | {
        "支付宝交易号": f"{row.trade_no}\t",
        "商户订单号": f"{row.out_trade_no}\t",
        "业务类型": _kind(row),
        "创建时间": row.made_at,
        "完成时间": row.done_at,
        "对方账户": row.buyer,
        "退款批次号/请求号": row.request_no,
        **dict.fromkeys((name for name in COLUMNS if "元" in name), "0.00"),
        "订单金额（元）": yuan(row.amount_minor),
        "商家实收（元）": yuan(row.amount_minor),
        "服务费（元）": yuan(-row.fee_minor),
    }
    return ",".join(said.values())


def _totals(rows: Iterable[BillRow]) -> list[str]:
    paid = [row.amount_minor for row in rows if row.amount_minor > 0]
    given = [row.amount_minor for row in rows if row.amount_minor < 0]
    return [
        f"#交易合计：{len(paid)}笔，商家实收共{yuan(sum(paid))}元，商家优惠共0.00元",
        f"#退款合计：{len(given)}笔，商家实收退款共{yuan(sum(given))}元，商家优惠退款共0.00元",
    ]


def _kind(row: BillRow) -> str:
    return _PAID if row.amount_minor > 0 else _GIVEN
