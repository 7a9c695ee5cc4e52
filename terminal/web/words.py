"""The words of the till's pages, beside those of its screens (`terminal.domain.words`)."""

from faces.words import Words
from terminal.domain.card_sale import CardKind, CardState
from terminal.domain.mark import MarkedAs

WORDS: dict[str, Words] = {
    # Everywhere
    "language": Words("English", "中文"),
    "menu": Words("菜单", "Menu"),
    "till": Words("收银台", "Till"),
    "vending": Words("自动售货机", "Vending machine"),
    "parking": Words("停车场出口", "Car park exit"),
    "meter": Words("预付费电表", "Prepaid meter"),
    "back": Words("返回", "Back"),
    "cancel": Words("取消", "Cancel"),
    "enter": Words("确认", "Enter"),
    "backspace": Words("退格", "Backspace"),
    "clear_hint": Words("长按全部清除", "hold to clear all"),
    "page_lost": Words(
        "终端程序没有应答，正在重连…", "The till's program does not answer; trying again…"
    ),
    "letters": Words("字母键盘", "Letters"),
    "letters_hide": Words("收起键盘", "Hide the letters"),
    "capitals": Words("大写", "Capitals"),
    "space": Words("空格", "Space"),
    "offline": Words("离线", "Offline"),
    "offline_held": Words("笔离线待入账", "taken offline"),
    "offline_bearers": Words(
        "商品可以交付。凭证重复使用时，平台按小票担保，超出由商户承担；入账后才能退款。",
        "The goods may go. If the voucher is spent twice, the house bears what the receipt says,"
        " the merchant the rest. Refunds only after it is booked.",
    ),
    "waiting_count": Words("笔待处理", "waiting"),
    "limit": Words("上限", "limit"),
    "oldest": Words("最早", "oldest"),
    "hub_offline": Words("门店网关与后台断开", "The hub has lost the backend"),
    "unknown_count": Words("结果未知", "unknown"),
    "unknown_held": Words("笔结果未知", "unknown"),
    "goods_count": Words("件商品出货待店主核实", "items for the owner to look after"),
    "goods_count_one": Words("件商品出货待店主核实", "item for the owner to look after"),
    "goods": Words("出货待核实", "Goods to look after"),
    "training_mark": Words("培训 TRAINING", "TRAINING 培训"),
    "training_payer": Words("培训 TRAINING：请勿付款", "TRAINING 培训: do not pay"),
    # People
    "who": Words("请选择员工", "Who is there?"),
    "staff": Words("员工", "Staff"),
    "cashier": Words("收银员", "Cashier"),
    "by": Words("经手人", "By"),
    "supervisor": Words("店长", "Supervisor"),
    "pin": Words("口令", "PIN"),
    "locked_by": Words("已锁屏：", "Locked by"),
    "lock": Words("锁屏", "Lock"),
    "sign_out": Words("退出登录", "Sign out"),
    "hire": Words("登记员工", "Hire"),
    "staff_name": Words("姓名", "Name"),
    "staff_name_hint": Words("拼音；汉字用系统输入法", "Letters, or system input"),
    "role": Words("职位", "Role"),
    "new_pin": Words("新口令（4–8 位数字）", "New PIN, 4 to 8 digits"),
    "renew_pin": Words("更换口令", "New PIN"),
    "pin_choose": Words("请设定自己的口令", "Choose your own PIN"),
    "pin_choose_why": Words(
        "现在的口令是别人设的。设定只有您知道的口令，然后按 ✓。",
        "Somebody else set the one you have. Key one that only you know, then ✓.",
    ),
    "pin_repeat": Words("再输入一次", "Once more"),
    "pin_repeat_why": Words("请再输入一次新口令，然后按 ✓。", "Key the new PIN again, then ✓."),
    "pin_rules": Words(
        "四至八位数字，不能全部相同或连续。",
        "Four to eight digits, neither all alike nor in a row.",
    ),
    "pins_differ": Words(
        "两次输入不一致，请重新设定。", "The two are not the same; choose again from the start."
    ),
    "pin_given": Words("口令待本人设定", "own PIN not chosen yet"),
    "let_go": Words("离职", "Let go"),
    "staff_acts": Words("最近变更", "Latest changes"),
    "staff_hired": Words("登记", "hired"),
    "staff_pin_renewed": Words("更换口令", "new PIN"),
    "staff_pin_chosen": Words("设定自己的口令", "chose the PIN"),
    "staff_left": Words("离职", "let go"),
    "staff_hint": Words(
        "变更需店长授权；本人下次登录时设定自己的口令。",
        "A supervisor signs. The person chooses an own PIN at the next sign-in.",
    ),
    "no_staff": Words(
        "还没有员工，请先在本机运行：", "There is no staff yet. Run on this machine:"
    ),
    "your_file": Words("配置文件", "FILE"),
    "a_name": Words("姓名", "NAME"),
    "approve": Words("店长授权", "A supervisor signs"),
    "no_supervisor": Words(
        "还没有店长，请先登记一位。", "There is no supervisor yet; hire one first."
    ),
    "signed_by": Words("授权", "Signed by"),
    "needs_supervisor": Words("需店长授权", "a supervisor must sign"),
    # The sale
    "sale": Words("收款", "Sale"),
    "amount": Words("金额", "Amount"),
    "amount_limits": Words("请输入 {} 到 {} 之间的金额。", "Key in an amount from {} to {}."),
    "note": Words("备注", "Note"),
    "charge": Words("收款", "Charge"),
    "scan": Words("扫码", "Scan"),
    "how": Words("顾客怎么付？", "How does the payer pay?"),
    "hold_code": Words("请把付款码对准扫码器", "Hold the pay code to the scanner"),
    "practice_code": Words("模拟付款码", "Practice code"),
    "stop": Words("停止并撤销", "Stop and reverse"),
    "stop_hint": Words(
        "停止即申请撤销，以最终结果为准", "Stopping asks for a reversal; wait for its outcome"
    ),
    "being_asked": Words("系统正在自动查询", "It is being asked about by itself"),
    "again": Words("重新收款", "Try again"),
    "next": Words("下一位", "Next customer"),
    "payer": Words("付款人", "Payer"),
    "recovered": Words("断电后恢复", "Recovered after a restart"),
    "welcome": Words("欢迎光临", "Welcome"),
    "thanks": Words("谢谢惠顾", "Thank you"),
    "choose_goods": Words("请选择商品", "Choose"),
    # The cart
    "cart": Words("购物车", "Cart"),
    "cart_sums": Words(
        "金额由购物车里的商品决定；要手工输入，请先清空购物车。",
        "The goods in the cart make the amount; take them out to key one in.",
    ),
    "cart_empty": Words("扫商品条码加入购物车", "Scan a barcode to add goods"),
    "pieces": Words("件", "in the cart"),
    "more": Words("加一件", "One more"),
    "fewer": Words("减一件", "One fewer"),
    "done": Words("完成", "Done"),
    "goods_sold": Words("商品", "Goods"),
    # Cash
    "cash": Words("现金", "Cash"),
    "given": Words("实收", "Given"),
    "change": Words("找零", "Change"),
    "still_due": Words("还差", "Still due"),
    "take_cash": Words("收现金", "Take cash"),
    "cash_taken": Words("现金已收", "Cash taken"),
    # Cards at the PIN pad
    "card": Words("银行卡", "Bank card"),
    "card_sale": Words("银行卡收款", "Card sales"),
    "card_refund": Words("银行卡退款", "Card refunds"),
    "card_hint": Words(
        "请顾客在密码键盘上刷卡、插卡或挥卡", "The payer taps or inserts the card at the PIN pad"
    ),
    "card_wait_hint": Words(
        "结果以密码键盘为准，请勿重复收款；要取消，请按密码键盘的红键",
        "The PIN pad tells the outcome; do not charge again. To stop, press its red key",
    ),
    "card_refund_hint": Words(
        "请顾客用原卡在密码键盘上刷卡、插卡或挥卡，款项退回该卡",
        "The payer taps or inserts the same card at the PIN pad; the money goes back to it",
    ),
    "card_refund_wait_hint": Words(
        "结果以密码键盘为准，请勿重复退款，也不要另付现金；要取消，请按密码键盘的红键",
        "The PIN pad tells the outcome; do not refund again, nor in cash. To stop, press its red"
        " key",
    ),
    "card_unknown_hint": Words(
        "请查看密码键盘的签购单，再请店长处理；以收单行对账为准。",
        "Look at the pad's own slip, then ask a supervisor; the acquirer's statement tells.",
    ),
    "card_number": Words("卡号", "Card"),
    "reference": Words("参考号", "Reference"),
    "cause": Words("原因", "Cause"),
    "refund_of": Words("原编号", "Sale no."),
    # An unknown that a supervisor resolves
    "resolve": Words("店长处理", "Resolve"),
    "resolve_hint": Words(
        "只作记录，不改变结果；系统仍会继续查询。",
        "This is a note for the shift, not the outcome: it is still being asked about.",
    ),
    "card_resolve_hint": Words(
        "只作记录，不改变结果；以收单行对账为准。",
        "This is a note for the shift, not the outcome; the acquirer's statement tells.",
    ),
    "refund_resolve_hint": Words(
        "只作记录，不改变结果；系统仍会继续查询，查清前不能再退这一笔。",
        "For the shift's record only; no other refund begins until the outcome is known.",
    ),
    "refund_mark_paid": Words("按已退处理", "Treat as refunded"),
    "refund_mark_not_paid": Words("按未退处理", "Treat as not refunded"),
    "mark_paid": Words("按已付处理", "Treat as paid"),
    "mark_not_paid": Words("按未付处理", "Treat as not paid"),
    "marked": Words("店长处理", "Marked"),
    "mark_reason": Words("处理原因", "Marked because"),
    "mark_wanted": Words(
        "请先选择按哪一种处理，并写明原因。", "Choose what it is taken for, and say why."
    ),
    "outcome": Words("最终结果", "Outcome"),
    "contradicted": Words("与店长处理相反", "differs from the mark"),
    "contradicted_count": Words("结果与处理相反", "Outcome differs from mark"),
    # What went through
    "recent": Words("最近交易", "Recent"),
    "recent_short": Words("记录", "Recent"),
    "search": Words("查找", "Search"),
    "search_hint": Words("单号末几位，或扫小票", "Last characters, or scan a receipt"),
    "none_yet": Words("还没有交易", "No payment yet"),
    "nothing_found": Words("没有找到交易", "Nothing found"),
    "time": Words("时间", "Time"),
    "way": Words("方式", "Way"),
    "state": Words("状态", "State"),
    "payment": Words("单号", "Number"),
    "open": Words("进行中", "open"),
    "reprint": Words("补打小票", "Reprint"),
    "query": Words("立即查询", "Query now"),
    "reverse": Words("撤销", "Reverse"),
    "refund": Words("退款", "Refund"),
    "refund_now": Words("退款（需店长）", "Refund"),
    "refunded": Words("已退", "Refunded"),
    "part_refunded": Words("部分退款", "partly refunded"),
    "all_refunded": Words("全额退款", "refunded"),
    "left": Words("可退", "left"),
    "reason": Words("原因", "Reason"),
    "reason_return": Words("退货", "Goods returned"),
    "reason_over": Words("多收", "Overcharged"),
    "reason_other": Words("其他", "Other"),
    "other_reason": Words("请写明原因", "Say why"),
    "why_count_close": Words(
        "找零有误|备用金不符|原因不明", "Wrong change|Wrong float|Not explained"
    ),
    "why_pay_in": Words("补零钱|增加备用金", "Small change|More float"),
    "why_pay_out": Words("缴存银行|店内支出", "To the bank|Shop's expense"),
    "why_payment": Words(
        "顾客手机显示已付|顾客手机显示未付", "The phone shows it paid|The phone shows nothing"
    ),
    "why_card": Words("签购单显示成功|签购单显示未成功", "The slip says approved|The slip says no"),
    "why_refund": Words("顾客已收到退款|顾客未收到退款", "The payer has it back|The payer has not"),
    "paid_at": Words("付款时间", "Paid at"),
    "coupon": Words("优惠", "Coupon"),
    "payer_paid": Words("实付", "Paid by the payer"),
    # Shifts
    "shift": Words("班次", "Shift"),
    "open_shift": Words("开班", "Open shift"),
    "no_shift": Words("还没有开班", "No shift is open"),
    "no_shift_say": Words(
        "先点清备用金并开班，才能收款。", "Count the float and open the shift, then sell."
    ),
    "float": Words("备用金", "Float"),
    "float_hint": Words(
        "请点清钱箱里的备用金并输入。这不是销售金额。",
        "Count the cash in the drawer and key it in. It is no sale.",
    ),
    "z": Words("交班报告 Z", "Z report"),
    "next_shift": Words("开始下一班", "Next shift"),
    "closed_by": Words("交班人", "Closed by"),
    "print_x": Words("打印小结 X", "Print X"),
    "printed": Words("已打印。", "Printed."),
    "print_waits": Words(
        "已送往打印机，还没有打完。", "Sent to the printer, which has not done it yet."
    ),
    "pay_in": Words("存入", "Pay in"),
    "pay_in_hint": Words("放入钱箱的现金", "Cash that goes into the drawer"),
    "pay_out": Words("取出", "Pay out"),
    "pay_out_hint": Words(
        "从钱箱取出的现金，需店长授权", "Cash that leaves the drawer; a supervisor signs"
    ),
    "count_close": Words("盘点交班", "Count and close"),
    "count_close_hint": Words(
        "请点清钱箱里的全部现金。应有金额在交班后显示。",
        "Count all cash in the drawer. What is expected is shown afterwards.",
    ),
    "close_shift": Words("交班", "Close shift"),
    "reason_difference": Words("若有差异，原因", "Reason, if there is a difference"),
    "cash_sale": Words("现金收款", "Cash sales"),
    "cash_refund": Words("现金退款", "Cash refunds"),
    "refunds": Words("扫码退款", "Wallet refunds"),
    "net": Words("净额", "Net"),
    "expected": Words("应有现金", "Expected"),
    "counted": Words("盘点现金", "Counted"),
    "difference": Words("差异", "Difference"),
    "nothing_yet": Words("本班还没有交易", "Nothing yet in this shift"),
    # Settings
    "settings": Words("设置", "Settings"),
    "tests": Words("检测", "Tests"),
    "test_printer": Words("打印机", "Printer"),
    "test_pinpad": Words("密码键盘", "PIN pad"),
    "test_scanner": Words("扫码器", "Scanner"),
    "test_link": Words("网络", "Line"),
    "test_fine": Words("正常", "fine"),
    "test_scan": Words("请把任意一个码对准扫码器…", "Hold any code to the scanner…"),
    "test_read": Words("读到 {} 个字符，末尾 {}", "{} characters, ending in {}"),
    "paper_adequate": Words("正常，纸张充足", "fine, enough paper"),
    "paper_near_end": Words("正常，纸张将尽", "fine, little paper left"),
    "paper_end": Words("缺纸", "no paper"),
    "version": Words("版本", "Version"),
    "device": Words("设备号", "Device"),
    "store": Words("门店", "Store"),
    "started": Words("启动于", "Started"),
    "clock": Words("时钟", "Clock"),
    "backend_clock": Words("后台时钟", "Backend's clock"),
    "clock_even": Words("一致", "the same"),
    "clock_behind": Words("慢 {}", "{} behind"),
    "clock_ahead": Words("快 {}", "{} ahead"),
    "clock_untold": Words("还没有应答", "not told yet"),
    "line": Words("网络", "Line"),
    "line_up": Words("已连接", "connected"),
    "printer": Words("打印机", "Printer"),
    "ready": Words("正常", "ready"),
    "sound_on": Words("打开声音", "Sound on"),
    "sound_off": Words("关闭声音", "Sound off"),
    "training_begin": Words("开始培训", "Begin training"),
    "training_end": Words("结束培训", "End training"),
    "training_rules": Words(
        "末位数字：1 余额不足，2 等待确认，3 结果未知，4 付款码过期，其他成功。",
        "Last digit: 1 balance too low, 2 payer confirms, 3 unknown, 4 code expired, else paid.",
    ),
    "log": Words("导出日志", "Export log"),
    "log_look": Words("看日志", "Log"),
    "log_lines": Words("最近的日志", "The log's last lines"),
    "log_empty": Words("还没有日志。", "Nothing has been logged yet."),
    "event": Words("事件", "Event"),
    "details": Words("详情", "Details"),
}

SALE_STATES: dict[str, Words] = {
    "paid": Words("已收款", "paid"),
    "declined": Words("未成功", "declined"),
    "cancelled": Words("已取消", "cancelled"),
    "unknown": Words("结果未知", "unknown"),
    "accepted_offline": Words("离线待入账", "offline, to be booked"),
}

CARD_STATES: dict[CardState, Words] = {
    CardState.ASKING: Words("刷卡中", "asking"),
    CardState.APPROVED: Words("已批准", "approved"),
    CardState.DECLINED: Words("已拒绝", "declined"),
    CardState.FAILED: Words("未刷卡", "not asked"),
    CardState.UNKNOWN: Words("结果未知", "unknown"),
}

CARD_WAYS: dict[CardKind, Words] = {
    CardKind.SALE: Words("银行卡", "Bank card"),
    CardKind.REFUND: Words("银行卡退款", "Card refund"),
}

CARD_TITLES: dict[tuple[CardKind, CardState], Words] = {
    (CardKind.SALE, CardState.ASKING): Words("请刷卡", "Card at the PIN pad"),
    (CardKind.SALE, CardState.APPROVED): Words("收款成功", "Paid"),
    (CardKind.SALE, CardState.DECLINED): Words(
        "未获批准，未收款", "Not approved, nothing was charged"
    ),
    (CardKind.SALE, CardState.FAILED): Words("没有刷卡，未收款", "Not asked, nothing was charged"),
    (CardKind.SALE, CardState.UNKNOWN): Words(
        "结果未知，请勿重复收款", "Outcome unknown: do not charge again"
    ),
    (CardKind.REFUND, CardState.ASKING): Words("请刷卡退款", "Refund at the PIN pad"),
    (CardKind.REFUND, CardState.APPROVED): Words("退款成功", "Refunded"),
    (CardKind.REFUND, CardState.DECLINED): Words(
        "未获批准，没有退款", "Not approved, nothing went back"
    ),
    (CardKind.REFUND, CardState.FAILED): Words("没有退款", "Not asked, nothing went back"),
    (CardKind.REFUND, CardState.UNKNOWN): Words(
        "退款结果未知，请勿重复退款", "Refund outcome unknown: do not refund again"
    ),
}

MARKS: dict[MarkedAs, Words] = {
    MarkedAs.PAID: Words("按已付处理", "taken as paid"),
    MarkedAs.NOT_PAID: Words("按未付处理", "taken as not paid"),
}

REFUND_MARKS: dict[MarkedAs, Words] = {
    MarkedAs.PAID: Words("退款按已退处理", "taken as refunded"),
    MarkedAs.NOT_PAID: Words("退款按未退处理", "taken as not refunded"),
}

REFUND_STATES: dict[str, Words] = {
    "sending": Words("退款中", "Refund on its way"),
    "unknown": Words("退款结果未知", "Refund: outcome unknown"),
    "succeeded": Words("已退款", "Refunded"),
    "failed": Words("退款失败", "Refund failed"),
}

METHODS: dict[str, Words] = {
    "pay_code": Words("付款码", "Pay code"),
    "offline_token": Words("离线凭证", "Offline token"),
    "merchant_qr": Words("收款码", "Our QR"),
    "mandate": Words("代扣", "Mandate"),
}

LINE_TROUBLES: dict[str, Words] = {
    "hub_unreachable": Words("网关连不上", "hub not reached"),
    "hub_refused": Words("网关拒绝本机", "refused by the hub"),
    "hub_certificate_expired": Words("网关证书过期", "hub's certificate expired"),
    "hub_certificate_early": Words("网关证书未生效", "hub's certificate not valid yet"),
    "hub_certificate_unknown": Words("网关证书不可信", "hub's certificate unknown"),
    "own_certificate_refused": Words("本机证书被拒", "own certificate refused"),
    "hub_tls_failed": Words("加密连接失败", "no encrypted line"),
}
"""Why there is no line to the hub, by the codes of ``LinkRefused``; in few words, for the bar."""
