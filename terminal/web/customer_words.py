"""The words of the payer's side, which the whole line of customers can read."""

from faces.words import Words

CUSTOMER_AWAY = Words(
    "收银机没有应答：请先不要付款，请询问店员",
    "The till does not answer: please do not pay yet, and ask the staff",
)
"""While the terminal's program is down, or its disk is full."""

CUSTOMER_TITLES: dict[str, Words] = {
    "choosing": Words("应付金额", "To pay"),
    "scanning": Words("请出示付款码", "Show your pay code"),
    "offline_scan": Words(
        "请用手机扫码签名，再出示手机上的码", "Scan and sign, then show the phone's code"
    ),
    "accepted_offline": Words("已离线受理，谢谢惠顾", "Accepted offline, thank you"),
    "verifying": Words("请按指纹确认", "Press your finger to confirm"),
    "sending": Words("请稍候", "One moment"),
    "offline": Words("请稍候", "One moment"),
    "qr": Words("请扫码支付", "Scan to pay"),
    "waiting": Words("请在手机上确认支付", "Please confirm on your phone"),
    "unknown": Words("正在确认结果，请勿重复付款", "Being confirmed; do not pay again"),
    "closing": Words("请稍候", "One moment"),
    "closed": Words("已取消，没有扣款", "Cancelled; nothing was charged"),
    "expired": Words("二维码已过期，没有扣款", "The code has expired; nothing was charged"),
    "reversing": Words("请稍候，款项将退回", "One moment, the money goes back"),
    "paid": Words("支付成功", "Paid"),
    "refund_sending": Words("正在退款", "Refunding"),
    "refund_unknown": Words("正在确认退款", "The refund is being confirmed"),
    "cash_due": Words("应付现金", "To pay in cash"),
    "cash_taken": Words("现金已收", "Cash received"),
    "cash_returned": Words("退还现金", "Cash refunded"),
    "card_asking": Words(
        "请在密码键盘上刷卡、插卡或挥卡", "Tap or insert your card at the PIN pad"
    ),
    "card_approved": Words("支付成功", "Paid"),
    "card_declined": Words("未获批准，没有扣款", "Not approved; nothing was charged"),
    "card_failed": Words("没有刷卡，没有扣款", "No card was asked; nothing was charged"),
    "card_unknown": Words("正在确认结果，请勿再次刷卡", "Being confirmed; do not pay again"),
    "card_refund_asking": Words("请刷卡退款", "Your card at the PIN pad, for the refund"),
    "card_refund_approved": Words("退款成功", "Refunded"),
    "card_refund_declined": Words("未获批准，没有退款", "Not approved; nothing was refunded"),
    "card_refund_failed": Words("没有退款", "Nothing was refunded"),
    "card_refund_unknown": Words("正在确认退款", "The refund is being confirmed"),
}
"""What the payer reads, where the cashier's title is not meant for the payer."""

_NEW_CODE = Words("付款码已失效，请刷新后再出示", "The pay code is over; please show a new one")
_PAY_CODE = Words("请打开钱包的“付款码”再出示", "Please open your wallet's pay code and show it")
_SCAN_ANEW = Words("请重新扫描收银台的码", "Please scan the till's code again")
CUSTOMER_ERRORS: dict[str, Words] = {
    "pay_code_expired": _NEW_CODE,
    "pay_code_used": _NEW_CODE,
    "pay_code_invalid": _PAY_CODE,
    "merchant_code_scanned": _PAY_CODE,
    "wallet_not_taken": Words(
        "这里不收这个钱包，请换一个", "This wallet is not taken here; please use another"
    ),
    "payer_not_confirmed": Words(
        "没有在手机上确认，没有扣款", "Not confirmed on the phone; nothing was charged"
    ),
    "payer_refused": Words("已在手机上拒绝，没有扣款", "Refused on the phone; nothing was charged"),
    "offline_token_invalid": _SCAN_ANEW,
    "offline_token_other": _SCAN_ANEW,
    "offline_token_used": _SCAN_ANEW,
    "offline_token_expired": Words(
        "离线付款凭证已失效，请联网更新",
        "The offline voucher is over; your phone needs a line for a new one",
    ),
    "hub_silent": Words(
        "店里的系统暂时没有应答，正在自动重试，请勿再付这一笔",
        "The shop's system does not answer yet; please do not pay this one any more",
    ),
    "busy": Words(
        "付款的人很多，正在排队，不会重复扣款",
        "Many pay at the moment: yours waits its turn, and is charged once",
    ),
    "spool_unwritable": Words(
        "店里的系统暂时无法受理，正在自动重试，不会重复扣款",
        "The shop's system takes nothing at the moment: yours is tried again, and is charged once",
    ),
}
"""What the payer reads, where the advice is the cashier's."""
CUSTOMER_DECLINED = Words(
    "没有扣款，请换一种方式付款", "Nothing was charged; please pay another way"
)
"""What the payer reads of every other decline: those who stand in line read it, too, and a balance
or a freeze is none of their business."""
CUSTOMER_UNDOING = Words(
    "正在取消，还没有完成，系统会自动重试，请勿再付这一笔",
    "Being cancelled: it goes on by itself; please do not pay this one any more",
)
"""What the payer reads while a close or a reversal waits, whatever for."""
