"""The words of the wallet's pages."""

from faces.words import Words

WORDS: dict[str, Words] = {
    # Everywhere
    "wallet": Words("钱包", "Wallet"),
    "language": Words("English", "中文"),
    "menu": Words("菜单", "Menu"),
    "back": Words("返回", "Back"),
    "done": Words("完成", "Done"),
    "cancel": Words("取消", "Cancel"),
    "ok": Words("确定", "OK"),
    "backspace": Words("退格", "Backspace"),
    "line_lost": Words("连接中断，正在重试…", "The line is down; trying again…"),
    # Sign in
    "sign_in": Words("登录", "Sign in"),
    "sign_out": Words("退出登录", "Sign out"),
    "token": Words("钱包令牌", "Wallet token"),
    "token_hint": Words(
        "令牌由运营方开户时给出，请粘贴在此。浏览器只保存在仅供本站读取的会话里。",
        "Paste the token that was printed when the wallet was opened. No script can read it here.",
    ),
    "sign_in_lead": Words("打开您的钱包", "Open your wallet"),
    "token_wrong": Words("令牌无效或已被替换。", "This token is unknown, or was replaced."),
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
    "code_text": Words("付款码数字", "Digits of the pay code"),
    "asked_title": Words("等待您确认", "Waiting for your PIN"),
    "asked_open": Words("输入密码付款", "Enter PIN to pay"),
    # Scan
    "scan_lead": Words("粘贴或输入商家的二维码内容", "Paste or type what the merchant's code says"),
    "scan_text": Words("二维码内容", "What the code says"),
    "scan_hint": Words(
        "扫码枪也可以：扫入后自动继续。",
        "A scanner that types works, too: it goes on by itself.",
    ),
    "go_on": Words("继续", "Continue"),
    # Paying
    "pay_to": Words("付款给", "Pay to"),
    "for": Words("商品", "For"),
    "until": Words("请在此前付款", "Pay before"),
    "pay_with": Words("付款方式", "Pay with"),
    "balance": Words("余额", "Balance"),
    "coupon": Words("优惠券", "Coupon"),
    "coupon_none": Words("不使用优惠券", "No coupon"),
    "pay_now": Words("确认付款", "Pay"),
    "refuse": Words("拒绝付款", "Refuse to pay"),
    "pin": Words("支付密码", "Payment PIN"),
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
    "refused_title": Words("没有付款", "Nothing was paid"),
    "refused_by_you": Words("您已拒绝这笔付款。", "You have refused this payment."),
    # Bills
    "bills_none": Words("还没有付款", "No payments yet"),
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
    "paid_at": Words("付款时间", "Paid at"),
    "number": Words("交易单号", "Payment number"),
    # Me
    "available": Words("可用余额", "Available balance"),
    "frozen": Words("账户已冻结", "The account is frozen"),
    "held": Words("其中占用", "of it held"),
    "pin_free": Words("免密支付", "Paying without the PIN"),
    "pin_free_limit": Words("单笔上限", "One payment up to"),
    "pin_free_left": Words("今日还可免密", "Left today"),
    "times": Words("笔", "payments"),
    "mandates": Words("免密代扣", "Mandates"),
    "red_packets": Words("红包", "Red packets"),
    "coupons": Words("优惠券", "Coupons"),
    "cards": Words("银行卡与付款方式", "Cards and ways to pay"),
    "transfers": Words("商家转账", "Money from merchants"),
}

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
