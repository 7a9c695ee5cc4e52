"""What stands on the slips of the drawer: cash, and the reports X and Z.

Facts are plain values, so that the journal can keep them and print them again exactly.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from protocol.framing import escpos
from protocol.framing.escpos import Align
from protocol.money import Money
from terminal.domain.card_sale import CardSale, card_number
from terminal.domain.shift import CashMovement, Report, cash_number
from terminal.receipt import COLUMNS, FEED_LINES, pair, rule, shown, wrapped
from terminal.zone import SHOP_ZONE

_TITLES = {
    "x": ("班次小结", "X REPORT"),
    "z": ("交班报告", "Z REPORT"),
    "cash_sale": ("现金收款", "CASH SALE"),
    "cash_refund": ("现金退款", "CASH REFUND"),
    "card_sale": ("银行卡收款", "CARD SALE"),
    "card_refund": ("银行卡退款", "CARD REFUND"),
    "card_unknown": ("银行卡结果未知", "CARD OUTCOME UNKNOWN"),
    "pay_in": ("存入备用金", "PAID IN"),
    "pay_out": ("取出现金", "PAID OUT"),
    "test": ("打印测试", "PRINTER TEST"),
}
SLIP_KINDS = frozenset(_TITLES)
_CARD_UNKNOWN = (
    "请勿重复刷卡，结果以收单行对账为准。",
    "Do not charge again; the acquirer's statement tells the outcome.",
)
_CARD_REFUND_UNKNOWN = (
    "请勿重复退款，结果以收单行对账为准。",
    "Do not refund again; the acquirer's statement tells the outcome.",
)
_METHODS = {
    "pay_code": "付款码 Pay code",
    "offline_token": "离线凭证 Offline token",
    "merchant_qr": "收款码 Our QR",
    "mandate": "代扣 Mandate",
}
_KINDS = {
    "cash_sale": "现金收款 Cash sales",
    "cash_refund": "现金退款 Cash refunds",
    "pay_in": "存入 Paid in",
    "pay_out": "取出 Paid out",
    "card_sale": "银行卡收款 Card sales",
    "card_refund": "银行卡退款 Card refunds",
}
_MARKS = {"paid": "按已付处理 Taken as paid", "not_paid": "按未付处理 Taken as not paid"}
_REFUND_MARKS = {
    "paid": "退款按已退 Taken as refunded",
    "not_paid": "退款按未退 Taken as not refunded",
}


def movement_facts(movement: CashMovement) -> dict[str, Any]:
    """Of cash that moved; it opens the drawer once, not when it is printed again."""
    facts = {
        "subject": f"cash-{movement.movement_id}",
        "number": movement.number,
        "shift": movement.shift_id,
        "amount_minor": movement.amount_minor,
        "tendered_minor": movement.tendered_minor,
        "currency": movement.currency,
        "reason": movement.reason or None,
        "by_name": movement.by_name,
        "approved_by": movement.approved_by,
        "refund_of": cash_number(movement.refund_of) if movement.refund_of else None,
        "opens_drawer": True,
    }
    return {name: value for name, value in facts.items() if value is not None}


def card_facts(sale: CardSale) -> dict[str, Any]:
    """Of a card sale or refund that has ended; the card's number is masked by the pad."""
    facts = {
        "subject": sale.subject,
        "number": sale.number,
        "shift": sale.shift_id,
        "amount_minor": sale.amount_minor,
        "currency": sale.currency,
        "card": sale.card,
        "reference": sale.reference,
        "error_code": sale.error_code,
        "reason": sale.note,
        "by_name": sale.by_name,
        "approved_by": sale.approved_by,
        "refund_of": card_number(sale.refund_of) if sale.refund_of else None,
    }
    return {name: value for name, value in facts.items() if value not in {None, ""}}


def report_facts(report: Report) -> dict[str, Any]:
    """Of X and Z."""
    shift = report.shift
    facts: dict[str, Any] = {
        "subject": f"shift-{shift.shift_id}",
        "shift": shift.shift_id,
        "currency": report.currency,
        "opened_at_ms": shift.opened_at_ms,
        "opened_by": shift.opened_by,
        "closed_by": shift.closed_by,
        "approved_by": shift.approved_by,
        "reason": shift.reason or None,
        "float_minor": shift.float_minor,
        "methods": {name: [each.count, each.minor] for name, each in report.by_method.items()},
        "cash": {kind.value: [each.count, each.minor] for kind, each in report.cash.items()},
        "cards": {kind.value: [each.count, each.minor] for kind, each in report.cards.items()},
        "marked": {name.value: [each.count, each.minor] for name, each in report.marked.items()},
        "marked_refunds": {
            name.value: [each.count, each.minor] for name, each in report.marked_refunds.items()
        },
        "contradicted": [report.contradicted.count, report.contradicted.minor],
        "sales": [report.sales.count, report.sales.minor],
        "wallet_refunds": [report.refunds.count, report.refunds.minor],
        "refunds": [report.refunded.count, report.refunded.minor],
        "net_minor": report.net_minor,
        "unknown": [report.unknown.count, report.unknown.minor],
        "offline": [report.offline.count, report.offline.minor],
    }
    if shift.counted_minor is not None:
        facts |= {
            "expected_minor": report.expected_minor,
            "counted_minor": shift.counted_minor,
            "difference_minor": report.difference_minor,
        }
    return {name: value for name, value in facts.items() if value is not None}


def slip_bytes(facts: Mapping[str, Any], *, width_mm: Literal[58, 80] = 80) -> bytes:
    """The slip that these facts describe, ending with the cut."""
    columns = COLUMNS[width_mm]
    body = _report(facts, columns) if facts["kind"] in {"x", "z"} else _movement(facts, columns)
    return b"".join(
        (
            escpos.INIT,
            escpos.CHINESE_ON,
            _heading(facts, columns),
            body,
            _foot(facts, columns),
            escpos.feed(FEED_LINES),
            escpos.CUT_PARTIAL,
        )
    )


def _heading(facts: Mapping[str, Any], columns: int) -> bytes:
    zh, en = _TITLES[facts["kind"]]
    marks = b""
    if facts.get("is_training"):
        marks += escpos.line("*** 培训 TRAINING ***")
    if facts.get("is_copy"):
        marks += escpos.line("*** 补打 COPY ***")
    return b"".join(
        (
            escpos.align(Align.CENTRE),
            escpos.bold(on=True),
            wrapped(f"{facts['merchant_zh']} {facts['merchant_en']}", columns),
            escpos.size(width=2, height=2),
            wrapped(f"{zh} {en}", columns // 2),
            escpos.size(),
            marks,
            escpos.bold(on=False),
            escpos.align(Align.LEFT),
            rule(columns),
        )
    )


def _movement(facts: Mapping[str, Any], columns: int) -> bytes:
    if "amount_minor" not in facts:
        return wrapped("一二三四五六七八九十 ABCDEFG 0123456789", columns)
    amount = Money(facts["amount_minor"], facts["currency"])
    rows = [
        pair(
            f"{line['zh']} x{line['quantity']}",
            Money(line["each_minor"] * line["quantity"], facts["currency"]).decimal(),
            columns,
        )
        for line in facts.get("items", ())
    ]
    rows += [
        escpos.bold(on=True),
        pair("金额 Amount", shown(amount), columns),
        escpos.bold(on=False),
    ]
    tendered = facts.get("tendered_minor")
    if tendered is not None:
        given = Money(tendered, facts["currency"])
        rows += [
            pair("实收 Given", shown(given), columns),
            pair("找零 Change", shown(given - amount), columns),
        ]
    rows += [
        pair(label, str(facts[name]), columns)
        for name, label in (
            ("number", "编号 No."),
            ("refund_of", "原编号 Sale no."),
            ("card", "卡号 Card"),
            ("reference", "参考号 Reference"),
            ("error_code", "原因 Cause"),
            ("reason", "备注 Note"),
        )
        if name in facts
    ]
    if facts["kind"] == "card_unknown":
        sentences = _CARD_REFUND_UNKNOWN if "refund_of" in facts else _CARD_UNKNOWN
        rows += [wrapped(sentence, columns) for sentence in sentences]
    return b"".join(rows)


def _report(facts: Mapping[str, Any], columns: int) -> bytes:
    currency = facts["currency"]

    def tally(label: str, counted: list[int]) -> bytes:
        return pair(f"{label} x{counted[0]}", Money(counted[1], currency).decimal(), columns)

    def sum_of(label: str, name: str) -> bytes:
        return pair(label, Money(facts[name], currency).decimal(), columns)

    rows = [pair("班次 Shift", str(facts["shift"]), columns)]
    rows += [pair("开班 Opened", f"{_time(facts['opened_at_ms'])} {facts['opened_by']}", columns)]
    rows += [tally(_METHODS.get(name, name), facts["methods"][name]) for name in facts["methods"]]
    rows += [tally(_KINDS[name], facts["cash"][name]) for name in facts["cash"]]
    rows += [tally(_KINDS[name], facts["cards"][name]) for name in facts.get("cards", ())]
    if facts.get("wallet_refunds", [0])[0]:
        rows.append(tally("扫码退款 Wallet refunds", facts["wallet_refunds"]))
    rows += [rule(columns), tally("销售 Sales", facts["sales"])]
    rows += [tally("退款 Refunds", facts["refunds"]), sum_of("净额 Net", "net_minor")]
    if facts["unknown"][0]:
        rows.append(tally("结果未知 Unknown", facts["unknown"]))
    if facts.get("offline", [0])[0]:
        rows.append(tally("离线待入账 Taken offline", facts["offline"]))
    rows += [tally(_MARKS[name], facts["marked"][name]) for name in facts.get("marked", ())]
    refunds = facts.get("marked_refunds", {})
    rows += [tally(_REFUND_MARKS[name], refunds[name]) for name in refunds]
    if facts.get("contradicted", [0])[0]:
        rows.append(tally("结果与处理相反 Outcome differs", facts["contradicted"]))
    rows += [rule(columns), sum_of("备用金 Float", "float_minor")]
    if "counted_minor" in facts:
        rows += [
            sum_of("应有现金 Expected", "expected_minor"),
            sum_of("盘点 Counted", "counted_minor"),
            escpos.bold(on=True),
            sum_of("差异 Difference", "difference_minor"),
            escpos.bold(on=False),
        ]
    if "reason" in facts:
        rows.append(pair("原因 Reason", facts["reason"], columns))
    return b"".join(rows)


def _foot(facts: Mapping[str, Any], columns: int) -> bytes:
    rows = [("收银台 Till", str(facts["till"])), ("时间 Time", _time(facts["at_ms"]))]
    rows += [
        (label, str(facts[name]))
        for name, label in (
            ("by_name", "经办 By"),
            ("closed_by", "交班 Closed by"),
            ("approved_by", "授权 Approved by"),
        )
        if name in facts
    ]
    return rule(columns) + b"".join(pair(label, value, columns) for label, value in rows)


def _time(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(SHOP_ZONE)
    return at.strftime("%Y-%m-%d %H:%M:%S")
