"""From the facts that the journal keeps to a receipt's bytes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from protocol.errors import is_known
from protocol.money import Money
from terminal.counter.shift_slips import SLIP_KINDS, slip_bytes
from terminal.domain.words import Words
from terminal.receipt import ReceiptContent, ReceiptItem, ReceiptState, build_receipt
from terminal.zone import SHOP_ZONE

_STATES: dict[str, ReceiptState] = {
    "paid": "paid",
    "declined": "declined",
    "unknown": "unknown",
    "accepted_offline": "accepted_offline",
    "refund": "refund",
    "refund_failed": "refund_failed",
    "closed": "closed",
    "expired": "expired",
    "reversed": "reversed",
}
_PLACES = {
    "till": "收银台 Till",
    "vending": "售货机 Machine",
    "parking": "停车出口 Exit",
    "meter": "电表 Meter",
}
_METHODS = {
    "pay_code": Words("付款码", "pay code"),
    "merchant_qr": Words("收款码", "merchant QR"),
    "mandate": Words("代扣", "mandate"),
    "offline_token": Words("离线凭证", "offline token"),
}


def receipt_bytes(facts: Mapping[str, Any], *, width_mm: Literal[58, 80] = 80) -> bytes:
    """The receipt that these facts describe."""
    if facts["kind"] in SLIP_KINDS:
        return slip_bytes(facts, width_mm=width_mm)
    method = _METHODS.get(str(facts.get("method", "")))
    code = str(facts.get("error_code", ""))
    marks = " 恢复 RECOVERED" if facts.get("is_recovered") else ""
    content = ReceiptContent(
        merchant=f"{facts['merchant_zh']} {facts['merchant_en']}",
        place=_PLACES[facts.get("place", "till")],
        till=f"{facts['till']}{marks}",
        state=_STATES[facts["kind"]],
        amount=Money(facts["amount_minor"], facts["currency"]),
        payment_id=facts["payment_id"],
        at=_time(facts["at_ms"]),
        method=f"{method.zh} {method.en}" if method else "",
        payer_masked=str(facts.get("payer", "")),
        coupon_minor=int(facts.get("coupon_minor", 0)),
        refund_id=str(facts.get("refund_id", "")),
        error_code=code if is_known(code) else "",
        items=tuple(_item(line, facts["currency"]) for line in facts.get("items", ())),
        guarantee=_guarantee(facts),
        return_until=_time(facts["return_until_ms"]) if "return_until_ms" in facts else None,
        is_copy=bool(facts.get("is_copy", False)),
        is_training=bool(facts.get("is_training", False)),
        footers=tuple(str(facts[name]) for name in ("footer_zh", "footer_en") if facts.get(name)),
    )
    return build_receipt(content, width_mm=width_mm)


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(SHOP_ZONE)


def _guarantee(facts: Mapping[str, Any]) -> Money | None:
    minor = facts.get("guarantee_minor")
    return None if minor is None else Money(int(minor), facts["currency"])


def _item(line: Mapping[str, Any], currency: str) -> ReceiptItem:
    quantity = int(line["quantity"])
    return ReceiptItem(line["zh"], quantity, Money(line["each_minor"] * quantity, currency))
