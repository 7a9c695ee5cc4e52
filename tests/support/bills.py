"""Reads bills by WeChat Pay's documentation of them, and knows nothing of what writes ours: the
columns stand here as the documentation prints them, and lines are cut as merchants' programs do."""

from dataclasses import dataclass
from datetime import date

from backend.bills.service import PaperDesk, SpooledPaper
from backend.bills.trade import BillType
from protocol.money import Money
from tests.support.clearing import SHOP_OFFSET_MS, World
from tests.support.institutions import OWN
from tests.support.shop import MERCHANT

ALL = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,"
    "退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
SUCCESS = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,货币种类,应结订单金额,代金券金额,商品名称,商户数据包,手续费,费率,订单金额,费率备注"
)
REFUND = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,货币种类,应结订单金额,代金券金额,退款申请时间,退款成功时间,微信退款单号,商户退款单号,"
    "退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,"
    "申请退款金额,费率备注"
)
TRADE_SUMMARY = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)
FLOW = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
)
FLOW_SUMMARY = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ReadBill:
    """Names, values by names, and the summary."""

    header: str
    rows: list[dict[str, str]]
    summary_header: str
    summary: dict[str, str]


def read_bill(data: bytes) -> ReadBill:
    """Three bytes of BOM, names, values each after a backtick, two lines of summary, nothing
    more."""
    assert data[:3] == BOM
    *lines, tail = data[3:].decode().split("\r\n")
    assert tail == ""
    assert not any("\r" in line or "\n" in line for line in lines)
    header, *rows, summary_header, summary = lines
    names = header.split(",")
    return ReadBill(
        header,
        [dict(zip(names, _values(row), strict=True)) for row in rows],
        summary_header,
        dict(zip(summary_header.split(","), _values(summary), strict=True)),
    )


def _values(line: str) -> list[str]:
    words = line.split(",")
    assert all(word.startswith("`") and "`" not in word[1:] for word in words), line
    return [word[1:] for word in words]


def fen(yuan: str) -> int:
    """``12.80`` has two decimals."""
    assert yuan[-3] == "."
    return int(yuan.replace(".", ""))


def fee_fen(fee: str) -> int:
    """``0.07000`` has five decimals, the last three of them zero."""
    assert fee[-6] == "."
    assert fee.endswith("000")
    return fen(fee[:-3])


def desk_of(world: World) -> PaperDesk:
    """The desk of a test's world."""
    return PaperDesk(
        reader=world.shop.reader, day_offset_ms=SHOP_OFFSET_MS, standing=world.standing
    )


def content(paper: SpooledPaper) -> bytes:
    """All of a paper."""
    return b"".join(paper.chunks())


async def trade_bill(
    world: World, day: date, bill_type: BillType = BillType.ALL, merchant_id: str = MERCHANT
) -> ReadBill:
    """A trade bill, read."""
    return read_bill(content(await desk_of(world).trade_bill(merchant_id, day, bill_type)))


async def fund_flow(world: World, day: date, merchant_id: str = MERCHANT) -> ReadBill:
    """A fund-flow bill, read."""
    return read_bill(content(await desk_of(world).fund_flow(merchant_id, day)))


def give_own_money(world: World, amount_minor: int) -> None:
    """Put money of ours on our own account, so that it can pay for coupons."""
    amount = Money(amount_minor, "CNY")
    world.near.bank.move("CAPITAL", "BANK-VAULT", OWN, amount, world.today, "capital")
