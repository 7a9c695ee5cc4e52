"""The words of the risk engine's features, made of the words of their parts.

A feature is ``entity.signal_span``, as ``payer.count_30d``: whose, what, over how long.
"""

from faces.words import Words

_ENTITIES = {
    "payment": Words("本笔付款", "this payment"),
    "payer": Words("付款人", "payer"),
    "card": Words("银行卡", "card"),
    "device": Words("设备", "device"),
    "merchant": Words("商户", "merchant"),
    "store": Words("门店", "store"),
    "address": Words("网络地址", "address"),
}
_SIGNALS = {
    "amount_minor": Words("金额（分）", "amount (fen)"),
    "hour": Words("几点", "hour of day"),
    "weekday": Words("星期", "day of week"),
    "is_night": Words("是否夜间", "at night"),
    "is_weekend": Words("是否周末", "on a weekend"),
    "count": Words("付款次数", "payments"),
    "amount_sum": Words("金额合计", "amount in all"),
    "amount_mean": Words("平均金额", "usual amount"),
    "amount_sd": Words("金额波动", "spread of amounts"),
    "amount_max": Words("最大金额", "largest amount"),
    "amount_ratio": Words("金额与平均之比", "amount against the usual"),
    "amount_zscore": Words("金额偏离程度", "amount's deviation"),
    "amount_to_max": Words("金额与最大之比", "amount against the largest"),
    "amount_to_median": Words("金额与中位数之比", "amount against the median"),
    "merchants": Words("商户数", "merchants"),
    "devices": Words("设备数", "devices"),
    "addresses": Words("网络地址数", "addresses"),
    "cards": Words("银行卡数", "cards"),
    "payers": Words("付款人数", "payers"),
    "since_last_s": Words("距上一笔（秒）", "seconds since the last"),
    "since_first_s": Words("距首笔（秒）", "seconds since the first"),
    "since_fraud_s": Words("距上次欺诈（秒）", "seconds since a fraud"),
    "geo_speed_kmh": Words("位移速度（公里/时）", "speed between places (km/h)"),
    "frauds": Words("欺诈次数", "frauds"),
    "fraud_rate": Words("欺诈率", "share of frauds"),
}
_SPANS = {
    "1m": Words("1 分钟", "1 min"),
    "10m": Words("10 分钟", "10 min"),
    "1h": Words("1 小时", "1 h"),
    "1d": Words("1 天", "1 day"),
    "3d": Words("3 天", "3 days"),
    "7d": Words("7 天", "7 days"),
    "14d": Words("14 天", "14 days"),
    "21d": Words("21 天", "21 days"),
    "28d": Words("28 天", "28 days"),
    "30d": Words("30 天", "30 days"),
    "180d": Words("180 天", "180 days"),
}


def feature_words(name: str) -> Words:
    """A feature as people read it; one that has no words stands as it is."""
    entity, _, rest = name.partition(".")
    signal, _, span = rest.rpartition("_")
    if rest in _SIGNALS:
        signal, span = rest, ""
    whose, what, how_long = _ENTITIES.get(entity), _SIGNALS.get(signal), _SPANS.get(span)
    if whose is None or what is None or (span and how_long is None):
        return Words(name, name)
    if how_long is None:
        return Words(f"{whose.zh} · {what.zh}", f"{whose.en}: {what.en}")
    return Words(
        f"{whose.zh} · {how_long.zh}内{what.zh}", f"{whose.en}: {what.en} in {how_long.en}"
    )
