"""An amount as the till says it: the names of shipped clips, in order.

Rule 1: integers only; what is said is what is shown, to the last minor unit.
Rule 2: digits after the point are said one by one, and a trailing zero is not said.
"""

from typing import Literal

from protocol.money import MINOR_DIGITS

Event = Literal["received", "refunded"]
_PLACES = ((1_000, "thousand"), (100, "hundred"), (10, "ten"), (1, ""))
_WAN = 10_000


def spoken(event: Event, amount_minor: int, currency: str, language: str) -> tuple[str, ...]:
    """Such as ``zh-received zh-ten zh-2 zh-point zh-8 zh-yuan`` for 12.80 yuan; nothing for a
    currency whose name has no clip, or more than the clips can say."""
    whole, rest = divmod(amount_minor, 10 ** MINOR_DIGITS[currency])
    if currency != "CNY" or not 0 < amount_minor < 100 * _WAN * _WAN:
        return ()
    number = _chinese(whole) if language == "zh" else _english(whole)
    digits = f"{rest:02d}".rstrip("0")
    point = ["point", *digits] if digits else []
    words = [event, *(number or ["0"]), *point, "yuan"]
    return tuple(f"{language}-{word}" for word in words)


def _chinese(number: int) -> list[str]:
    wan, rest = divmod(number, _WAN)
    if not wan:
        return _group(rest)
    gap = ["0"] if 0 < rest < _WAN // 10 else []
    return [*_chinese(wan), "wan", *gap, *_group(rest)]


def _group(number: int) -> list[str]:
    """Below ten thousand; eleven is said as ten-one, one hundred and five with its zero."""
    words: list[str] = []
    is_gap = False
    for place, name in _PLACES:
        digit = number // place % 10
        if not digit:
            is_gap = bool(words)
            continue
        words += ["0"] * is_gap
        is_gap = False
        is_lone_ten = name == "ten" and digit == 1 and not words
        words += [] if is_lone_ten else [str(digit)]
        words += [name] if name else []
    return words


def _english(number: int) -> list[str]:
    words: list[str] = []
    for unit, name in ((1_000_000, "million"), (1_000, "thousand"), (1, "")):
        group, number = divmod(number, unit)
        if group:
            words += [*_hundreds(group), *([name] if name else [])]
    return words


def _hundreds(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [*_hundreds(hundreds), "hundred"] if hundreds else []
    if rest >= 20:
        words.append(str(rest // 10 * 10))
        rest %= 10
    return [*words, str(rest)] if rest else words
