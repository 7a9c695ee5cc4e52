"""A receipt, in Chinese and English: from what was sold to ESC/POS bytes in GB18030.

Pure: time and id are arguments. Columns are those of font A; a character that is not ASCII takes
two. The payment id stands on the paper as a QR code, so a refund begins by scanning it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from protocol.errors import advice
from protocol.framing import escpos
from protocol.framing.escpos import Align, QrStyle
from protocol.money import Money
from terminal.limits import RECEIPT_ITEM_LINES_MAX

ReceiptState = Literal[
    "paid",
    "declined",
    "unknown",
    "closed",
    "expired",
    "reversed",
    "refund",
    "refund_failed",
    "accepted_offline",
]
COLUMNS = {58: 32, 80: 48}
FEED_LINES = 4
_TITLES: dict[ReceiptState, tuple[str, str]] = {
    "paid": ("支付成功", "PAID"),
    "declined": ("支付失败", "DECLINED"),
    "unknown": ("结果未知", "OUTCOME UNKNOWN"),
    "accepted_offline": ("离线支付", "PAID OFFLINE"),
    "closed": ("已关闭", "CLOSED"),
    "expired": ("已过期", "EXPIRED"),
    "reversed": ("已撤销", "REVERSED"),
    "refund": ("退款", "REFUND"),
    "refund_failed": ("退款失败", "REFUND FAILED"),
}
_UNKNOWN_WORDS = (
    "请勿重复付款，结果以商户查询为准。",
    "Do not pay again; the shop will look up the outcome.",
)


@dataclass(frozen=True, slots=True)
class ReceiptItem:
    """A line of the sale; ``amount`` is for all pieces together."""

    name: str
    quantity: int
    amount: Money


@dataclass(frozen=True, slots=True)
class ReceiptContent:
    """All that a receipt says. ``at`` is in the shop's own time zone."""

    merchant: str
    till: str
    state: ReceiptState
    amount: Money
    payment_id: str
    at: datetime
    items: tuple[ReceiptItem, ...] = ()
    place: str = "收银台 Till"
    """What stands there, in both languages, if it is no till."""
    method: str = ""
    payer_masked: str = ""
    coupon_minor: int = 0
    """The part of the amount that a coupon paid."""
    refund_id: str = ""
    error_code: str = ""
    guarantee: Money | None = None
    """Of an offline payment: what the house bears if its voucher is spent twice."""
    return_until: datetime | None = None
    is_copy: bool = False
    is_training: bool = False
    footers: tuple[str, ...] = ()
    """The shop's own last lines."""


def build_receipt(content: ReceiptContent, *, width_mm: Literal[58, 80] = 80) -> bytes:
    """The receipt's bytes, ending with the cut."""
    columns = COLUMNS[width_mm]
    parts = [
        escpos.INIT,
        escpos.CHINESE_ON,
        _heading(content, columns),
        _items(content.items, columns),
        _total(content, columns),
        _facts(content, columns),
        _outcome(content, columns),
        _code(content),
        _footers(content, columns),
        escpos.feed(FEED_LINES),
        escpos.CUT_PARTIAL,
    ]
    return b"".join(parts)


def _heading(content: ReceiptContent, columns: int) -> bytes:
    zh, en = _TITLES[content.state]
    marks = escpos.line("*** 补打 COPY ***") if content.is_copy else b""
    if content.is_training:
        marks += escpos.line("*** 培训 TRAINING ***")
        marks += escpos.line("不作收款凭证 No proof of payment")
    return b"".join(
        (
            escpos.align(Align.CENTRE),
            escpos.bold(on=True),
            wrapped(content.merchant, columns),
            escpos.size(width=2, height=2),
            wrapped(f"{zh} {en}", columns // 2),
            escpos.size(),
            marks,
            escpos.bold(on=False),
            escpos.align(Align.LEFT),
            rule(columns),
        )
    )


def _items(items: tuple[ReceiptItem, ...], columns: int) -> bytes:
    if not items:
        return b""
    rows = [
        pair(f"{item.name} x{item.quantity}", item.amount.decimal(), columns)
        for item in items[:RECEIPT_ITEM_LINES_MAX]
    ]
    return b"".join((*rows, rule(columns)))


def _total(content: ReceiptContent, columns: int) -> bytes:
    label = "退款 Refund" if content.state == "refund" else "合计 Total"
    return b"".join(
        (
            escpos.bold(on=True),
            escpos.size(height=2),
            pair(label, shown(content.amount), columns),
            escpos.size(),
            escpos.bold(on=False),
            _coupon(content, columns),
        )
    )


def _coupon(content: ReceiptContent, columns: int) -> bytes:
    """What the coupon paid of it and what is left for the payer, once it is paid."""
    if content.state != "paid" or not content.coupon_minor:
        return b""
    coupon = Money(content.coupon_minor, content.amount.currency)
    return b"".join(
        (
            pair("优惠 Coupon", f"-{coupon.decimal()}", columns),
            pair("实付 Paid", shown(content.amount - coupon), columns),
        )
    )


def _facts(content: ReceiptContent, columns: int) -> bytes:
    rows = [
        ("方式 Method", content.method),
        ("付款人 Payer", content.payer_masked),
        (content.place, content.till),
        ("时间 Time", content.at.strftime("%Y-%m-%d %H:%M:%S")),
        ("付款单号 Payment", content.payment_id),
        ("退款单号 Refund no.", content.refund_id),
    ]
    return b"".join(pair(label, value, columns) for label, value in rows if value)


def _outcome(content: ReceiptContent, columns: int) -> bytes:
    """Why, and what to do; nothing where all went well."""
    words: tuple[str, ...] = ()
    if content.state == "unknown":
        words = _UNKNOWN_WORDS
    if content.state == "accepted_offline":
        words = _bearers(content)
    if content.error_code:
        told = advice(content.error_code)
        words = (*words, f"[{told.code}]", told.zh, told.en)
    if not words:
        return b""
    return rule(columns) + b"".join(wrapped(sentence, columns) for sentence in words)


def _bearers(content: ReceiptContent) -> tuple[str, ...]:
    """Who bears what goes wrong, in the shop's and the payer's words."""
    assert content.guarantee is not None
    assert content.return_until is not None
    house, until = shown(content.guarantee), content.return_until.strftime("%Y-%m-%d %H:%M")
    return (
        "款项已由付款人签名，联网后入账。",
        "Signed by the payer; booked when the line is back.",
        f"凭证重复使用：平台担保至 {house}，超出由商户承担。",
        f"If the voucher is spent twice, the house bears up to {house}, the merchant the rest.",
        f"{until} 后上传不予入账，由商户承担。",
        f"Brought back after {until}: not paid, the merchant bears it.",
        "入账后方可退款。 Refunds only after it is booked.",
    )


def _code(content: ReceiptContent) -> bytes:
    code = escpos.qr_code(content.payment_id.encode(), QrStyle(module_dots=6, correction="M"))
    return escpos.align(Align.CENTRE) + code + escpos.align(Align.LEFT)


def _footers(content: ReceiptContent, columns: int) -> bytes:
    lines = b"".join(wrapped(words, columns) for words in content.footers)
    return escpos.align(Align.CENTRE) + lines + escpos.align(Align.LEFT) if lines else b""


def shown(amount: Money) -> str:
    """An amount as printed: the yuan by its sign, any other currency by its code."""
    return f"￥{amount.decimal()}" if amount.currency == "CNY" else f"{amount}"


def columns_of(words: str) -> int:
    """Columns on paper."""
    return sum(1 if ord(character) < 0x80 else 2 for character in words)


def pair(left: str, right: str, columns: int) -> bytes:
    """Left and right on one line, or on two where they do not fit."""
    left, right = _plain(left), _plain(right)
    free = columns - columns_of(left) - columns_of(right)
    if free >= 1:
        return escpos.line(left + " " * free + right)
    indent = max(0, columns - columns_of(right))
    return wrapped(left, columns) + wrapped(" " * indent + right, columns)


def wrapped(words: str, columns: int) -> bytes:
    """Lines of at most ``columns``, broken at a space where there is one."""
    lines, line = [], ""
    for character in _plain(words):
        if columns_of(line + character) > columns:
            head, space, tail = line.rpartition(" ")
            keep = space and head.strip() and character != " "
            lines.append(head if keep else line)
            line = tail if keep else ""
        if line or character != " " or not lines:
            line += character
    return b"".join(escpos.line(row) for row in (*lines, line))


def _plain(words: str) -> str:
    """No control character of a name reaches the printer as a command."""
    return "".join(character if character.isprintable() else " " for character in words)


def rule(columns: int) -> bytes:
    """A line across the paper."""
    return escpos.line("-" * columns)
