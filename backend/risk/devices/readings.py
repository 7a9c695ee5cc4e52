"""One reading of a device in a plain form: names to texts, sets, numbers and curves. Pure."""

import math
from typing import NamedTuple

from backend.risk.devices.limits import (
    ATTRIBUTES_MAX,
    DEPTH_MAX,
    ITEMS_MAX,
    TEXT_CHARS_MAX,
)


class ReadingError(ValueError):
    """A reading that cannot be: names the attribute and says why, in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.zh = zh


class Number(NamedTuple):
    """One measured or counted value. A tuple, and not a dataclass: a reading is compared with the
    one before, and tuples are compared without a call of Python."""

    value: float
    is_whole: bool


class Curve(NamedTuple):
    """Several measured values that belong together."""

    values: tuple[float, ...]


Plain = str | Number | Curve | frozenset[str] | None
NUMERIC = (Number, Curve)
"""Asked for in each reading: made once, where ``Number | Curve`` is made anew each time."""
Reading = dict[str, Plain]


def plain_reading(attrs: object) -> Reading:
    """Flatten what a source sent; ``None`` stands for what it could not read. Raises
    ``ReadingError``."""
    if not isinstance(attrs, dict):
        raise ReadingError("attrs: not an object", "attrs：不是对象")
    found: Reading = {}
    _flatten("", attrs, found, depth=0)
    return found


def _flatten(prefix: str, attrs: dict[object, object], found: Reading, *, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise ReadingError(
            f"{prefix}: nested deeper than {DEPTH_MAX}", f"{prefix}：嵌套超过 {DEPTH_MAX} 层"
        )
    for key, value in attrs.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if len(name) > TEXT_CHARS_MAX:
            raise ReadingError(f"{name[:40]}…: the name is too long", f"{name[:40]}…：名称过长")
        if isinstance(value, dict):
            _flatten(name, value, found, depth=depth + 1)
        else:
            found[name] = _plain(name, value)
        if len(found) > ATTRIBUTES_MAX:
            raise ReadingError(
                f"{name}: more than {ATTRIBUTES_MAX} attributes",
                f"{name}：属性超过 {ATTRIBUTES_MAX} 个",
            )


def _plain(name: str, value: object) -> Plain:
    match value:
        case None | "" | []:
            return None
        case bool():
            return "yes" if value else "no"
        case int() if abs(value) < 1 << 53:
            return Number(float(value), is_whole=True)
        case int():
            return str(value)[:TEXT_CHARS_MAX]
        case float():
            return Number(_finite(name, value), is_whole=False)
        case str():
            if len(value) > TEXT_CHARS_MAX:
                raise ReadingError(
                    f"{name}: more than {TEXT_CHARS_MAX} characters",
                    f"{name}：超过 {TEXT_CHARS_MAX} 个字符",
                )
            return value
        case list():
            return _several(name, value)
        case _:
            kind = type(value).__name__
            raise ReadingError(
                f"{name}: a {kind} is no value of an attribute", f"{name}：属性的值不能是 {kind}"
            )


def _several(name: str, values: list[object]) -> Plain:
    if len(values) > ITEMS_MAX:
        raise ReadingError(f"{name}: more than {ITEMS_MAX} members", f"{name}：超过 {ITEMS_MAX} 项")
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) == len(values):
        return Curve(tuple(_finite(name, v) for v in numbers))
    return frozenset(str(v)[:TEXT_CHARS_MAX] for v in values)


def _finite(name: str, value: float) -> float:
    try:
        found = float(value)
    except OverflowError:  # an integer of hundreds of digits
        found = math.inf
    if not math.isfinite(found):
        raise ReadingError(f"{name}: {found} is no number", f"{name}：{found} 不是数")
    return found
