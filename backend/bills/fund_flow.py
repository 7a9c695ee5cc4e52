"""The fund-flow bill (资金账单) of a merchant's basic account and a day. Pure.

Rule 1: the basic account is all we owe the merchant: pending, with its sub-accounts, and available.
        What moves between these is no movement of the account and has no line.
Rule 2: a line for each transfer of the ledger that changed it, by the time it was posted; so a
        payment's amount and its fee are two. The balance beside it is the ledger's after it.
Rule 3: names and order of the columns are WeChat Pay's.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backend.bills.paper import BOM, header, line, moment, yuan
from backend.ledger import chart

COLUMNS = (
    "记账时间", "微信支付业务单号", "资金流水单号", "业务名称", "业务类型", "收支类型",
    "收支金额(元)", "账户结余(元)", "资金变更提交申请人", "备注", "业务凭证号",
)  # fmt: skip
SUMMARY = ("资金流水总笔数", "收入笔数", "收入金额", "支出笔数", "支出金额")
_RETURN_MARK = "RTN-"
_PAYMENT, _REFUND, _PAYOUT = ("交易", "交易"), ("退款", "退款"), ("提现", "提现")
_DISPUTE, _COVER = ("交易纠纷", "交易纠纷"), ("垫付", "垫付")
_NAMES: dict[str, tuple[str, str]] = {
    "balance_paid": _PAYMENT,
    "hold_post": _PAYMENT,
    "card_paid": _PAYMENT,
    "ecny_paid": _PAYMENT,
    "fund_paid": _PAYMENT,
    "fund_paid_by_own_advance": _PAYMENT,
    "exchange_paid": _PAYMENT,
    "escrow_released": _PAYMENT,
    "offline_paid": _PAYMENT,
    "offline_covered": _PAYMENT,
    "coupon_paid": _PAYMENT,
    "fee_charged": _PAYMENT,
    "balance_refunded": _REFUND,
    "offline_cover_returned": _REFUND,
    "channel_refund_started": _REFUND,
    "payout_instructed": _PAYOUT,
    "payout_rejected": ("提现", "提现退回"),
    "payout_returned": ("提现", "提现退回"),
    "merchant_packet_sent": ("现金红包", "现金红包"),
    "merchant_packet_expired": ("现金红包", "现金红包退回"),
    "share_frozen": ("分账", "分账冻结"),
    "share_released": ("分账", "分账解冻"),
    "share_paid": ("分账", "分账"),
    "share_posted": ("分账", "分账"),
    "share_returned": ("分账", "分账回退"),
    "stock_set_aside": ("代金券", "代金券充值"),
    "stock_released": ("代金券", "代金券余额退回"),
    "stock_refunded": ("退款", "代金券退款"),
    "dispute_opened": _DISPUTE,
    "dispute_won": _DISPUTE,
    "merchant_covered": _COVER,
    "merchant_cover_repaid": ("垫付", "归还垫付"),
}
_GIFTS = {
    "merchant_packet_sent": {"rpk": ("现金红包", "现金红包"), "mtr": ("商家转账", "商家转账")},
    "merchant_packet_expired": {
        "rpk": ("现金红包", "现金红包退回"),
        "mtr": ("商家转账", "商家转账退回"),
    },
}
"""By what was given: a red packet, or a transfer."""
_OTHER = ("其他", "其他")


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What one transfer added to the basic account (negative: took from it)."""

    at_ms: int
    transfer_id: str
    rule: str
    counter_account: str
    amount_minor: int
    number: str = ""
    """The platform's number of it, which a merchant's program knows; empty: ours stands."""
    voucher: str = ""
    """The platform's number of the order."""

    @property
    def event_id(self) -> str:
        """What caused it."""
        return self.transfer_id.rpartition(":")[0]

    @property
    def business_id(self) -> str:
        """The payment, refund, payout or dispute that it belongs to."""
        return self.event_id.removeprefix(_RETURN_MARK).partition(".")[0]


def write_fund_flow(
    moves: Iterable[Movement],
    *,
    merchant_id: str,
    currency: str,
    opening_minor: int,
    offset_ms: int,
) -> Iterator[str]:
    """The bill, a line at a time. ``moves`` are all of the day's, in order."""
    balance = opening_minor
    count = [0, 0]
    total = [0, 0]
    yield BOM + header(COLUMNS)
    for one in moves:
        balance += one.amount_minor
        is_out = one.amount_minor < 0
        count[is_out] += 1
        total[is_out] += abs(one.amount_minor)
        name, kind = names(one)
        yield line(
            (
                moment(one.at_ms, offset_ms),
                one.number or one.business_id,
                one.transfer_id,
                name,
                kind,
                "支出" if is_out else "收入",
                yuan(abs(one.amount_minor), currency),
                yuan(balance, currency),
                merchant_id if name in {"交易", "退款"} else "system",
                _note(one),
                one.voucher or one.business_id,
            )
        )
    yield header(SUMMARY)
    yield line(
        (
            str(sum(count)),
            str(count[False]),
            yuan(total[False], currency),
            str(count[True]),
            yuan(total[True], currency),
        )
    )


def names(one: Movement) -> tuple[str, str]:
    """业务名称 and 业务类型 of a movement."""
    if one.rule == "reversed":
        found = ("退款", "退款失败退回") if one.event_id.endswith(".refused") else ("交易", "撤销")
    elif one.rule in _GIFTS:
        found = _GIFTS[one.rule].get(one.event_id.partition("_")[0], _OTHER)
    else:
        found = _NAMES.get(one.rule, _OTHER)
    if chart.account(one.counter_account).code != "UNSWEPT":
        return found
    return found[0], "扣除交易手续费" if one.amount_minor < 0 else "退还交易手续费"


def _note(one: Movement) -> str:
    """Own money of ours on the other side: a coupon's part, or what covers a merchant."""
    is_ours = chart.account(one.counter_account).code == "OWN_DUE"
    if not is_ours:
        return ""
    return "代金券" if names(one)[0] in {"交易", "退款"} else "平台垫付"
