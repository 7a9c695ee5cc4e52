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
    # The doors
    "doors": Words("进去看看", "Look inside"),
    "door_wallet": Words("打开钱包", "Open the wallet"),
    "door_operator": Words("控制台：平台运营", "Console: operators"),
    "door_merchant": Words("控制台：商户", "Console: the shop"),
    "test_card": Words("测试银行卡", "A test bank card"),
    "test_card_code": Words("银行短信验证码", "the code its bank has sent"),
    "test_card_say": Words(
        "在钱包里添加这张卡；验证码发出后出现在这里。卡和银行都是模拟的。",
        "Add it in the wallet; the code appears here once it is sent. Card and bank are simulated.",
    ),
    "doors_say": Words(
        "按一下在新标签页打开，不用复制令牌。控制台第一次会请您配对手机验证码并设密码，以后直接登录。"
        "浏览器若提示证书不受信任，请选择继续：证书由本机自己签发。",
        "One press opens a new tab; no token is copied. The console first lets you pair a phone and"
        " choose a password; later it asks you to sign in. If the browser warns of the certificate,"
        " go on: this machine signed it itself.",
    ),
    # What runs
    "parts": Words("正在运行", "What runs"),
    "open": Words("打开", "Open"),
    "bench": Words("测试台", "Tester's bench"),
    "pins": Words("员工密码在", "Staff's PINs are in"),
    "shell": Words("命令行也能打开", "From a shell, too"),
    "token": Words("钱包的令牌和密码在", "The wallet's token and PIN are in"),
    "customer_side": Words("顾客屏", "Customer's side"),
    "ready": Words("就绪", "Ready"),
    "not_ready": Words("未就绪", "Not ready"),
    "silent": Words("没有应答", "No answer"),
    "silent_say": Words(
        "没有应答。结束了的部分会带着原来的数据自动重新启动。日志：",
        "It does not answer. A part that has ended is started anew with all that it had. Log:",
    ),
    "part_waiting": Words(
        "{} 已结束，正等着重新启动（第 {} 次，最多 {} 次）。",
        "{} has ended and waits to be started anew (try {} of {}).",
    ),
    "part_starting": Words(
        "{} 正在重新启动（第 {} 次，最多 {} 次）。", "{} is being started anew (try {} of {})."
    ),
    "part_failed": Words(
        "{} 接连 {} 次没有站住，不再自动启动。看看日志，修好后按“启动”。",
        "{} has ended {} times in a row and is started by itself no more. Look at its log, mend"
        " what is wrong, then press Start.",
    ),
    "part_running": Words("{} 重新启动过，结束过 {} 次", "{} was started anew; ends so far: {}"),
    "matter_silent": Words("{} 没有应答。", "{} does not answer."),
    "matter_not_ready": Words("{} 还没有就绪，正在连线。", "{} is not ready yet: it connects."),
    "matter_wait": Words(
        "现在按下的，等它好了就做。", "What you press now is done once it is well."
    ),
    "part_last": Words("上次结束的原因", "Why it ended last"),
    "ended_signal": Words("被信号 {} 终止", "by signal {}"),
    "ended_code": Words("以代码 {} 退出", "with exit code {}"),
    "part_log": Words("日志的最后几行", "The last lines of its log"),
    "part_start": Words("启动 {}", "Start {}"),
    "part_start_busy": Words("正在启动…", "Starting…"),
    "health_well": Words("{} 个部分都就绪", "All {} parts are ready"),
    "health_ill": Words("有问题：{}", "Not well: {}"),
    "looking": Words("正在查看…", "Looking…"),
    "kind_till": Words("收银终端", "Till"),
    "kind_vending": Words("自动售货机", "Vending machine"),
    "kind_exit": Words("停车场出口", "Car park exit"),
    "kind_board": Words("模拟设备", "Simulated devices"),
    "kind_hub": Words("门店网关", "Store hub"),
    "kind_backend": Words("支付后台", "Payment backend"),
    "kind_institution": Words("模拟机构", "Institutions, simulated"),
    "fig_settled": Words("笔已结束", "ended"),
    "fig_open": Words("笔进行中", "open"),
    "fig_devices": Words("台设备", "devices"),
    "fig_devices_one": Words("台设备", "device"),
    "fig_connected": Words("台在线", "connected"),
    "fig_spool_rows": Words("条待回复", "unanswered"),
    "fig_requests": Words("个设备请求", "device requests"),
    "fig_requests_one": Words("个设备请求", "device request"),
    "fig_institutions": Words("家机构", "institutions"),
    "fig_institutions_one": Words("家机构", "institution"),
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
    "place_exit": Words("出口", "Exit"),
    "place_vending": Words("售货机", "Machine"),
    "place_charger": Words("充电桩", "Charger"),
    "place_hub": Words("网关", "Hub"),
    "place_backend": Words("后台", "Backend"),
    "place_channel": Words("通道", "Channel"),
    "place_ledger": Words("账本", "Ledger"),
    "hop_keyed": Words("录入金额", "Amount keyed in"),
    "hop_pressed": Words("按下商品", "Goods chosen"),
    "hop_stay": Words("算出停车费", "Stay reckoned"),
    "hop_code": Words("出示付款码，被扫描", "Pay code scanned"),
    "hop_sent": Words("签名存盘后发出", "Signed, stored, sent"),
    "hop_there": Words("转交后台", "Carried to the backend"),
    "hop_received": Words("收到", "Received"),
    "hop_spooled": Words("验签存盘", "Checked and stored"),
    "hop_forwarded": Words("转交后台", "Forwarded"),
    "hop_answered": Words("收到应答，验签", "Answer checked"),
    "hop_handed_over": Words("终端确认收到", "Receipt acknowledged"),
    "hop_judged": Words("风控判断", "Judged for risk"),
    "hop_posted": Words("复式记账", "Posted, both sides"),
    "hop_scanned": Words("扫码，核对，输入密码", "Scanned, PIN given"),
    "hop_pushed": Words("推送给终端", "Pushed to the till"),
    "hop_back": Words("带回应答", "Answer carried back"),
    "hop_paid": Words("验签，显示已收款", "Verified: paid is shown"),
    "hop_declined": Words("验签，显示被拒", "Verified: declined is shown"),
    "hop_cancelled": Words("已取消", "Cancelled"),
    "hop_unknown": Words("结果未知", "Outcome unknown"),
    "hop_metered": Words("拔下充电线，计量完毕", "Cable pulled, metered to the end"),
    "hop_charge_paid": Words("按委托扣款，充电结清", "Debited by the mandate: settled"),
    "hop_charge_unsettled": Words("扣款未成功，待人处理", "Not debited: a person must look"),
    "hop_ahead": Words("插上充电线，要一个预付的收款码", "Cable in: a code to pay ahead is wanted"),
    "hop_begun": Words("已预付，开始充电", "Paid ahead: charging begins"),
    "hop_rest_paid": Words("多付的退回，充电结清", "The rest went back: settled"),
    "hop_rest_none": Words("预付用完，充电结清", "Used up to the end: settled"),
    "hop_rest_unsettled": Words(
        "多付的没有退成，待人处理", "The rest did not go back: a person must look"
    ),
    "state_paid": Words("已收款", "Paid"),
    "state_declined": Words("被拒绝", "Declined"),
    "state_cancelled": Words("已取消", "Cancelled"),
    "state_unknown": Words("结果未知", "Unknown"),
    "state_going": Words("进行中", "Going on"),
    # The guide
    "guide": Words("五步收第一笔款", "A first payment in five steps"),
    "manners": Words("顾客怎么付", "How the payer pays"),
    "manner_code": Words("出示付款码", "Shows a code"),
    "manner_finger": Words("付款码加指纹", "Code and fingerprint"),
    "manner_qr": Words("扫收银机的码", "Scans the till's QR"),
    "step_key": Words("录入金额", "Key in"),
    "step_show": Words("出示付款码", "Show a code"),
    "step_scan": Words("扫码", "Scan"),
    "step_lay": Words("按指纹", "Fingerprint"),
    "step_read": Words("钱包扫码", "Wallet scans"),
    "step_confirm": Words("输入密码", "PIN"),
    "step_receipt": Words("看小票", "Receipt"),
    "step_postings": Words("看账", "Ledger"),
    "till_shows": Words("收银机此刻显示", "The till now shows"),
    "key_say_code": Words(
        "在收银机上录入一个金额。真实的终端程序会显示“请扫描付款码”。",
        "Key an amount into the till. The real terminal program then waits for a scan.",
    ),
    "key_say_finger": Words(
        "录入一个超过 500 元的金额：收银机扫码后还要核验指纹。",
        "Key in more than 500 yuan: after the scan the till also asks for a fingerprint.",
    ),
    "key_say_qr": Words(
        "录入一个金额。收银机向后台要一个收款码，显示给顾客扫。",
        "Key an amount in. The till asks the backend for a code and shows it to the payer.",
    ),
    "key_do": Words("录入", "Key in"),
    "show_say": Words(
        "收银机在等扫码。让模拟钱包向后台要一个付款码，一分钟内有效。",
        "The till waits for a scan. Let the simulated wallet make a pay code, good for a minute.",
    ),
    "show_do": Words("出示付款码", "Show the pay code"),
    "scan_say_code": Words(
        "这是顾客手机上的付款码。把它拿到模拟扫码枪前：图片被解码，经串口送进终端。",
        "This is on the customer's phone. Hold it before the simulated scanner: it reads the"
        " picture and sends the digits down its serial line.",
    ),
    "scan_say_finger": Words(
        "收银机在等扫码，手机已亮出付款码。拿到模拟扫码枪前，收银机接着会要指纹。",
        "The till waits for a scan; the phone shows its code already. Hold it to the simulated"
        " scanner, and the till asks for a finger next.",
    ),
    "code_lost": Words(
        "扫码器刚才断开过，付款码没有送到：什么都没发出，没有动钱。收银机又在等扫码，请出示这个新码。",
        "The scanner was lost while the code was before it: nothing was sent, and no money moved."
        " The till waits for a scan again; show this new code.",
    ),
    "scan_do": Words("拿到扫码枪前", "Hold it to the scanner"),
    "lay_say": Words(
        "金额超过限额，收银机要核验指纹。把登记过的手指按到模拟指纹头上，传感器比对后签名才发出。",
        "The amount is above the limit: the till wants a finger. Lay an enrolled one on the"
        " simulated sensor; only when it matches is the request signed and sent.",
    ),
    "lay_do": Words("按下手指", "Lay the finger"),
    "read_say": Words(
        "这是收银机顾客屏上的收款码。让模拟钱包拍下这张图片，问后台要付给谁、付多少。",
        "This is on the till's customer side. Let the simulated wallet scan the picture and ask"
        " the backend whom it would pay, and how much.",
    ),
    "read_do": Words("用钱包扫码", "Scan it with the wallet"),
    "confirm_say": Words(
        "钱包先显示商户和金额，顾客输入密码后才付款；收银机由后台推送得知结果。",
        "The wallet shows merchant and amount first; the payer's PIN pays. The till learns of it by"
        " a push from the backend.",
    ),
    "confirm_do": Words("输入密码付款", "Pay with the PIN"),
    "wallet_pays": Words("钱包显示：付给", "The wallet says: pay"),
    "till_code_picture": Words("收银机上的收款码图片", "The till's QR code, as a picture"),
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
    # Things that pay by themselves
    "things": Words("自己付钱的设备", "Things that pay by themselves"),
    "things_choice": Words("看哪一个", "Which one"),
    "story_charge": Words("电动汽车充电", "A car charges"),
    "story_park": Words("车辆出停车场", "A car leaves a car park"),
    "story_vend": Words("售货机买东西", "A vending machine sells"),
    "stage_press": Words("选商品", "Choose"),
    "stage_scan": Words("扫码付款", "Pay by code"),
    "stage_say_press": Words(
        "钱包主人给售货机签过代扣授权：一次最多 10 元，一天最多 20 元。按一个商品："
        "限额之内机器自己扣款，超过限额机器改出收款码。收到钱才出货。",
        "The wallet's owner has signed a mandate for the machine: 10 yuan at once, 20 a day. Press"
        " a key: within the limits the machine debits by itself, beyond them it shows its code."
        " The goods fall when the money is there.",
    ),
    "stage_say_scan": Words(
        "超过授权限额，机器没有自己扣款，屏幕上是收款码。让模拟钱包扫码，核对后输入密码。",
        "It is beyond the mandate's limits, so the machine shows its code. Let the simulated wallet"
        " scan it and give the PIN.",
    ),
    "stage_do_scan": Words("钱包扫码付款", "Scan and pay"),
    "stage_plug": Words("插枪刷卡", "Plug in"),
    "stage_pull": Words("充电中", "Charging"),
    "stage_enter": Words("入场", "Drive in"),
    "stage_leave": Words("到出口", "To the exit"),
    "stage_pay": Words("扫码付款", "Pay by code"),
    "stage_out": Words("出场", "Drive out"),
    "stage_bill": Words("看账单", "Bill"),
    "stage_say_plug": Words(
        "模拟充电桩已通过 OCPP 连到门店网关。插上枪、刷充电卡：卡背后是车主签过的代扣授权。",
        "The simulated charger has dialled the hub by OCPP. Plug in and tap the charging card:"
        " behind it is a mandate that its owner has signed.",
    ),
    "stage_do_plug": Words("插枪并刷卡", "Plug in and tap"),
    "charge_running": Words("正在充电", "Charging"),
    "charge_paid": Words("已结束，已扣款", "Ended and paid"),
    "stage_say_pull": Words(
        "电表每十秒报一次读数，费用跟着走。随时拔枪：按最后读数结算，从授权里扣款。",
        "The meter reports every ten seconds, and the cost goes with it. Pull the cable whenever"
        " you like: the last reading is settled, and debited under the mandate.",
    ),
    "stage_do_pull": Words("拔枪结算", "Pull the cable"),
    "stage_say_enter": Words(
        "选一辆车入场。停留时间由模拟道闸记着，不必真等：0.10 元一分钟，十五分钟内免费。",
        "Choose a car. The simulated gate keeps when it drove in, so nobody waits: 0.10 yuan a"
        " minute, fifteen minutes free.",
    ),
    "car_with_mandate": Words("停了 94 分钟，有代扣授权", "94 minutes, with a mandate"),
    "car_without": Words("停了 184 分钟，扫码付", "184 minutes, pays by code"),
    "car_just_in": Words("刚停 3 分钟", "3 minutes, free"),
    "stage_say_leave": Words(
        "车在场内。开到出口：道闸看见车，终端算出停车费并请求付款；未付清不抬杆。",
        "The car is in. Drive up: the gate sees it, its terminal reckons the fee and asks for it;"
        " the arm stays down until that is paid.",
    ),
    "stage_do_leave": Words("开到出口", "Drive up"),
    "stage_say_pay": Words(
        "出口屏幕显示收款码，杆还没抬。让模拟钱包扫码，核对后输入密码。",
        "The exit shows its code, and the arm is down. Let the simulated wallet scan it and give"
        " the PIN.",
    ),
    "stage_do_pay": Words("钱包扫码付款", "Scan and pay"),
    "stage_say_out": Words("杆已抬起，请驶出。", "The arm is up: drive out."),
    "stage_do_out": Words("驶出", "Drive out"),
    "bill_say": Words(
        "这是车主钱包里的账单：用了多少、单价多少，一行一行对得上。",
        "So it stands in the owner's wallet: how much of what, at which price, line by line.",
    ),
    "bill_by_code": Words(
        "顾客扫码付的，钱包账单里与店里买东西一样。",
        "Paid by its code; in the wallet's bills it stands like any purchase.",
    ),
    "bill_free": Words("没有产生费用，没有付款。", "Nothing was to pay, and nothing was paid."),
    "again_thing": Words("再来一次", "Once more"),
    # The evening
    "evening": Words("日终", "Close the day"),
    "backend_day": Words("后台的营业日", "The backend's business day"),
    "evening_say": Words(
        "营业日没结束，就没有结算、账单和备付金核验。按下后夜晚过去：后台和各机构的时钟拨到次日早上"
        "九点，再清分、结算、出款、对账、核验备付金。控制台里的人要重新登录。",
        "Settlements, bills and the reserve's test come when a day is over. This lets the night"
        " pass: the clocks of the backend and all institutions go to nine next morning; then the"
        " day is cleared, settled, paid out, reconciled, and the reserve tested. Who is in the"
        " console signs in again.",
    ),
    "evening_do": Words("过一夜，结束这一天", "Let the night pass"),
    "evening_runs": Words("正在日终", "Closing"),
    "bill_for": Words("项目", "For"),
    "bill_how": Words("计算", "Worked out"),
    "col_day": Words("营业日", "Day"),
    "col_paid_out": Words("已出款", "Paid out"),
    "col_fees": Words("手续费", "Fees"),
    "col_reconciled": Words("对账", "Reconciled"),
    "col_reserve": Words("备付金核验", "Reserve test"),
    "day_closed": Words("已结束", "Closed"),
    "day_open": Words("未结束，请看差错", "Still open: see breaks"),
    "matched": Words("笔相符", "matched"),
    "breaks": Words("笔差错", "breaks"),
    "breaks_one": Words("笔差错", "break"),
    "passed": Words("通过", "Passed"),
    "failed": Words("未通过", "Failed"),
    "see": Words("在控制台看", "In the console"),
    "see_settlements": Words("结算", "Settlements"),
    "see_bills": Words("账单", "Bills"),
    "see_overview": Words("总览", "Overview"),
    "see_breaks": Words("差错", "Breaks"),
    "as_merchant": Words("商户登录", "sign in as merchant"),
    "as_operator": Words("运营登录", "as operator"),
    "close_clocks": Words("拨快时钟", "Clocks go forward"),
    "close_words": Words("问清未决交易", "Ask after what is open"),
    "close_channels": Words("各通道日切", "Channels end their day"),
    "close_bring_in": Words("通道资金入账", "Channels' money comes in"),
    "close_settle": Words("商户结算", "Settle merchants"),
    "close_own_money": Words("自有资金", "Own money"),
    "close_pay_out": Words("出款", "Pay out"),
    "close_reconcile": Words("对账", "Reconcile"),
    "close_sweep": Words("收取手续费", "Take our fees"),
    "close_evening": Words("账册与备付金核验", "Books and reserve test"),
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
