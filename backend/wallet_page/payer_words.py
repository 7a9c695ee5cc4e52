"""What a refusal says to the payer: the catalogue speaks to who stands at the till."""

from faces.words import Bilingual, Words
from protocol.errors import advice

_TO_PAYER: dict[str, Words] = {
    "backend_unreachable": Words(
        "网络中断，结果还不清楚；请先看账单，不要重复付款。",
        "The line is down and the outcome is not known yet; look at your bills, do not pay again.",
    ),
    "busy": Words(
        "系统繁忙，这次没有办成；请稍等片刻再试，不会重复付款。",
        "The system is busy, so this was not done; wait a moment and try again. "
        "You will not pay twice.",
    ),
    "channel_declined": Words(
        "银行没有扣款，请换一种付款方式，或联系您的银行。",
        "Your bank declined it; pay another way, or ask your bank.",
    ),
    "channel_stopped": Words(
        "这种付款方式已暂停，没有资金变动，请换一种。",
        "This way to pay is stopped for now; no money was moved. Pay another way.",
    ),
    "field_invalid": Words(
        "填写的内容有误，请检查后再试。",
        "Something that was filled in is wrong; correct it and try again.",
    ),
    "idempotency_conflict": Words(
        "这一页的内容已提交过，没有再次办理；请返回查看，或重新填写。",
        "This form was sent before with other content and is not carried out again; "
        "go back and look, or fill it in anew.",
    ),
    "internal": Words(
        "系统出错，结果还不清楚；请先看账单，再决定是否重试。",
        "Something went wrong here and the outcome is not known; "
        "look at your bills before you try again.",
    ),
    "insufficient_balance": Words(
        "余额不足，请换一种付款方式，或先充值。",
        "The balance is not enough; pay another way, or top up first.",
    ),
    "payer_frozen": Words(
        "您的账户已冻结，请联系客服。", "Your account is frozen; call customer service."
    ),
    "payer_limit_day": Words(
        "超过您账户的单日限额，请换一种付款方式。",
        "It is more than what is left of your account's limit for the day; pay another way.",
    ),
    "payer_limit_payment": Words(
        "超过您账户的单笔限额，请换一种付款方式。",
        "It is more than your account's limit for one payment; pay another way.",
    ),
    "payer_limit_year": Words(
        "超过您账户的单年限额，请换一种付款方式。",
        "It is more than what is left of your account's limit for the year; pay another way.",
    ),
    "payer_not_confirmed": Words(
        "您没有在时限内确认，没有付款。", "You did not confirm it in time; nothing was paid."
    ),
    "merchant_stopped": Words(
        "商家暂停收款，没有扣款；请与商家商量其他办法。",
        "The merchant takes no payments for now and nothing was charged; ask there.",
    ),
    "payment_closed": Words(
        "这笔订单已不能付款，请商家重新出码。",
        "This order can no longer be paid; ask the merchant for a new code.",
    ),
    "payment_expired": Words(
        "这笔订单已过期，没有付款；请商家重新出码。",
        "This order has expired and nothing was paid; ask the merchant for a new code.",
    ),
    "route_unknown": Words(
        "没有这个页面，请检查网址。", "There is no such page; check the address."
    ),
    "risk_declined": Words(
        "这笔付款存在风险，已拒绝；如有疑问请联系客服。",
        "The payment was declined for risk; call customer service if you wonder why.",
    ),
    "timeout": Words(
        "等待超时，结果还不清楚；请先看账单，不要重复付款。",
        "No answer in time, so the outcome is not known yet; look at your bills, do not pay again.",
    ),
    "wallet_not_taken": Words(
        "商家不收这个钱包的付款，请换一个钱包扫码。",
        "The merchant does not take this wallet; scan the code with another one.",
    ),
}


def to_payer(code: str) -> Bilingual:
    """The sentence for a code; the catalogue's own where it fits a payer as well."""
    return _TO_PAYER.get(code) or advice(code)
