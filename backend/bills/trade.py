"""The trade bill (交易账单) of a merchant and business date. Pure.

Rule 1: names and order of the columns are WeChat Pay's, for each of its three types. ALL has
        payments and returns, SUCCESS payments alone, REFUND returns alone.
Rule 2: a payment stands on the day its money moved, a return on the day it was begun, with what was
        known of it when that day was over. What happens later is not written in: a bill that was
        given out once is given out again byte by byte.
Rule 3: a return's line has 0.00 in the payment's amounts and its own in the refund's; the fee that
        came back is negative. A payment undone on its day keeps its line and has a REVOKED one.
Rule 4: a payment that a merchant's program asked for stands under the numbers that the program
        knows; any other under ours.
Rule 5: our coupons are money for the merchant (what WeChat Pay calls a recharge coupon): the amount
        to settle is the whole price, and the coupon's part of it is told beside.
"""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from enum import StrEnum

from backend.bills.paper import BOM, fee, header, line, moment, rate, typed, yuan

_FRONT = (
    "交易时间", "公众账号ID", "商户号", "特约商户号", "设备号", "微信订单号", "商户订单号",
    "用户标识", "交易类型", "交易状态", "付款银行", "货币种类", "应结订单金额", "代金券金额",
)  # fmt: skip
_RETURN = (
    "微信退款单号", "商户退款单号", "退款金额", "充值券退款金额", "退款类型", "退款状态",
)  # fmt: skip
_TIMES = ("退款申请时间", "退款成功时间")
SUMMARY = (
    "总交易单数", "应结订单总金额", "退款总金额", "充值券退款总金额", "手续费总金额",
    "订单总金额", "申请退款总金额",
)  # fmt: skip
_TRADE_TYPES = {
    "pay_code": "MICROPAY",
    "merchant_qr": "NATIVE",
    "merchant_group": "NATIVE",
    "mandate": "PAP",
    "offline_token": "MICROPAY",
}
_BANKS = {"balance": "CFT", "offline": "CFT", "fund": "LQT", "ecny": "ECNY"}
_OTHER = "OTHERS"


class BillType(StrEnum):
    """Which lines a trade bill has."""

    ALL = "ALL"
    SUCCESS = "SUCCESS"
    REFUND = "REFUND"


class LineState(StrEnum):
    """What a line is about: a payment, a refund, a payment undone."""

    SUCCESS = "SUCCESS"
    REFUND = "REFUND"
    REVOKED = "REVOKED"


COLUMNS: dict[BillType, tuple[str, ...]] = {
    BillType.ALL: (
        *_FRONT, *_RETURN, "商品名称", "商户数据包", "手续费", "费率", "订单金额",
        "申请退款金额", "费率备注",
    ),
    BillType.SUCCESS: (
        *_FRONT, "商品名称", "商户数据包", "手续费", "费率", "订单金额", "费率备注",
    ),
    BillType.REFUND: (
        *_FRONT, *_TIMES, *_RETURN, "商品名称", "商户数据包", "手续费", "费率", "订单金额",
        "申请退款金额", "费率备注",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """By which numbers a merchant's program knows a payment and its return."""

    mchid: str
    appid: str
    transaction_id: str
    out_trade_no: str
    trade_type: str
    payer: str
    attach: str
    sub_mchid: str = ""
    """For whom a service provider's program asked."""
    refund_id: str = ""
    out_refund_no: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeLine:
    """A payment or a return. All amounts are positive or zero."""

    state: LineState
    at_ms: int
    """When the money moved, or when the return was begun."""
    paid_at_ms: int
    ended_at_ms: int | None = None
    """When the return had succeeded, if it had when its day was over."""
    merchant_id: str
    device: str
    payment_id: str
    payer: str
    method: str
    funding: str
    amount_minor: int
    coupon_minor: int
    fee_minor: int
    rate_bps: int
    return_id: str = ""
    description: str = ""
    attached: str = ""
    names: Names | None = None
    """None: no merchant's program has asked for it."""

    @property
    def is_return(self) -> bool:
        """Whether money went back."""
        return self.state is not LineState.SUCCESS


@dataclass(slots=True)
class TradeTotals:
    """The summary, added up while the lines pass."""

    count: int = 0
    """Lines: payments and returns."""
    returned_count: int = 0
    """Those of them that gave money back."""
    paid_minor: int = 0
    returned_minor: int = 0
    coupon_minor: int = 0
    coupon_returned_minor: int = 0
    fee_minor: int = 0
    fee_returned_minor: int = 0

    def add(self, one: TradeLine) -> None:
        """Count a line."""
        self.count += 1
        if one.is_return:
            self.returned_count += 1
            self.returned_minor += one.amount_minor
            self.coupon_returned_minor += one.coupon_minor
            self.fee_returned_minor += one.fee_minor
        else:
            self.paid_minor += one.amount_minor
            self.coupon_minor += one.coupon_minor
            self.fee_minor += one.fee_minor

    @classmethod
    def joined(cls, each: Iterable["TradeTotals"]) -> "TradeTotals":
        """Several summaries as one."""
        parts = [astuple(one) for one in each]
        return cls(*map(sum, zip(*parts, strict=True)))

    @property
    def net_minor(self) -> int:
        """What the sales leave the merchant."""
        given_back = self.returned_minor - self.fee_returned_minor
        return self.paid_minor - self.fee_minor - given_back


def write_trade_bill(
    lines: Iterable[TradeLine], bill_type: BillType, *, currency: str, offset_ms: int
) -> Iterator[str]:
    """The bill, a line at a time: names, lines, the summary's names, the summary."""
    totals = TradeTotals()
    yield BOM + header(COLUMNS[bill_type])
    for one in lines:
        totals.add(one)
        cells = _cells(one, bill_type, currency, offset_ms)
        yield line(cells[name] for name in COLUMNS[bill_type])
    yield header(SUMMARY)
    yield line(_summary(totals, currency))


def _summary(totals: TradeTotals, currency: str) -> tuple[str, ...]:
    paid, returned = yuan(totals.paid_minor, currency), yuan(totals.returned_minor, currency)
    return (
        str(totals.count),
        paid,
        returned,
        yuan(totals.coupon_returned_minor, currency),
        fee(totals.fee_minor - totals.fee_returned_minor, currency),
        paid,
        returned,
    )


def _cells(one: TradeLine, bill_type: BillType, currency: str, offset_ms: int) -> dict[str, str]:
    """A line's values by the columns' names. In a bill of type REFUND the first time is the
    payment's, because the return's two have columns of their own."""
    zero, amount = yuan(0, currency), yuan(one.amount_minor, currency)
    paid, returned = (zero, amount) if one.is_return else (amount, zero)
    coupon = yuan(one.coupon_minor, currency)
    at_ms = one.paid_at_ms if bill_type is BillType.REFUND else one.at_ms
    names = one.names or _our_names(one)
    ended = one.ended_at_ms
    return {
        "交易时间": moment(at_ms, offset_ms),
        "公众账号ID": names.appid,
        "商户号": names.mchid,
        "特约商户号": names.sub_mchid or "0",
        "设备号": typed(one.device),
        "微信订单号": names.transaction_id,
        "商户订单号": names.out_trade_no,
        "用户标识": typed(names.payer),
        "交易类型": names.trade_type,
        "交易状态": one.state.value,
        "付款银行": _BANKS.get(one.funding, _OTHER),
        "货币种类": currency,
        "应结订单金额": paid,
        "代金券金额": zero if one.is_return else coupon,
        "退款申请时间": moment(one.at_ms, offset_ms),
        "退款成功时间": "" if ended is None else moment(ended, offset_ms),
        "微信退款单号": names.refund_id if one.is_return else "0",
        "商户退款单号": names.out_refund_no if one.is_return else "0",
        "退款金额": returned,
        "充值券退款金额": coupon if one.is_return else zero,
        "退款类型": "ORIGINAL" if one.is_return else "",
        "退款状态": _return_state(one),
        "商品名称": typed(one.description),
        "商户数据包": typed(names.attach),
        "手续费": fee(-one.fee_minor if one.is_return else one.fee_minor, currency),
        "费率": rate(one.rate_bps),
        "订单金额": paid,
        "申请退款金额": returned,
        "费率备注": "",
    }


def _our_names(one: TradeLine) -> Names:
    return Names(
        mchid=one.merchant_id,
        appid="",
        transaction_id=one.payment_id,
        out_trade_no=one.payment_id,
        trade_type=_TRADE_TYPES.get(one.method, _OTHER),
        payer=one.payer,
        attach=one.attached,
        refund_id=one.return_id,
        out_refund_no=one.return_id,
    )


def _return_state(one: TradeLine) -> str:
    if not one.is_return:
        return ""
    return "PROCESSING" if one.ended_at_ms is None else "SUCCESS"
