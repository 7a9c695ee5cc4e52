"""What a refusal says to the payer: the catalogue speaks to who stands at the till."""

from faces.words import Bilingual, Words
from protocol.errors import advice

_TO_PAYER: dict[str, Words] = {
    "channel_declined": Words(
        "银行没有扣款，请换一种付款方式，或联系您的银行。",
        "Your bank declined it; pay another way, or ask your bank.",
    ),
    "channel_stopped": Words(
        "这种付款方式已暂停，没有资金变动，请换一种。",
        "This way to pay is stopped for now; no money was moved. Pay another way.",
    ),
    "insufficient_balance": Words(
        "余额不足，请换一种付款方式，或先充值。",
        "The balance is not enough; pay another way, or top up first.",
    ),
    "payer_frozen": Words(
        "您的账户已冻结，请联系客服。", "Your account is frozen; call customer service."
    ),
    "payer_not_confirmed": Words(
        "您没有在时限内确认，没有付款。", "You did not confirm it in time; nothing was paid."
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
}


def to_payer(code: str) -> Bilingual:
    """The sentence for a code; the catalogue's own where it fits a payer as well."""
    return _TO_PAYER.get(code) or advice(code)
