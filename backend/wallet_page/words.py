"""The words of the wallet's pages."""

from dataclasses import dataclass

from backend.wallet.switches import Switch
from backend.wallet_page.signing_words import SIGNING
from faces.words import Words

WORDS: dict[str, Words] = {
    **SIGNING,
    # Everywhere
    "wallet": Words("钱包", "Wallet"),
    "language": Words("English", "中文"),
    "menu": Words("菜单", "Menu"),
    "back": Words("返回", "Back"),
    "done": Words("完成", "Done"),
    "cancel": Words("取消", "Cancel"),
    "ok": Words("确定", "OK"),
    "backspace": Words("退格", "Backspace"),
    "missing": Words("请填写这一项。", "Please fill this in."),
    "unfit": Words("格式不对，请检查。", "This does not fit; please check it."),
    "line_lost": Words("连接中断，正在重试…", "The line is down; trying again…"),
    # Sign in
    "sign_in": Words("登录", "Sign in"),
    "opening": Words("打开钱包", "Open the wallet"),
    "opening_code": Words("打开码", "Opening code"),
    "opening_hint": Words(
        "首页的按钮或命令 tillway open 会带来这个码：两分钟内有效，只能用一次。",
        "The front page's button, or the command tillway open, brings this code: good once, and for"
        " two minutes.",
    ),
    "opening_do": Words("打开", "Open"),
    "sign_out": Words("退出登录", "Sign out"),
    "token": Words("钱包令牌", "Wallet token"),
    "token_hint": Words(
        "令牌由运营方开户时给出，请粘贴在此。浏览器只保存在仅供本站读取的会话里。",
        "Paste the token that was printed when the wallet was opened. No script can read it here.",
    ),
    "sign_in_lead": Words("打开您的钱包", "Open your wallet"),
    "token_wrong": Words("令牌无效或已被替换。", "This token is unknown, or was replaced."),
    # A tester's switches
    "switches": Words("失败开关", "Failure switches"),
    "switches_on": Words("正在故意失败：", "Failing on purpose:"),
    "switches_lead": Words(
        "仅测试环境。只影响这个钱包自己的付款，打开后每页都会提示。",
        "For testers. Only this wallet's payments are touched; every page says so while one is on.",
    ),
    "turn_on": Words("打开", "Turn on"),
    "turn_off": Words("关闭", "Turn off"),
    # Tabs
    "code": Words("付款码", "Pay code"),
    "scan": Words("扫一扫", "Scan"),
    "bills": Words("账单", "Bills"),
    "me": Words("我的", "Me"),
    # Pay code
    "code_lead": Words("向收银员出示", "Show this to the cashier"),
    "code_warning": Words(
        "付款码等于现金，请勿发给他人。", "A pay code is like cash: never send it to anybody."
    ),
    "code_left": Words("自动更新", "New code in"),
    "code_until": Words("有效至", "Good until"),
    "code_new": Words("换一个", "Another code"),
    "bars": Words("付款条码", "Pay code as a barcode"),
    "code_text": Words("付款码数字", "Digits of the pay code"),
    "asked_title": Words("等待您确认", "Waiting for your PIN"),
    "asked_open": Words("输入密码付款", "Enter PIN to pay"),
    "sign_in_again": Words(
        "登录已过期。重新登录后，继续这一笔付款。",
        "Your session is over. Sign in again to go on with this payment.",
    ),
    # Scan
    "scan_lead": Words("粘贴或输入商家二维码", "Paste or type what the merchant's code says"),
    "scan_text": Words("二维码内容", "What the code says"),
    "scan_hint": Words(
        "扫码枪也可以：扫入后自动继续。",
        "A scanner that types works, too: it goes on by itself.",
    ),
    "go_on": Words("继续", "Continue"),
    # Paying
    "pay_to": Words("付款给", "Pay to"),
    "for": Words("商品", "For"),
    "until": Words("付款截止时间", "Pay before"),
    "pay_with": Words("付款方式", "Pay with"),
    "balance": Words("余额", "Balance"),
    "coupon": Words("优惠券", "Coupon"),
    "coupon_none": Words("不使用优惠券", "No coupon"),
    "pay_now": Words("确认付款", "Pay"),
    "refuse": Words("拒绝付款", "Refuse to pay"),
    "pin": Words("支付密码", "Payment PIN"),
    "pin_wrong": Words("支付密码是六位数字。", "The PIN has six digits."),
    "pin_tries_left": Words("还可再试 %s 次。", "%s tries are left."),
    "pin_tries_one": Words("还可再试 1 次。", "One try is left."),
    "pin_locked_until": Words(
        "支付密码多次错误，已锁定，%s 起可再试。",
        "Too many wrong PINs: the PIN is locked until %s.",
    ),
    "pin_lead": Words("请输入六位支付密码", "Enter your six-digit payment PIN"),
    "no_pin": Words("小额免密，无需输入密码", "Small amount: no PIN is needed"),
    "parts": Words("共付以下各笔", "One payment for all of these"),
    # Result
    "paid": Words("付款成功", "Paid"),
    "waits": Words("处理中", "On its way"),
    "waits_told": Words(
        "银行还没有答复，请勿重复付款。",
        "The bank has not answered yet. Do not pay again.",
    ),
    "not_done": Words("没有办成", "That did not work"),
    "refused_title": Words("没有付款", "Nothing was paid"),
    "refused_by_you": Words("您已拒绝这笔付款。", "You have refused this payment."),
    # Bills
    "bills_none": Words("还没有付款", "No payments yet"),
    "bills_advice": Words(
        "向收银员出示付款码，或扫商家的二维码。",
        "Show a cashier your pay code, or scan what the merchant shows.",
    ),
    "bills_none_in_month": Words(
        "这个月没有付款，请换一个月份。", "Nothing was paid in this month: choose another."
    ),
    "month": Words("月份", "Month"),
    "every_month": Words("全部", "Every month"),
    "show": Words("查看", "Show"),
    "spent": Words("本页支出", "Spent on this page"),
    "refunds": Words("退款", "Refunds"),
    "why": Words("这笔款怎么来的", "How this came about"),
    "reason": Words("原因", "Reason"),
    "began": Words("开始", "Began"),
    "ended": Words("结束", "Ended"),
    "held_to": Words("按限额只收", "Held to the limit"),
    "receipt": Words("小票号", "Receipt number"),
    "older": Words("更早的账单", "Older bills"),
    "merchant": Words("商家", "Merchant"),
    "state": Words("状态", "State"),
    "price": Words("金额", "Price"),
    "coupon_paid": Words("优惠", "Coupon paid"),
    "you_paid": Words("实付", "You paid"),
    "refunded": Words("已退款", "Refunded"),
    "method": Words("方式", "How"),
    "pay_code": Words("付款码", "Pay code"),
    "merchant_qr": Words("扫码付款", "Scanned code"),
    "merchant_group": Words("合并付款", "Paid together"),
    "mandate": Words("免密代扣", "By mandate"),
    "offline_token": Words("离线付款", "Offline"),
    "paid_at": Words("付款时间", "Paid at"),
    "number": Words("交易单号", "Payment number"),
    # Me
    "available": Words("可用余额", "Available balance"),
    "frozen": Words("账户已冻结", "The account is frozen"),
    "held": Words("其中占用", "of it held"),
    "pin_free": Words("免密支付", "Paying without the PIN"),
    "pin_free_limit": Words("扫码付款，单笔上限", "Scanned, one payment up to"),
    "pin_free_code": Words(
        "出示付款码时按商户的上限；您在这里设得更低，就按您的。",
        "Where you show your pay code the shop's limit counts, "
        "or yours if you set a lower one here.",
    ),
    "pin_free_left": Words("今日还可免密", "Left today"),
    "pin_free_count": Words("今日剩余笔数", "Payments left today"),
    "pin_free_change": Words("调整额度", "Change the limit"),
    "pin_free_own": Words("我的单笔上限（元）", "My limit of one payment, in yuan"),
    "pin_free_hint": Words(
        "最高 %s 元，填 0 则每次都要密码，留空恢复默认。",
        "At most %s yuan; 0 always asks for the PIN, empty is the usual limit.",
    ),
    "pin_free_set": Words("保存", "Save"),
    "contracts": Words("扣费协议", "Contracts"),
    "contract": Words("扣费协议", "Contract"),
    "contracts_none": Words("没有与商家程序的扣费协议", "No contract with a merchant's program"),
    "contracts_advice": Words(
        "在商家的程序里开通后，会在这里等您签名。",
        "One that you begin in a merchant's program waits here for you to sign it.",
    ),
    "account": Words("账号", "Account"),
    "pause_or_stop": Words("暂停或停止", "Pause or stop"),
    "sign_on_phone": Words(
        "请在保存您密钥的手机上签名。", "Sign it on the phone that holds your key."
    ),
    "services": Words("先享后付", "Pay afterwards"),
    "service": Words("先享后付", "Pay afterwards"),
    "services_none": Words("没有先享后付的服务", "No service is paid afterwards"),
    "services_advice": Words(
        "商家开始一项服务后，会在这里等您确认。",
        "What a merchant begins waits here until you agree to it.",
    ),
    "service_at_most": Words("最多扣款", "At most"),
    "service_total": Words("费用", "Cost"),
    "times": Words("笔", "times"),
    "times_one": Words("笔", "time"),
    "mandates": Words("免密代扣", "Mandates"),
    "red_packets": Words("红包", "Red packets"),
    "coupons": Words("优惠券", "Coupons"),
    "cards": Words("银行卡与付款方式", "Cards and ways to pay"),
    # Mandates
    "mandates_none": Words("没有免密代扣协议", "You have agreed to no mandates"),
    "mandates_advice": Words(
        "用下面的按钮，可让一台设备在您定的限额内自动扣款。",
        "By the button below a device may take money by itself, within limits that you set.",
    ),
    "device": Words("设备", "Device"),
    "limit_payment": Words("单笔上限", "One payment up to"),
    "limit_day": Words("每日上限", "A day up to"),
    "ask_above": Words("超过需您确认", "Asks you above"),
    "limit_month": Words("每月上限", "A month up to"),
    "spent_today": Words("今日已扣", "Taken today"),
    "notice": Words("提前通知", "Notice before a debit"),
    "hours": Words("小时", "hours"),
    "hours_one": Words("小时", "hour"),
    "valid_until": Words("有效期至", "Good until"),
    "suspend": Words("暂停", "Pause"),
    "resume": Words("恢复", "Resume"),
    "terminate": Words("停止代扣", "Stop this mandate"),
    "terminate_told": Words(
        "停止后商家不能再从此协议扣款，且不能恢复。",
        "Nothing more can be taken under it. This cannot be undone.",
    ),
    "terminate_now": Words("确认停止", "Stop it now"),
    "notices": Words("即将扣款", "Announced debits"),
    "notice_refuse": Words("拒绝此次扣款", "Refuse this debit"),
    "uses": Words("扣款记录", "What was taken"),
    "undone": Words("已撤销", "undone"),
    # Without a line
    "offline": Words("离线付款", "Paying offline"),
    "offline_lead": Words(
        "预留一笔钱，店里断网时由保存您密钥的手机付款。本页可预留和查看。",
        "Set money aside for shops without a line. The phone that holds your key pays from it; here"
        " you set aside and see what was used.",
    ),
    "offline_give": Words("预留", "Set aside"),
    "offline_amount": Words("金额（元，最多 %s）", "Amount in yuan, at most %s"),
    "offline_one": Words("同一时间只能有一笔预留。", "One at a time: it has to end first."),
    "offline_aside": Words("已预留", "Set aside"),
    "offline_used": Words("已用", "Used"),
    "offline_left": Words("还剩", "Left of it"),
    "offline_until": Words("可付款至", "Pays until"),
    "offline_back": Words("余款最迟退回", "The rest is back by"),
    "offline_waits": Words(
        "商家可能还有未上传的付款，所以不能提前结束；到期后余款自动退回余额。",
        "A shop may hold a payment that has not come in yet, so it cannot be ended early; the rest"
        " goes back to your balance by itself.",
    ),
    "offline_number": Words("预留编号", "Number of the voucher"),
    "offline_payments": Words("离线付款记录", "What came in"),
    "voucher_open": Words("可用", "Open"),
    "voucher_overspent": Words("重复使用", "Spent twice"),
    "voucher_closed": Words("已退回", "Returned"),
    "voucher_closed_overspent": Words("已结束", "Ended"),
    "borne_set_aside": Words("从预留款付", "From what was set aside"),
    "borne_balance": Words("从余额付", "From the balance"),
    "borne_house": Words("由平台承担", "Borne by the house"),
    "borne_merchant": Words("由商家承担", "Borne by the merchant"),
    # Red packets
    "red_packet": Words("红包", "Red packet"),
    "red_packet_send": Words("发红包", "Send a red packet"),
    "red_packet_claim": Words("领红包", "Open one"),
    "red_packet_number": Words("红包编号", "Red packet number"),
    "red_packets_sent": Words("我发出的", "Sent"),
    "red_packets_got": Words("我领到的", "Opened"),
    "red_packets_given": Words("商家送的", "From merchants"),
    "red_packets_none": Words("还没有红包", "No red packets yet"),
    "red_packets_advice": Words(
        "发一个红包，或输入朋友给您的编号来领取。",
        "Send one, or type the number that a friend has handed on to you.",
    ),
    "share_bounds": Words(
        "每个红包 %s 至 %s 元，最多 %s 个。",
        "Each share from %s to %s yuan, and no more than %s shares.",
    ),
    "hand_on": Words(
        "把编号发给朋友，24 小时内有效。", "Hand the number on; it is good for 24 hours."
    ),
    "kind": Words("类型", "Kind"),
    "lucky": Words("拼手气", "Lucky"),
    "equal": Words("普通", "Equal"),
    "total": Words("总金额（元）", "Total in yuan"),
    "shares": Words("个数", "Shares"),
    "wish": Words("祝福语", "Wish"),
    "wish_default": Words("恭喜发财，大吉大利", "Good luck and prosperity"),
    "left": Words("剩余", "Left"),
    "you_got": Words("您领到", "You got"),
    "open": Words("领取中", "Open"),
    "taken": Words("已领完", "All taken"),
    "returned": Words("已退回", "Returned"),
    "from": Words("来自", "From"),
    # Coupons, cards, transfers
    "coupons_none": Words("没有优惠券", "No coupons"),
    "coupons_advice": Words(
        "商家或平台发给您的优惠券会在这里，付款时可选用。",
        "What a merchant or the house gives you stands here, to be used when you pay.",
    ),
    "above": Words("满", "For"),
    "usable": Words("可用", "or more"),
    "everywhere": Words("全场通用", "At every merchant's"),
    "one_merchant": Words("指定商家", "At one merchant's"),
    "use_next": Words("下次付款码使用", "Use with the next pay code"),
    "use_not": Words("不再使用", "Do not use"),
    "chosen": Words("已选用", "Chosen"),
    "issued": Words("未使用", "Unused"),
    "used": Words("已使用", "Used"),
    "expired": Words("已过期", "Expired"),
    "voided": Words("已作废", "Withdrawn"),
    "remove": Words("解绑", "Remove"),
    "card_new": Words("添加银行卡", "Add a bank card"),
    "cards_none": Words("还没有银行卡", "No bank card yet"),
    "card_number": Words("卡号", "Card number"),
    "card_number_wrong": Words("卡号是 13 至 19 位数字。", "A card's number has 13 to 19 digits."),
    "card_phone_wrong": Words(
        "手机号只有数字，6 至 15 位。", "A phone's number has 6 to 15 digits."
    ),
    "card_holder": Words("持卡人", "Cardholder"),
    "card_own_only": Words("只能添加本人名下的银行卡", "Cards in your own name only"),
    "card_phone": Words("银行预留手机号", "Phone that the bank knows"),
    "card_hint": Words(
        "卡号只送到发卡银行核对，本钱包只留下银行名和后四位。",
        "The number goes to the card's bank alone; the wallet keeps the bank's name and the last"
        " four digits.",
    ),
    "card_next": Words("获取银行验证码", "Get the bank's code"),
    "card_code": Words("银行短信验证码", "The bank's code"),
    "card_code_sent": Words(
        "银行已向预留手机号发送验证码，十分钟内有效。",
        "The bank has sent a code to that phone; it is good for ten minutes.",
    ),
    "amount_yuan": Words("金额（元）", "Amount in yuan"),
    "amount_bounds": Words(
        "每次 %s 至 %s 元，最多两位小数。",
        "From %s to %s yuan at a time, with two decimals at most.",
    ),
    "from_card": Words("付款银行卡", "From card"),
    "to_card": Words("到账银行卡", "To card"),
    "top_up": Words("充值", "Top up"),
    "topped_up": Words("充值成功", "Topped up"),
    "not_topped_up": Words("充值未成功", "Not topped up"),
    "top_up_waits": Words(
        "银行还没有答复，到账后余额会增加。",
        "The bank has not answered yet; the balance grows when it does.",
    ),
    "withdraw": Words("提现", "Withdraw"),
    "withdrawals": Words("提现记录", "Withdrawals"),
    "withdraw_fee": Words(
        "累计 %s 元内免费，超出部分收 %s%%，最低 %s 元。",
        "Free up to %s yuan in all; above that %s%%, at least %s yuan.",
    ),
    "fee": Words("手续费", "Fee"),
    "first": Words("付款码首选", "Pays for pay codes"),
    "make_first": Words("设为首选", "Pay with this"),
    "card": Words("银行卡", "Bank card"),
    "fund": Words("货币基金", "Money-market fund"),
    "ecny": Words("数字人民币", "e-CNY"),
    "transfers_none": Words("没有商家转账", "Nothing from merchants"),
    "transfers_advice": Words(
        "商家转给您的钱在这里等您收下，收下后进入余额。",
        "Money that a merchant sends waits here until you take it; then it is on your balance.",
    ),
    "take": Words("收下", "Take it"),
    "waiting": Words("待收款", "Waiting for you"),
    "succeeded": Words("已收款", "Taken"),
    "cancelled": Words("已取消", "Cancelled"),
    "failed": Words("未完成", "Not made"),
    "transfers": Words("商家转账", "Money from merchants"),
}


@dataclass(frozen=True, slots=True)
class SwitchTold:
    """What a switch is called, and what it does."""

    name: Words
    effect: Words


SWITCHES: dict[Switch, SwitchTold] = {
    Switch.EMPTY: SwitchTold(
        Words("余额不足", "Empty balance"),
        Words("余额付款一律不足", "Payments from the balance find it empty"),
    ),
    Switch.SLOW: SwitchTold(
        Words("应答缓慢", "Slow answer"),
        Words("确认后八秒才应答", "Confirming is answered after eight seconds"),
    ),
    Switch.PIN: SwitchTold(
        Words("总要密码", "PIN needed"),
        Words("免密额度归零", "The limit without a PIN is zero"),
    ),
    Switch.DROP: SwitchTold(
        Words("付款后断线", "Drop after pay"),
        Words("确认后已付款，手机收不到结果", "Confirming pays, and the phone hears nothing"),
    ),
    Switch.FROZEN: SwitchTold(
        Words("账户冻结", "Frozen"),
        Words("账户被冻结，不能付款", "The payer is frozen and cannot pay"),
    ),
    Switch.BANK: SwitchTold(
        Words("银行拒绝", "Bank declines"),
        Words("银行卡付款被银行拒绝", "The bank behind a card declines"),
    ),
}
