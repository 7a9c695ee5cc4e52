"""How payments, agreements and what comes and goes stand, as the payer is told."""

from faces.words import Words

STATES: dict[str, Words] = {
    "captured": Words("已付款", "Paid"),
    "partially_refunded": Words("部分退款", "Partly refunded"),
    "refunded": Words("已退款", "Refunded"),
    "reversed": Words("已撤销", "Reversed"),
    "processing": Words("处理中", "On its way"),
    "unknown": Words("结果待确认", "Not known yet"),
    "awaiting_payer": Words("等待确认", "Waiting for you"),
    "declined": Words("未成功", "Declined"),
    "closed": Words("已关闭", "Closed"),
    "expired": Words("已过期", "Expired"),
}
"""How a payment stands, as its payer is told."""

SERVICE_STATES: dict[str, Words] = {
    "CREATED": Words("待您确认", "Waits for you"),
    "USER_CONFIRM": Words("服务中", "Going on"),
    "MCH_COMPLETE": Words("待扣款", "To be paid"),
    "DONE": Words("已完成", "Done"),
    "REVOKED": Words("已取消", "Given up"),
    "EXPIRED": Words("已过期", "Expired"),
}

REFUND_STATES: dict[str, Words] = {
    "processing": Words("退款中", "On its way"),
    "succeeded": Words("已退款", "Refunded"),
    "failed": Words("退款未成功", "Not refunded"),
}

WITHDRAWAL_STATES: dict[str, Words] = {
    "processing": Words("处理中", "On its way"),
    "unknown": Words("结果待确认", "Not known yet"),
    "succeeded": Words("已到账", "Arrived"),
    "rejected": Words("已退回余额", "Back on the balance"),
}

MANDATE_STATES: dict[str, Words] = {
    "active": Words("生效中", "Active"),
    "suspended_by_payer": Words("您已暂停", "Paused by you"),
    "suspended_by_merchant": Words("商家已暂停", "Paused by the merchant"),
    "suspended_by_both": Words("双方已暂停", "Paused by both"),
    "terminated": Words("已停止", "Stopped"),
}
NOTICE_STATES: dict[str, Words] = {
    "announced": Words("待扣款", "To come"),
    "used": Words("已扣款", "Taken"),
    "refused": Words("您已拒绝", "Refused by you"),
    "withdrawn": Words("商家已撤回", "Withdrawn"),
}

AGREEMENT_STATES: dict[str, Words] = {
    "proposed": Words("待签名", "To be signed"),
    "expired": Words("已过期", "Expired"),
    **MANDATE_STATES,
}
