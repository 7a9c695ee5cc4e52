"""The words of the screens, in both languages. Errors bring their own from the catalogue."""

from dataclasses import dataclass

from protocol.errors import advice, is_known


@dataclass(frozen=True, slots=True)
class Words:
    """One sentence in Chinese and in English."""

    zh: str
    en: str


TITLES: dict[str, Words] = {
    "keypad": Words("请输入金额", "Key in the amount"),
    "choosing": Words("请选择收款方式", "Choose how to pay"),
    "scanning": Words("请扫描顾客付款码", "Scan the payer's code"),
    "offline_scan": Words(
        "顾客扫码签名，再扫顾客手机", "The payer scans and signs; then scan the phone"
    ),
    "accepted_offline": Words(
        "已离线受理，款项待上传", "Accepted offline: the money is still to come"
    ),
    "verifying": Words("请顾客按指纹", "Ask the payer for a fingerprint"),
    "sending": Words("正在提交", "Sending"),
    "offline": Words("网络未连接，尚未提交", "No line: nothing has been sent yet"),
    "qr": Words("请扫码支付", "Scan to pay"),
    "waiting": Words("等待用户确认支付", "Waiting for the payer to confirm"),
    "unknown": Words("结果未知，请勿重复收款", "Outcome unknown: do not charge again"),
    "closing": Words("正在关闭订单", "Closing the payment"),
    "reversing": Words("正在撤销，请稍候", "Reversing, please wait"),
    "paid": Words("收款成功", "Paid"),
    "declined": Words("付款未成功", "Declined"),
    "closed": Words("订单已关闭，未收款", "Closed, not charged"),
    "expired": Words("二维码已过期，未收款", "The code has expired, not charged"),
    "reversed": Words("已撤销，款项将退回", "Reversed, the money goes back"),
    "refund_sending": Words("正在退款", "Refunding"),
    "refund_unknown": Words(
        "退款结果未知，请勿重复退款", "Refund outcome unknown: do not refund again"
    ),
    "refund_done": Words("退款成功", "Refunded"),
    "refund_failed": Words("退款未成功", "Refund declined"),
}

BUTTONS: dict[str, Words] = {
    "charge": Words("收款", "Charge"),
    "pay_code": Words("扫顾客码", "Scan the payer's code"),
    "merchant_qr": Words("出示收款码", "Show our QR code"),
    "offline_token": Words("离线付款", "Pay offline"),
    "cancel": Words("取消", "Cancel"),
    "query": Words("立即查询", "Query now"),
    "reverse": Words("撤销", "Reverse"),
    "dismiss": Words("完成", "Done"),
    "park": Words("稍后处理", "Leave for later"),
    "reprint": Words("补打小票", "Reprint"),
}

DELIVERIES: dict[str, Words] = {
    "owed": Words("待出货", "to be given out"),
    "dispensing": Words("正在出货", "being given out"),
    "given": Words("已出货", "given out"),
    "not_given": Words("未出货", "not given out"),
    "uncertain": Words("出货不明，请店主核实", "perhaps given out: the owner must look"),
}

STEPS: dict[str, Words] = {
    "collect": Words("读取付款码", "Read code"),
    "verify": Words("核验指纹", "Check the finger"),
    "send": Words("提交到门店网关", "Send to the hub"),
    "payer": Words("顾客确认", "Payer confirms"),
    "result": Words("取得结果", "Result"),
}


PUT_OFF: dict[str, Words] = {
    "busy": Words(
        "此刻付款太多，这一笔还没有受理。系统会自动重试同一笔，不会重复收款，请稍等；不想等请按“取消”。",
        "Too many payments at the moment: this one is not taken yet. The same payment is tried"
        " again by itself and charged once at most. Please wait, or press Cancel.",
    ),
    "spool_unwritable": Words(
        "门店网关的磁盘已满，这一笔还没有受理。请管理员清理网关的磁盘；系统会自动重试同一笔，不会重复收款。"
        "不想等请按“取消”。",
        "The store hub's disk is full: this payment is not taken yet. Have somebody make room on"
        " it. The same payment is tried again by itself and charged once at most. Wait, or press"
        " Cancel.",
    ),
}
"""Why a sale waits in *sending*, and what the cashier may do, by the hub's code."""

REFUND_PUT_OFF: dict[str, Words] = {
    "busy": Words(
        "此刻业务太多，这笔退款还没有受理。系统会自动重试同一笔，不会重复退款，请稍等。",
        "Too much is going on at the moment: this refund is not taken yet. The same refund is tried"
        " again by itself and given once at most. Please wait.",
    ),
    "spool_unwritable": Words(
        "门店网关的磁盘已满，这笔退款还没有受理。请管理员清理网关的磁盘；系统会自动重试同一笔，不会重复退款。",
        "The store hub's disk is full: this refund is not taken yet. Have somebody make room on it."
        " The same refund is tried again by itself and given once at most.",
    ),
}
"""The same of a refund."""

REFUND_DOUBTS: dict[str, Words] = {
    "backend_unreachable": Words(
        "网络中断，退款结果未知，请勿重复退款，稍后自动查询。",
        "The line is down and the refund's outcome is unknown; do not refund again, it will be"
        " queried.",
    ),
    "timeout": Words(
        "等待超时，退款结果未知，请勿重复退款。",
        "No answer in time; the refund's outcome is unknown, do not refund again.",
    ),
}
"""Why a refund's outcome is unknown, where the catalogue speaks of a charge."""

_UNDO_WAITS: dict[str, Words] = {
    "hub_silent": Words("门店网关没有应答", "The store's hub does not answer"),
    "busy": Words("门店网关此刻太忙", "The store's hub is too busy at the moment"),
    "spool_unwritable": Words(
        "门店网关的磁盘已满（请管理员清理）",
        "The store hub's disk is full (have somebody make room on it)",
    ),
    "backend_unreachable": Words("门店网关与后台断开", "The store's hub has lost the backend"),
    "timeout": Words("后台没有及时应答", "The backend has not answered in time"),
}
_UNDONE_LATER: dict[str, Words] = {
    "closing": Words(
        "，还不能确定订单已关闭。系统会一直自动重试，以网关的答复为准；请勿让顾客再付这一笔。"
        "要接待下一位顾客，请按“稍后处理”。",
        ", so it is not certain yet that this payment is closed. It is asked again by itself until"
        " it answers; the payer must not pay this one any more. To serve the next customer, press"
        " Leave for later.",
    ),
    "reversing": Words(
        "，撤销还没有确认。系统会一直自动重试，以网关的答复为准。"
        "要接待下一位顾客，请按“稍后处理”。",
        ", so the reversal is not confirmed yet. It is asked again by itself until it answers. To"
        " serve the next customer, press Leave for later.",
    ),
}


def undo_waits(state: str, code: str) -> Words:
    """Why a sale's close or reversal is not carried out yet, and what the cashier may do."""
    why, then = _UNDO_WAITS[code], _UNDONE_LATER[state]
    return Words(why.zh + then.zh, why.en + then.en)


def of_error(code: str) -> Words:
    """The sentence of a code; one for codes that this version does not know."""
    if is_known(code):
        found = advice(code)
        return Words(found.zh, found.en)
    return Words(f"未知错误（{code}），请联系技术支持。", f"Unknown error ({code}); call support.")
