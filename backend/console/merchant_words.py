"""The words of the merchants' pages about money, keys and callbacks, in both languages."""

from backend.console.words import Shown
from faces.words import Words

MERCHANT_STATES: dict[str, Shown] = {
    "instructed": Shown(Words("已发起", "Instructed"), "", "hourglass"),
    "confirmed": Shown(Words("已到账", "Paid out"), "paid", "tick"),
    "rejected": Shown(Words("银行拒绝", "Rejected by the bank"), "error", "cross"),
    "returned": Shown(Words("银行退回", "Sent back by the bank"), "warn", "undo"),
    "released": Shown(Words("已释放", "Released"), "", "undo"),
    "replayed": Shown(Words("重新发送", "Sent again"), "", "undo"),
    "enrolled": Shown(Words("待启用", "Enrolled"), "", "clock"),
    "active": Shown(Words("使用中", "Active"), "paid", "tick"),
    "suspended": Shown(Words("已暂停", "Suspended"), "warn", "lock"),
    "revoked": Shown(Words("已吊销", "Revoked"), "error", "cross"),
    "running": Shown(Words("进行中", "In progress"), "", "clock"),
    "waiting": Shown(Words("待结算", "Waits"), "", "hourglass"),
    "settled": Shown(Words("已结算", "Settled"), "paid", "tick"),
}

MERCHANT_NAMES: dict[str, Words] = {
    "ALL": Words("全部", "All"),
    "SUCCESS": Words("收款", "Payments"),
    "REFUND": Words("退款", "Refunds"),
    "payment.captured": Words("收款成功", "Payment captured"),
    "payment.declined": Words("付款被拒", "Payment declined"),
    "payment.reversed": Words("付款已冲正", "Payment reversed"),
    "refund.succeeded": Words("退款成功", "Refund succeeded"),
    "refund.failed": Words("退款失败", "Refund failed"),
    "dispute.opened": Words("收到争议", "Dispute opened"),
    "coupon.used": Words("优惠券已使用", "Coupon used"),
    "share.received": Words("收到分账", "Share received"),
    "merchant_transfer.finished": Words("商家转账完成", "Transfer finished"),
    "security.echo": Words("通知测试", "Echo"),
}
"""Names of the engine that people read on these pages."""

MERCHANT_WORDS: dict[str, Words] = {
    "by_day": Words("近 31 天每日收款", "Sales by day, 31 days"),
    "day_hint": Words("格式 2026-11-28", "as 2026-11-28"),
    "business_date": Words("结算日", "Settlement day"),
    "earlier": Words("更早", "Earlier"),
    "later": Words("更晚", "Later"),
    # Settlements
    "settlements": Words("结算", "Settlements"),
    "available": Words("可提现", "Available"),
    "available_hint": Words("已结算，未出款", "settled and not paid out"),
    "pending_money": Words("待结算", "Pending"),
    "pending_hint": Words("按结算周期到账", "becomes available by your cycle"),
    "on_its_way": Words("出款中", "On its way"),
    "on_its_way_hint": Words("已通知银行", "your bank has been told"),
    "cycle": Words("结算周期", "Cycle"),
    "unpaid_hint": Words("其中渠道尚未拨付", "of it not yet paid by channels"),
    "due_hint": Words("下一次清分结算", "settled with the next run"),
    "waits": Words("何时到账", "What waits, and until when"),
    "earned": Words("当日净额", "Earned"),
    "settles_on": Words("结算于", "Settles on"),
    "calendar_unknown": Words("节假日表尚未公布", "the calendar is not known yet"),
    "nothing_waits": Words("没有等待结算的款项", "Nothing waits"),
    "days": Words("每日结算", "Day by day"),
    "gross": Words("收款", "Gross"),
    "settled_minor": Words("当日转为可用", "Became available"),
    "settled_minor_hint": Words("含此前到期的款项", "with what was due from days before"),
    "payout": Words("出款", "Payout"),
    "payouts": Words("出款与提现", "Payouts and withdrawals"),
    "all_payouts": Words("全部出款", "All payouts"),
    "no_payouts": Words("还没有出款", "Nothing was paid out yet"),
    "no_days": Words("这段时间没有交易", "Nothing happened in this time"),
    "account_no": Words("收款账户", "Account"),
    "execution_date": Words("执行日", "Executed on"),
    "bank_says": Words("银行说明", "The bank says"),
    "came_back": Words("退回的款项", "Came back"),
    "its_payments": Words("当日付款", "Its payments"),
    "fee_returned": Words("退还手续费", "Fees given back"),
    "coupons": Words("其中平台优惠", "of it paid by our coupons"),
    "day_running": Words(
        "当日尚未日终，金额还会变动。", "This day is not closed: its figures still move."
    ),
    # Taking money out
    "withdraw": Words("提现", "Withdraw"),
    "withdraw_check": Words("核对提现", "Check the withdrawal"),
    "withdraw_sure": Words("确认提现", "Withdraw now"),
    "withdraw_hint": Words(
        "款项转入已备案的结算账户，下一次清分时通知银行。",
        "It goes to your filed account; the bank is told with the next run.",
    ),
    "withdraw_left": Words("最多可提", "At most"),
    # Bills
    "bills": Words("账单", "Bills"),
    "bills_hint": Words(
        "日终关闭后生成，与接口下载的字节完全相同。",
        "Made when the day is closed, byte by byte what your program downloads.",
    ),
    "trade_bill": Words("交易账单", "Trade bill"),
    "fund_flow_bill": Words("资金账单", "Fund flow"),
    "settlement_paper": Words("结算单", "Settlement"),
    "merchant_number": Words("商户号", "Merchant number"),
    "show": Words("显示", "Show"),
    "not_ready": Words("尚未生成", "Not ready yet"),
    "not_ready_today": Words(
        "当日结束并日终后生成，不早于", "It is made when the day is closed, not before"
    ),
    "not_ready_past": Words(
        "正在日终，完成后即可下载", "The day is being closed; it is here as soon as that is done"
    ),
    # Callbacks
    "callback": Words("通知", "Callback"),
    "no_callbacks_match": Words("没有符合条件的通知", "No callback matches"),
    "any": Words("全部", "All"),
    "host": Words("发往", "Sent to"),
    "answered": Words("应答", "Answer"),
    "duration": Words("耗时", "Took"),
    "next_try": Words("下次发送", "Next try"),
    "in_queue": Words("随时发送", "any moment"),
    "attempts_title": Words("每次发送", "Every try"),
    "no_attempts": Words("还没有发送过", "It was not tried yet"),
    "payload": Words("内容（敏感字段已隐藏）", "What it says (secrets are hidden)"),
    "callback_dead": Words(
        "多次未送达，已停止发送。修复接收服务后，可重新发送。",
        "It was given up. Mend the server that takes it, then send it again.",
    ),
    "written": Words("产生于", "Written"),
    "its_payment": Words("相关付款", "Its payment"),
    # Refunds, stores and devices
    "refunds_list": Words("退款", "Refunds"),
    "refund_number": Words("退款单号", "Refund number"),
    "no_refunds_match": Words("没有符合条件的退款", "No refund matches"),
    "stores": Words("门店与设备", "Stores"),
    "store_name": Words("名称", "Name"),
    "device_count": Words("设备数", "Devices"),
    "first_page": Words("第一页", "First page"),
    "no_stores": Words("还没有门店", "There is no store yet"),
    "no_devices_here": Words("还没有设备", "No device is enrolled yet"),
    "spool_hint": Words("离线期间待发的请求", "requests that wait for the line"),
}
