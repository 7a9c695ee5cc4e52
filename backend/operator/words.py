"""The words of the status page in both languages, and how amounts and times are shown."""

from datetime import UTC, datetime

from protocol.money import MINOR_DIGITS

_ROWS = (
    ("title", "Tillway 运行状态", "Tillway status"),
    ("unknown", "结果未知的付款", "Payments with an unknown outcome"),
    ("none_unknown", "没有结果未知的付款", "No payment has an unknown outcome"),
    ("today", "今日付款", "Today's payments"),
    ("nothing", "今天还没有付款", "No payments yet today"),
    ("state", "状态", "State"),
    ("count", "笔数", "Count"),
    ("payments", "笔", "payments"),
    ("payments_one", "笔", "payment"),
    ("amount", "金额", "Amount"),
    ("refunded", "已退款", "Refunded"),
    ("devices", "设备", "Devices"),
    ("no_devices", "还没有注册设备", "No devices are enrolled yet"),
    ("device", "设备名", "Device"),
    ("kind", "类型", "Kind"),
    ("store", "门店", "Store"),
    ("online", "联网", "Online"),
    ("yes", "是", "yes"),
    ("no", "否", "no"),
    ("not_heard", "未报告", "not heard of"),
    ("books", "账本", "Ledger"),
    ("balanced", "✓ 借贷平衡", "✓ Debits and credits are equal"),
    ("unbalanced", "✗ 借贷不平，请立即检查", "✗ Debits and credits differ: look at once"),
    ("payment", "付款单号", "Payment"),
    ("since", "时间（UTC）", "Since (UTC)"),
    ("as_of", "数据时间（UTC）", "As of (UTC)"),
    ("created", "已创建", "created"),
    ("awaiting_payer", "等待顾客", "awaiting payer"),
    ("processing", "处理中", "processing"),
    ("unknown_state", "未知", "unknown"),
    ("captured", "已收款", "captured"),
    ("partially_refunded", "部分退款", "partially refunded"),
    ("declined", "已拒绝", "declined"),
    ("closed", "已关闭", "closed"),
    ("expired", "已过期", "expired"),
    ("reversed", "已冲正", "reversed"),
    ("refunded_state", "已退款", "refunded"),
    ("enrolled", "待启用", "enrolled"),
    ("active", "使用中", "active"),
    ("suspended", "已暂停", "suspended"),
    ("revoked", "已吊销", "revoked"),
    ("terminal", "收银终端", "terminal"),
    ("thing", "自助设备", "thing"),
    ("hub", "门店网关", "hub"),
)

WORDS: dict[str, dict[str, str]] = {
    "zh": {name: zh for name, zh, _ in _ROWS},
    "en": {name: en for name, _, en in _ROWS},
}


def shown_amount(amount_minor: int, currency: str) -> str:
    """``12.80 CNY``, by integer arithmetic only."""
    digits = MINOR_DIGITS[currency]
    if not digits:
        return f"{amount_minor} {currency}"
    sign = "-" if amount_minor < 0 else ""
    whole, rest = divmod(abs(amount_minor), 10**digits)
    return f"{sign}{whole}.{rest:0{digits}d} {currency}"


def shown_time(at_ms: int) -> str:
    """A moment, in UTC, to the second."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
