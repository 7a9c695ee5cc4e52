"""What a thing that paid by itself says of its payment, as its payer reads it.

Rule: a device's word is shown as it is: by the name that it brings, else by ours, else as such.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from faces.words import Words

_WHAT = {
    "energy": Words("电量", "Energy"),
    "time": Words("占用时间", "Time"),
    "days": Words("预付用电", "Prepaid power"),
    "parking": Words("停车", "Parking"),
    "meter": Words("表计读数", "Meter"),
    "entered": Words("入场", "Drove in"),
    "left": Words("离场", "Left"),
}
_REASONS = {
    "limit_reached": Words("到达限额，已停止", "Stopped at its limit"),
    "device_stopped": Words("设备已停用，已停止", "The charger was taken out of service"),
    "owner_stopped": Words("您停用了授权，已停止", "You stopped it"),
    "never_began": Words("没有开始", "It never began"),
    "end_not_said": Words("充电桩没有报告结束", "The charger did not report its end"),
    "end_unreadable": Words(
        "充电桩的结束报告无法识别", "The charger's report of its end could not be read"
    ),
    "selected": Words("在机器上选购", "Selected at the machine"),
    "left": Words("车辆离场", "The car left"),
    "low": Words("余量不足，自动购买", "Little was left, so it bought more"),
    "EmergencyStop": Words("按下了急停按钮", "The emergency stop was pressed"),
    "PowerLoss": Words("充电桩断电", "The charger lost its power"),
}
_ENDED = Words("正常结束", "It ended by itself")
_MINUTES = Words("分钟", "min")
_UNITS = {
    "Wh": (Words("kWh", "kWh"), 1_000),
    "ms": (_MINUTES, 60_000),
    "min": (_MINUTES, 1),
    "d": (Words("天", "days"), 1),
    "piece": (Words("件", ""), 1),
}
"""What people read for a unit, and how many make one of it."""


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line: ``text`` is ``quantity × price``."""

    what: Words
    text: Words
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Explained:
    """The reason, from when until when, the lines, and the limit that held the amount."""

    reason: Words
    began_at_ms: int
    ended_at_ms: int
    lines: tuple[ShownLine, ...]
    cap_minor: int | None


def explained(said: Mapping[str, Any] | None, money: Any, currency: str) -> Explained | None:  # noqa: ANN401  # the page's way to write amounts
    """A stored explanation for the page; ``money(minor, currency)`` writes an amount."""
    if said is None:
        return None
    lines = tuple(
        ShownLine(_what(line), _text(line, money, currency), line["amount_minor"])
        for line in said["lines"]
    )
    reason = _REASONS.get(said["reason"], _ENDED)
    return Explained(reason, said["began_at_ms"], said["ended_at_ms"], lines, said.get("cap_minor"))


def _what(line: Mapping[str, Any]) -> Words:
    name: str = line["what"]
    ours = _WHAT.get(name, Words(name, name))
    return Words(line.get("zh") or ours.zh, line.get("en") or ours.en)


def _text(line: Mapping[str, Any], money: Any, currency: str) -> Words:  # noqa: ANN401
    word: str = line["unit"]
    unit, size = _UNITS.get(word, (Words(word, word), 1))
    whole, rest = divmod(line["quantity"], size)
    digits = f"{whole}.{rest * 1000 // size:03}".rstrip("0").rstrip(".") if size > 1 else str(whole)
    price = money(line["price_minor"], currency)
    return Words(
        *(f"{' '.join(filter(None, (digits, one)))} × {price}" for one in (unit.zh, unit.en))
    )
