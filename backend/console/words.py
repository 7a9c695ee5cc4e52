"""The words of the console in both languages."""

from dataclasses import dataclass

from faces.words import Words


@dataclass(frozen=True, slots=True)
class Shown:
    """How a state looks: its words, the badge's tone, and a shape, for colour is never alone."""

    words: Words
    tone: str
    icon: str


STATES: dict[str, Shown] = {
    "created": Shown(Words("已创建", "Created"), "", "clock"),
    "awaiting_payer": Shown(Words("等待顾客", "Awaiting payer"), "", "hourglass"),
    "processing": Shown(Words("处理中", "Processing"), "", "hourglass"),
    "unknown": Shown(Words("结果未知", "Unknown"), "warn", "question"),
    "captured": Shown(Words("已收款", "Captured"), "paid", "tick"),
    "partially_refunded": Shown(Words("部分退款", "Partly refunded"), "paid", "undo"),
    "refunded": Shown(Words("已退款", "Refunded"), "", "undo"),
    "declined": Shown(Words("已拒绝", "Declined"), "error", "cross"),
    "closed": Shown(Words("已关闭", "Closed"), "", "cross"),
    "expired": Shown(Words("已过期", "Expired"), "", "clock"),
    "reversed": Shown(Words("已冲正", "Reversed"), "", "undo"),
    "succeeded": Shown(Words("成功", "Succeeded"), "paid", "tick"),
    "failed": Shown(Words("失败", "Failed"), "error", "cross"),
}

STEPS: dict[str, Words] = {
    "PaymentCodeShown": Words("已显示收款码", "Code shown"),
    "PaymentPayerAsked": Words("已请顾客确认", "Payer asked"),
    "PaymentSubmitted": Words("已提交渠道", "Sent to the channel"),
    "PaymentCaptured": Words("已收款", "Captured"),
    "PaymentDeclined": Words("已拒绝", "Declined"),
    "PaymentContactLost": Words("渠道无应答", "No answer from the channel"),
    "PaymentClosed": Words("已关闭", "Closed"),
    "PaymentExpired": Words("已过期", "Expired"),
    "PaymentReversed": Words("已冲正", "Reversed"),
    "PaymentPartiallyRefunded": Words("部分退款", "Partly refunded"),
    "PaymentRefunded": Words("全额退款", "Refunded in full"),
}

WORDS: dict[str, Words] = {
    "console": Words("Tillway 控制台", "Tillway console"),
    "language": Words("English", "中文"),
    "menu": Words("菜单", "Menu"),
    "skip": Words("跳到正文", "Skip to content"),
    # Signing in
    "sign_in": Words("登录", "Sign in"),
    "sign_out": Words("退出登录", "Sign out"),
    "name": Words("用户名", "Name"),
    "password": Words("密码", "Password"),
    "code": Words("动态码（六位）", "Code from your phone (six digits)"),
    "sign_in_hint": Words(
        "输入用户名、密码和手机验证器上的动态码。",
        "Your name, your password, and the code that your phone's authenticator shows.",
    ),
    "no_user": Words("还没有用户？请在服务器上运行", "Nobody can sign in yet? Run on the server"),
    "operator": Words("运营", "operator"),
    "merchant": Words("商户", "merchant"),
    # Today
    "today": Words("今天", "Today"),
    "date": Words("日期", "Date"),
    "sales": Words("收款", "Sales"),
    "refunds": Words("退款", "Refunds"),
    "fees": Words("手续费", "Fees"),
    "net": Words("净额", "Net"),
    "net_hint": Words("收款 − 退款 − 手续费", "sales − refunds − fees"),
    "count": Words("笔", "payments"),
    "unknown_title": Words("结果未知的付款——请勿重复收款", "Outcome unknown: do not charge again"),
    "none_unknown": Words("没有结果未知的付款", "No payment has an unknown outcome"),
    "by_hour": Words("每小时收款", "Sales by hour"),
    "hour": Words("时", "Hour"),
    "nothing": Words("还没有付款", "No payments yet"),
    "in_figures": Words("图中数字", "The chart in figures"),
    # Payments
    "payments": Words("付款", "Payments"),
    "payment": Words("付款单", "Payment"),
    "all": Words("全部", "All"),
    "state": Words("状态", "State"),
    "store": Words("门店", "Store"),
    "amount": Words("金额", "Amount"),
    "from": Words("从", "From"),
    "until": Words("到", "Until"),
    "number": Words("付款单号", "Payment number"),
    "filter": Words("筛选", "Filter"),
    "export": Words("导出 CSV", "Export CSV"),
    "newest": Words("最新", "Newest"),
    "next_page": Words("下一页", "Next page"),
    "nothing_found": Words("没有符合条件的付款", "No payment matches"),
    "time": Words("时间", "Time"),
    "device": Words("设备", "Device"),
    "merchant_title": Words("商户", "Merchant"),
    "method": Words("方式", "Method"),
    "payer": Words("付款人", "Payer"),
    "funding": Words("资金来源", "Paid from"),
    "channel": Words("渠道", "Channel"),
    "note": Words("备注", "Note"),
    "refunded": Words("已退款", "Refunded"),
    "fee": Words("手续费", "Fee"),
    "paid_at": Words("收款时间", "Paid at"),
    "reason_code": Words("原因", "Reason"),
    "coupon": Words("优惠", "Coupon"),
    # A payment's page
    "timeline": Words("经过", "What happened"),
    "who": Words("由谁", "By"),
    "postings": Words("记账", "Postings"),
    "debit": Words("借", "Debit"),
    "credit": Words("贷", "Credit"),
    "rule": Words("规则", "Rule"),
    "no_postings": Words("没有资金变动", "No money has moved"),
    "risk": Words("风控结论", "Risk verdict"),
    "no_verdict": Words("未经风控判断", "It was not judged"),
    "routing": Words("渠道选择", "Routing"),
    "attempts": Words("支付尝试", "Attempts"),
    "outcome": Words("结果", "Outcome"),
    "callbacks": Words("通知", "Callbacks"),
    "event": Words("事件", "Event"),
    "tries": Words("失败次数", "Failed tries"),
    "no_callbacks": Words("没有通知", "No callbacks"),
    "details": Words("明细", "Details"),
    # Refunding
    "refund": Words("退款", "Refund"),
    "refund_left": Words("最多可退", "Left to give back"),
    "reason": Words("退款原因", "Reason"),
    "refund_check": Words("核对退款", "Check the refund"),
    "refund_sure": Words("确认退款", "Refund now"),
    "refund_hint": Words(
        "退款原路退回付款人，不可撤回。", "It goes back to the payer and cannot be taken back."
    ),
    "back": Words("返回", "Back"),
    "refused": Words("未能完成", "That did not work"),
    # Operators
    "overview": Words("运行状况", "Operations"),
    "imbalance": Words("借贷差额", "Ledger imbalance"),
    "balanced": Words("借贷平衡", "Debits equal credits"),
    "unbalanced": Words("借贷不平，请立即检查", "Debits and credits differ: look at once"),
    "unknown_count": Words("结果未知", "Outcome unknown"),
    "oldest": Words("最早", "oldest"),
    "minutes": Words("分钟", "min"),
    "by_state": Words("今日各状态", "Today by state"),
    "devices": Words("设备", "Devices"),
    "online": Words("在线", "online"),
    "offline": Words("离线", "offline"),
    "not_heard": Words("未报告", "not heard of"),
    "kind": Words("类型", "Kind"),
    "seen": Words("最后上线", "Last heard of"),
    "no_devices": Words("还没有注册设备", "No devices are enrolled yet"),
    "letters": Words("未送达通知", "Dead letters"),
    "no_letters": Words("所有通知都已送达或仍在重试", "No callback was given up"),
    "error": Words("错误", "Error"),
    "given_up": Words("放弃时间", "Given up"),
    "replay": Words("重新发送", "Send again"),
    "replayed": Words("已重新排队", "Queued again"),
    "breaks": Words("对账差异", "Breaks"),
    "no_breaks": Words("没有未处理的对账差异", "No break is open"),
    "ours": Words("我方", "Ours"),
    "theirs": Words("对方", "Theirs"),
    "source": Words("来源", "Source"),
    "words": Words("处理说明（至少两个词）", "Why (two words at least)"),
    "resolve": Words("结案", "Close it"),
    "resolved": Words("已结案", "Closed"),
}
