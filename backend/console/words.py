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
    "pending": Shown(Words("待送达", "Pending"), "", "hourglass"),
    "queued": Shown(Words("已排队", "Queued"), "", "hourglass"),
    "delivered": Shown(Words("已送达", "Delivered"), "paid", "tick"),
    "dead": Shown(Words("未送达", "Given up"), "error", "cross"),
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

NAMES: dict[str, Words] = {
    "wrong.amount.amount_invalid": Words(
        "金额请写成 12.80 的样子，须大于零。", "Write an amount as 12.80, above zero."
    ),
    "wrong.amount.merchant_balance_short": Words(
        "超过可提现的金额。", "That is more than is available."
    ),
    "wrong.number.payment_not_found": Words("没有这个单号的付款。", "No payment has this number."),
    "wrong.evidence.field_invalid": Words(
        "请写下说明，最多 2000 个字。", "Write your answer, in 2,000 characters at most."
    ),
    "wrong.sign_in.name.field_invalid": Words("请输入用户名。", "Enter your name."),
    "wrong.password.field_invalid": Words("请输入密码。", "Enter your password."),
    "wrong.code.field_invalid": Words(
        "请输入手机验证器上的六位数字。", "Enter the six digits that your phone shows."
    ),
    "wrong.setup.field_invalid": Words("请输入设置码。", "Enter the setup code."),
    "wrong.old.field_invalid": Words("请输入当前密码。", "Enter your present password."),
    "wrong.again.field_invalid": Words("两次输入的密码不一样。", "The two passwords differ."),
    "wrong.csr.field_invalid": Words(
        "请粘贴证书请求（PKCS #10），密钥为 RSA 2048 位，国密商户号为 SM2。",
        "Paste a certificate request (PKCS #10): RSA of 2048 bits, or SM2 where the number "
        "signs by SM2.",
    ),
    "wrong.notify_url.field_invalid": Words(
        "请写 http:// 或 https:// 开头的完整地址，不带 ? 和 #。",
        "Write a whole address that begins with http:// or https://, without ? and #.",
    ),
    "wrong.words.field_invalid": Words(
        "请写明原因：至少四个汉字或两个词，最多 200 个字。",
        "Say why: two words or four Chinese characters at least, 200 characters at most.",
    ),
    "wrong.owner_id.field_invalid": Words(
        "请填写商户或付款人的编号。", "Enter the id of the merchant or the payer."
    ),
    "wrong.name.field_invalid": Words(
        "请用字母、数字、点、下划线或连字符，以字母或数字开头。",
        "Letters, digits, dots, hyphens and underscores; a letter or a digit comes first.",
    ),
    "wrong.subject.merchant_unknown": Words(
        "请填写一家商户的编号或名称；没有商户叫这个，或不止一家。",
        "Enter the id or the name of one merchant: none is called so, or more than one.",
    ),
    "wrong.subject.device_unknown": Words(
        "请填写一台设备的编号或门店名称；没有设备叫这个，或不止一台。",
        "Enter the id or the store of one device: none is called so, or more than one.",
    ),
    "wrong.channel.subject.channel_unknown": Words("请选择一个渠道。", "Choose a channel."),
    "wrong.reason.field_invalid": Words(
        "请写明原因，3 至 200 个字。", "Say why, in 3 to 200 characters."
    ),
    "pay_code": Words("付款码", "Pay code"),
    "merchant_qr": Words("收款码", "Shown code"),
    "merchant_group": Words("合单", "Combined order"),
    "mandate": Words("免密代扣", "Mandate"),
    "offline_token": Words("离线凭证", "Offline token"),
    "balance": Words("余额", "Balance"),
    "offline": Words("离线预留", "Set aside offline"),
    "house": Words("平台担保", "Borne by the house"),
    "card": Words("银行卡", "Card"),
    "fund": Words("货币基金", "Fund"),
    "advance": Words("垫资", "Advance"),
    "alipay": Words("支付宝", "Alipay"),
    "captured": Words("已收款", "Captured"),
    "declined": Words("已拒绝", "Declined"),
    "action": Words("结论", "Verdict"),
    "rule": Words("规则", "Rule"),
    "version": Words("规则版本", "Version"),
    "allow": Words("通过", "Allowed"),
    "deny": Words("拒绝", "Denied"),
    "none": Words("无", "None"),
    "terminal": Words("收银终端", "Terminal"),
    "thing": Words("自助设备", "Thing"),
    "hub": Words("门店网关", "Hub"),
    "enrolled": Words("待启用", "Enrolled"),
    "active": Words("使用中", "Active"),
    "suspended": Words("已暂停", "Suspended"),
    "revoked": Words("已吊销", "Revoked"),
}
"""Names of the engine that people read; one that is not here is shown as it is."""

WORDS: dict[str, Words] = {
    "console": Words("Tillway 控制台", "Tillway console"),
    "language": Words("English", "中文"),
    "menu": Words("菜单", "Menu"),
    "skip": Words("跳到正文", "Skip to content"),
    # Signing in
    "sign_in": Words("登录", "Sign in"),
    "setup_name": Words("您登录用的名字是", "The name that you sign in with:"),
    "opening": Words("打开控制台", "Open the console"),
    "opening_code": Words("打开码", "Opening code"),
    "opening_hint": Words(
        "首页的按钮或命令 tillway open 会带来这个码：两分钟内有效，只能用一次。",
        "The front page's button, or the command tillway open, brings this code: good once, and for"
        " two minutes.",
    ),
    "opening_do": Words("打开", "Open"),
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
    "count_one": Words("笔", "payment"),
    "refund_count": Words("笔", "refunds"),
    "refund_count_one": Words("笔", "refund"),
    "counted": Words("笔数", "Count"),
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
    "returned_count": Words("笔退款或冲正", "refunds or reversals"),
    "returned_count_one": Words("笔退款或冲正", "refund or reversal"),
    "taken_sum": Words("实收", "taken"),
    "given_sum": Words("实退", "given back"),
    "which_merchant": Words("有几个商户叫这个名称。", "More than one merchant is called so."),
    "which_store": Words("有几家门店叫这个名称。", "More than one store is called so."),
    "which_device": Words("有几台设备属于这个名称。", "More than one device goes by that."),
    "which_part": Words("输入的只是名称的一部分。", "That is a part of a name."),
    "which_choose": Words("请在下面选一个。", "Choose one below."),
    "which_one": Words("请选择", "Choose"),
    "refunded_of_it": Words("其中已退", "of it given back"),
    "summed_newest": Words("仅合计最新的", "The sum is of the newest"),
    "newest": Words("最新", "Newest"),
    "next_page": Words("下一页", "Next page"),
    "nothing_found": Words("没有符合条件的付款", "No payment matches"),
    "time": Words("时间", "Time"),
    "device": Words("设备", "Device"),
    "merchant_title": Words("商户", "Merchant"),
    "method": Words("方式", "Method"),
    "payer": Words("付款人", "Payer"),
    "pay_code": Words("付款码", "Pay code"),
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
    "others": Words("其余", "The others"),
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
    "page_unknown": Words(
        "没有这个页面，请检查网址。", "There is no such page; check the address."
    ),
    # Operators
    "overview": Words("运行状况", "Operations"),
    "imbalance": Words("借贷差额", "Ledger imbalance"),
    "balanced": Words("借贷平衡", "Debits equal credits"),
    "unbalanced": Words("借贷不平，请立即检查", "Debits and credits differ: look at once"),
    "reserve_test": Words("备付金检验", "Reserve test"),
    "passed": Words("通过", "Passed"),
    "failed": Words("未通过", "Failed"),
    "not_yet": Words("尚未日终", "No day closed yet"),
    "unknown_count": Words("结果未知", "Outcome unknown"),
    "oldest": Words("最早", "oldest"),
    "minutes": Words("分钟", "min"),
    "by_state": Words("今日各状态", "Today by state"),
    "devices": Words("设备", "Devices"),
    "line": Words("连接", "Line"),
    "devices_online": Words("在线设备", "Devices online"),
    "online": Words("在线", "online"),
    "offline": Words("离线", "offline"),
    "not_heard": Words("未报告", "not heard of"),
    "kind": Words("类型", "Kind"),
    "spool": Words("待发", "Waiting"),
    "seen": Words("最后上线", "Last heard of"),
    "no_devices": Words("还没有注册设备", "No devices are enrolled yet"),
    "no_device_matches": Words("没有符合条件的设备", "No device matches"),
    "find_device": Words(
        "设备、门店或商户（编号或名称）", "Device, store or merchant, by id or name"
    ),
    "letters": Words("未送达通知", "Dead letters"),
    "no_letters": Words(
        "所有通知都已送达或仍在重试", "Every callback has arrived or is still being tried"
    ),
    "error": Words("错误", "Error"),
    "answered_with": Words("对方应答", "It answered"),
    "given_up": Words("放弃时间", "Given up"),
    "replay": Words("重新发送", "Send again"),
}
