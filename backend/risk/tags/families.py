"""The families of tags that are about payments: which signals of whom, over which windows."""

from backend.risk.features.definition import Kind
from backend.risk.tags import levels
from backend.risk.tags.taxonomy import Category, Family, Measure

ALL = ("payer", "card", "device", "merchant", "store", "address")
BUSINESS = ("merchant", "store")
AMOUNT = "amount_minor"
ENOUGH = 5


def _flagged(name: str, zh: str, en: str, *, of: str) -> Measure:
    """How many payments had a flag."""
    return Measure(name=name, kind=Kind.SUM, of=of, levels=levels.counts, zh=zh, en=en)


def _share(name: str, zh: str, en: str, *, of: str) -> Measure:
    """The share of payments that had a flag."""
    return Measure(name=name, kind=Kind.MEAN, of=of, levels=levels.shares, zh=zh, en=en,
                   enough=ENOUGH)  # fmt: skip


def _became(name: str, zh: str, en: str, *, outcome: str) -> Measure:
    """How many payments are known to have ended so."""
    return Measure(name=name, kind=Kind.LABEL_COUNT, outcome=outcome, levels=levels.rare, zh=zh,
                   en=en)  # fmt: skip


def _rate(
    name: str, zh: str, en: str, *, outcome: str, levels_of: levels.LevelsOf = levels.shares
) -> Measure:
    """The share of payments that are known to have ended so."""
    return Measure(name=name, kind=Kind.LABEL_RATE, outcome=outcome, levels=levels_of, zh=zh, en=en,
                   enough=ENOUGH)  # fmt: skip


def _others(name: str, zh: str, en: str, *, of: str) -> Measure:
    return Measure(name=name, kind=Kind.DISTINCT, of=of, levels=levels.distinct, zh=zh, en=en)


_OTHERS = {
    "payers": _others("payers", "不同付款人数", "different payers", of="payer"),
    "cards": _others("cards", "不同银行卡数", "different cards", of="card"),
    "devices": _others("devices", "不同终端数", "different devices", of="device"),
    "merchants": _others("merchants", "不同商户数", "different merchants", of="merchant"),
    "stores": _others("stores", "不同门店数", "different stores", of="store"),
    "addresses": _others("addresses", "不同网络地址数", "different addresses", of="address"),
}
_MET = {
    "payer": "cards devices merchants stores addresses",
    "card": "payers devices merchants addresses",
    "device": "payers cards merchants addresses",
    "merchant": "payers cards devices addresses",
    "store": "payers cards devices addresses",
    "address": "payers cards devices merchants",
}

VELOCITY = Family(
    category=Category.VELOCITY,
    entities=ALL,
    measures=(
        Measure(name="count", kind=Kind.COUNT, levels=levels.counts, zh="付款次数", en="payments"),
        Measure(name="amount_sum", kind=Kind.SUM, of=AMOUNT, levels=levels.sums, zh="付款总额",
                en="money paid"),
        _flagged("night_count", "夜间付款次数", "payments at night", of="is_night"),
        _flagged("code_count", "付款码付款次数", "payments by the payer's code", of="is_code"),
    ),
    spans=("1m", "1h", "1d", "7d", "30d"),
)  # fmt: skip
RELATION = tuple(
    Family(
        category=Category.RELATION,
        entities=(entity,),
        measures=tuple(_OTHERS[name] for name in met.split()),
        spans=("1h", "1d", "7d", "30d"),
    )
    for entity, met in _MET.items()
)
CARD_TESTING = Family(
    category=Category.CARD_TESTING,
    entities=ALL,
    measures=(
        Measure(name="small_count", kind=Kind.SUM, of="is_small", levels=levels.rare,
                zh="小额付款次数", en="small payments"),
        _became("declined", "被拒次数", "declined payments", outcome="declined"),
        _rate("declined_share", "被拒占比", "share declined", outcome="declined"),
        _became("small_declined", "小额被拒次数", "small declined payments",
                outcome="small_declined"),
    ),
    spans=("10m", "1h", "1d"),
)  # fmt: skip
AMOUNTS = Family(
    category=Category.AMOUNT,
    entities=ALL,
    measures=(
        Measure(name="amount_ratio", kind=Kind.RATIO, of=AMOUNT, levels=levels.ratios,
                zh="金额与均值之比", en="amount to the mean"),
        Measure(name="amount_zscore", kind=Kind.ZSCORE, of=AMOUNT, levels=levels.ratios,
                zh="金额偏离标准差数", en="amount in deviations"),
        Measure(name="amount_to_max", kind=Kind.RATIO_MAX, of=AMOUNT, levels=levels.to_max,
                zh="金额与最高值之比", en="amount to the largest"),
    ),
    spans=("1d", "7d", "30d"),
)  # fmt: skip
SHARES_OF_TIME = Family(
    category=Category.PLACE_AND_TIME,
    entities=ALL,
    measures=(
        _share("night_share", "夜间占比", "share at night", of="is_night"),
        _share("weekend_share", "周末占比", "share at weekends", of="is_weekend"),
    ),
    spans=("1d", "7d", "30d"),
)
PACE = Family(
    category=Category.PLACE_AND_TIME,
    entities=ALL,
    measures=(
        Measure(name="geo_speed_kmh", kind=Kind.GEO_SPEED, levels=levels.speeds,
                zh="位移速度", en="speed between places"),
        Measure(name="since_last_s", kind=Kind.SINCE_LAST, levels=levels.pauses,
                is_at_most=True, zh="距上次付款极短", en="a short pause"),
        Measure(name="since_first_s", kind=Kind.SINCE_FIRST, levels=levels.ages,
                is_at_most=True, zh="首次出现不久", en="first seen lately"),
    ),
)  # fmt: skip
VERIFICATION = Family(
    category=Category.IDENTITY,
    entities=ALL,
    measures=(
        _rate("unconfirmed_share", "未验证占比", "share paid without PIN or biometric",
              outcome="unconfirmed"),
    ),
    spans=("1h", "1d", "7d", "30d"),
)  # fmt: skip
PINS = Family(
    category=Category.IDENTITY,
    entities=ALL,
    measures=(
        _became("pins_wrong", "密码错误次数", "payments with a wrong PIN", outcome="pin_wrong"),
    ),
    spans=("1h", "1d", "7d"),
)
SHOPS = Family(
    category=Category.MERCHANT,
    entities=BUSINESS,
    measures=(
        _became("refunds", "退款笔数", "refunded payments", outcome="refunded"),
        _rate("refund_rate", "退款率", "share refunded", outcome="refunded"),
        _rate("coupon_share", "用券占比", "share with a coupon", outcome="coupon"),
        _share("round_share", "整额占比", "share of round amounts", of="is_round"),
        Measure(name="big_count", kind=Kind.SUM, of="is_big", levels=levels.rare,
                zh="大额付款次数", en="large payments"),
        Measure(name="cashiers", kind=Kind.DISTINCT, of="cashier", levels=levels.distinct,
                zh="不同收银员数", en="different cashiers"),
    ),
    spans=("1d", "7d", "30d"),
)  # fmt: skip
CREDIT = Family(
    category=Category.CREDIT,
    entities=("payer", "card", "merchant"),
    measures=(
        _became("no_funds", "余额不足次数", "payments without funds", outcome="no_funds"),
        _rate("advance_share", "垫付占比", "share paid by advance", outcome="advance"),
        _became("disputes", "争议笔数", "disputed payments", outcome="disputed"),
        _rate("dispute_rate", "争议率", "share disputed", outcome="disputed",
              levels_of=levels.rates),
    ),
    spans=("1d", "7d", "30d"),
)  # fmt: skip
OPERATIONS = Family(
    category=Category.OPERATION,
    entities=("device", "merchant", "store"),
    measures=(
        _became("expired", "超时未付笔数", "payments that expired", outcome="expired"),
        _became("closed", "被放弃笔数", "payments given up", outcome="closed"),
        _became("reversed", "冲正笔数", "reversed payments", outcome="reversed"),
        _became("contact_lost", "结果未知笔数", "payments with an unknown outcome",
                outcome="contact_lost"),
        _rate("unfinished_share", "未完成占比", "share that came to nothing",
              outcome="unfinished"),
    ),
    spans=("1h", "1d", "7d", "30d"),
)  # fmt: skip
FAMILIES = (
    VELOCITY, *RELATION, CARD_TESTING, AMOUNTS, SHARES_OF_TIME, PACE, VERIFICATION, PINS, SHOPS,
    CREDIT, OPERATIONS,
)  # fmt: skip
