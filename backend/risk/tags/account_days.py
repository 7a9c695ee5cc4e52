"""The tags of an account's day: how money came and went. Their facts are the columns of
``aml.account_days``, each as ``account.<column>``."""

from collections.abc import Iterator

from backend.risk.tags.taxonomy import Category, Levels, Source, Tag, at_least, at_most, tag_of
from backend.risk.tags.words import LEVELS

_SHARE: Levels = (0.3, 0.6, 0.9)
_SUM: Levels = (5_000_000, 20_000_000, 50_000_000)
_COUNT: Levels = (5, 15, 40)
_USUAL: Levels = (3, 6, 12)
_DAYS: Levels = (30, 90, 180)
_SIDES = {"in": ("转入", "money in"), "out": ("转出", "money out")}
_OF_A_SIDE: dict[str, tuple[Levels, str, str]] = {
    "count": (_COUNT, "笔数", "transfers"),
    "sum": (_SUM, "总额", "sum"),
    "max": (_SUM, "最大一笔", "largest"),
    "spread": ((0.5, 1, 2), "金额离散度", "spread of amounts"),
    "others": (_COUNT, "对手方数", "counterparties"),
    "is_night": (_SHARE, "夜间占比", "share at night"),
    "is_round": (_SHARE, "整额占比", "share of round amounts"),
    "is_cash": (_SHARE, "现金占比", "share in cash"),
    "is_abroad": (_SHARE, "跨境占比", "share across the border"),
    "is_below": (_SHARE, "贴近阈值占比", "share just below an edge"),
    "is_new_pair": (_SHARE, "新对手方占比", "share with somebody new"),
    "other_natural": (_SHARE, "个人对手方占比", "share with persons"),
    "below_sum": (_SUM, "贴近阈值总额", "sum just below an edge"),
    "depth_max": ((2, 3, 5), "经手层数", "hands that it went through"),
    "cycle_max": ((1, 2, 3), "回流环", "a circle that closed"),
    "same_origin_max": ((3, 6, 12), "同源人数", "ways from one origin"),
    "src_senders_max": (_COUNT, "付方的上家数", "who paid the sender"),
    "src_receivers_max": (_COUNT, "付方的下家数", "whom the sender paid"),
    "dst_senders_max": (_COUNT, "收方的上家数", "who paid the receiver"),
    "src_same_amounts_max": ((3, 6, 12), "同额笔数", "transfers of one amount"),
    "dst_in_sum_max": (_SUM, "收方转入总额", "what the receiver took in"),
    "sum_3d": (_SUM, "前三天总额", "sum of three days before"),
    "sum_7d": (_SUM, "前七天总额", "sum of seven days before"),
    "sum_30d": (_SUM, "前三十天总额", "sum of thirty days before"),
    "count_3d": (_COUNT, "前三天笔数", "transfers of three days before"),
    "count_7d": (_COUNT, "前七天笔数", "transfers of seven days before"),
    "count_30d": (_COUNT, "前三十天笔数", "transfers of thirty days before"),
    "sum_to_usual": (_USUAL, "总额与平时之比", "sum to the usual"),
    "count_to_usual": (_USUAL, "笔数与平时之比", "transfers to the usual"),
}
_OF_A_DAY: dict[str, tuple[Levels, str, str]] = {
    "channels": ((2, 3, 4), "渠道数", "ways of paying"),
    "idle_days": (_DAYS, "休眠后启用天数", "days of silence before"),
    "in_others_3d": (_COUNT, "前三天付款方数", "payers of three days before"),
    "in_others_7d": (_COUNT, "前七天付款方数", "payers of seven days before"),
    "in_others_30d": (_COUNT, "前三十天付款方数", "payers of thirty days before"),
    "in_out": (_USUAL, "转入转出比", "in to out"),
}
_QUICK_S: Levels = (86_400, 3_600, 600)
_YOUNG: Levels = (30, 7, 1)


def account_day_tags() -> Iterator[Tag]:
    """The tags."""
    for side, (zh_side, en_side) in _SIDES.items():
        for name, (levels, zh, en) in _OF_A_SIDE.items():
            yield from _levels(f"{side}_{name}", levels, zh_side + zh, f"{en_side}: {en}")
        yield from _levels(
            f"{side}_gap_in_s_min", _QUICK_S, f"{zh_side}快进快出", f"{en_side}: passed on soon",
            is_at_most=True,
        )  # fmt: skip
    for name, (levels, zh, en) in _OF_A_DAY.items():
        yield from _levels(name, levels, zh, en)
    yield from _levels("age_days", _YOUNG, "新开账户", "a young account", is_at_most=True)


def _levels(
    column: str, levels: Levels, zh: str, en: str, *, is_at_most: bool = False
) -> Iterator[Tag]:
    compare = at_most if is_at_most else at_least
    for level, edge in zip(LEVELS, levels, strict=True):
        zh_level, en_level = LEVELS[level]
        yield tag_of(
            Category.LAUNDERING,
            f"{column}.{level}",
            compare(f"account.{column}", float(edge)),
            words=(f"账户当日{zh}：{zh_level}", f"the account's day, {en}, {en_level}"),
            source=Source.ACCOUNT_DAY,
        )
