"""The words of the front page, its stations and its steps."""

from faces.words import Words

WORDS: dict[str, Words] = {
    "language": Words("English", "中文"),
    "title": Words("Tillway 已在本机运行", "Tillway runs on this machine"),
    "page_lost": Words(
        "启动程序没有应答，正在重连…", "The launcher does not answer; trying again…"
    ),
    "wallet": Words("钱包", "Wallet"),
    "console": Words("控制台", "Console"),
    "skip": Words("跳到引导收款", "Skip to the guided payment"),
    # What runs
    "parts": Words("正在运行", "What runs"),
    "open": Words("打开", "Open"),
    "bench": Words("测试台", "Tester's bench"),
    "customer_side": Words("顾客屏", "Customer's side"),
    "ready": Words("就绪", "Ready"),
    "not_ready": Words("未就绪", "Not ready"),
    "silent": Words("没有应答", "No answer"),
    "looking": Words("正在查看…", "Looking…"),
    "kind_till": Words("收银终端", "Till"),
    "kind_board": Words("模拟设备", "Simulated devices"),
    "kind_hub": Words("门店网关", "Store hub"),
    "kind_backend": Words("支付后台", "Payment backend"),
    "kind_institution": Words("模拟机构", "Institutions, simulated"),
    "fig_settled": Words("笔已结束", "ended"),
    "fig_open": Words("笔进行中", "open"),
    "fig_devices": Words("台设备", "devices"),
    "fig_connected": Words("台在线", "connected"),
    "fig_spool_rows": Words("条待回复", "unanswered"),
    "fig_requests": Words("个设备请求", "device requests"),
    "fig_institutions": Words("家机构", "institutions"),
    # The way
    "way": Words("最近一笔付款的路径", "The way of the last payment"),
    "way_none": Words(
        "还没有付款。跟着引导收第一笔。", "No payment yet. Take the first one by the guide."
    ),
    "way_wire": Words("终端发出到收到应答", "till to till, request to verified answer"),
    "trace": Words("追踪号", "Trace"),
    "payment": Words("付款", "Payment"),
    "no_time": Words("该站不记时间", "this station tells no time"),
    "place_payer": Words("顾客", "Payer"),
    "place_till": Words("终端", "Till"),
    "place_hub": Words("网关", "Hub"),
    "place_backend": Words("后台", "Backend"),
    "place_channel": Words("通道", "Channel"),
    "place_ledger": Words("账本", "Ledger"),
    "hop_keyed": Words("录入金额", "Amount keyed in"),
    "hop_code": Words("出示付款码，被扫描", "Pay code scanned"),
    "hop_sent": Words("签名存盘后发出", "Signed, stored, sent"),
    "hop_there": Words("转交后台", "Carried to the backend"),
    "hop_judged": Words("风控判断", "Judged for risk"),
    "hop_posted": Words("复式记账", "Posted, both sides"),
    "hop_back": Words("带回应答", "Answer carried back"),
    "hop_paid": Words("验签，显示已收款", "Verified: paid is shown"),
    "hop_declined": Words("验签，显示被拒", "Verified: declined is shown"),
    "hop_cancelled": Words("已取消", "Cancelled"),
    "hop_unknown": Words("结果未知", "Outcome unknown"),
    "state_paid": Words("已收款", "Paid"),
    "state_declined": Words("被拒绝", "Declined"),
    "state_cancelled": Words("已取消", "Cancelled"),
    "state_unknown": Words("结果未知", "Unknown"),
    "state_going": Words("进行中", "Going on"),
    # The guide
    "guide": Words("五步收第一笔款", "A first payment in five steps"),
    "step_key": Words("录入金额", "Key in"),
    "step_show": Words("出示付款码", "Show a code"),
    "step_scan": Words("扫码", "Scan"),
    "step_receipt": Words("看小票", "Receipt"),
    "step_postings": Words("看账", "Ledger"),
    "key_say": Words(
        "在收银机上录入一个金额。真实的终端程序会显示“请扫描付款码”。",
        "Key an amount into the till. The real terminal program then waits for a scan.",
    ),
    "key_do": Words("录入", "Key in"),
    "show_say": Words(
        "收银机在等扫码。让模拟钱包向后台要一个付款码，一分钟内有效。",
        "The till waits for a scan. Let the simulated wallet make a pay code, good for a minute.",
    ),
    "show_do": Words("出示付款码", "Show the pay code"),
    "scan_say": Words(
        "这是顾客手机上的付款码。把它拿到模拟扫码枪前：图片被解码，经串口送进终端。",
        "This is on the customer's phone. Hold it before the simulated scanner: it reads the"
        " picture and sends the digits down its serial line.",
    ),
    "scan_do": Words("拿到扫码枪前", "Hold it to the scanner"),
    "code_picture": Words("付款码图片", "The pay code, as a picture"),
    "receipt_say": Words(
        "已收款。模拟打印机把终端的字节画成了这张小票。",
        "Paid. The simulated printer drew the terminal's bytes as this receipt.",
    ),
    "receipt_do": Words("看账本怎么记", "See what the ledger says"),
    "receipt_picture": Words("打印出的小票", "The printed receipt"),
    "postings_say": Words(
        "每一分钱都从一个账户到另一个账户，两边永远相等。",
        "Every fen went from one account to another; both sides are always equal.",
    ),
    "from": Words("从", "From"),
    "to": Words("到", "To"),
    "amount": Words("金额", "Amount"),
    "rule": Words("规则", "Rule"),
    "again": Words("再来一笔", "Take another"),
    "stop": Words("放弃重来", "Start over"),
}

EVENTS: dict[str, Words] = {
    "PaymentCodeShown": Words("生成收款码", "Code made to be shown"),
    "PaymentPayerAsked": Words("请顾客确认", "The payer is asked"),
    "PaymentSubmitted": Words("交给通道", "Handed to the channel"),
    "PaymentCaptured": Words("扣款成功", "Captured"),
    "PaymentDeclined": Words("拒绝", "Declined"),
    "PaymentContactLost": Words("与通道失联", "Contact lost"),
    "PaymentClosed": Words("关闭", "Closed"),
    "PaymentExpired": Words("过期", "Expired"),
    "PaymentReversed": Words("冲正", "Reversed"),
    "PaymentPartiallyRefunded": Words("部分退款", "Refunded in part"),
    "PaymentRefunded": Words("全额退款", "Refunded"),
    "SagaPlanned": Words("记下要说的话", "Written down before it is said"),
    "SagaSent": Words("已发给通道", "Sent to the channel"),
    "SagaSucceeded": Words("通道同意", "The channel agrees"),
    "SagaRefused": Words("通道拒绝", "The channel refuses"),
    "SagaContactLost": Words("通道没有应答", "The channel is silent"),
    "SagaGivenUp": Words("不再等待", "Given up"),
    "SagaNeverSent": Words("从未发出", "Never sent"),
    "SagaSucceededLate": Words("通道迟来的同意", "The channel agreed late"),
    "SagaRefusedLate": Words("通道迟来的拒绝", "The channel refused late"),
    "SagaReversed": Words("通道已冲正", "Reversed at the channel"),
    "SagaReversalRefused": Words("通道拒绝冲正", "The channel refused to reverse"),
    "SagaStranded": Words("资金待人处理", "Stranded: somebody must look"),
    "SagaTriedAnew": Words("再试一次", "Tried anew"),
    "SagaAssigned": Words("归入顾客余额", "Assigned to the payer"),
    "SagaPostponed": Words("稍后再问", "Asked again later"),
    "SagaRerouted": Words("换一条通道", "Sent by another channel"),
}
"""What the backend's timelines say."""

VERDICTS: dict[str, Words] = {"allow": Words("风控放行", "Judged: allowed")}
"""What the risk rules said; anything else is shown as a judgement with its rule."""

ACCOUNTS: dict[str, Words] = {
    "CUST": Words("顾客余额", "Payer's balance"),
    "MPEND": Words("商户待结算", "Merchant, not settled yet"),
    "UNSWEPT": Words("我们的手续费", "Our fee"),
    "OWN_DUE": Words("我们的应付", "What we owe"),
    "CH": Words("通道在途", "On its way in a channel"),
    "ECNY": Words("数字人民币", "e-CNY"),
}
"""What accounts of the ledger are, by the code in their id; others stand by their id alone."""
