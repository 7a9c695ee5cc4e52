"""An amount in words: as Chinese receipts and cheques write it, and in English.

Rule 1: integers only. Both spellings follow the amount exactly; nothing is rounded.
"""

from protocol.money import MINOR_DIGITS

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = (
    "zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip
_THOUSANDS = ("", " thousand", " million", " billion")


def chinese_words(amount_minor: int) -> str:
    """Yuan in capital characters (GB/T 15835's financial form): 1280 is 壹拾贰元捌角整."""
    yuan, rest = divmod(amount_minor, 100)
    jiao, fen = divmod(rest, 10)
    whole = f"{_chinese(yuan)}元" if yuan else ""
    if not rest:
        return f"{whole or '零元'}整"
    gap = "零" if yuan and not jiao else ""
    tail = (f"{_DIGITS[jiao]}角" if jiao else gap) + (f"{_DIGITS[fen]}分" if fen else "整")
    return whole + tail


def english_words(amount_minor: int, currency: str) -> str:
    """1280 CNY is ``twelve yuan and 80/100``; any other currency by its code."""
    digits = MINOR_DIGITS[currency]
    whole, rest = divmod(amount_minor, 10**digits)
    name = "yuan" if currency == "CNY" else currency
    tail = f" and {rest:0{digits}d}/{10**digits}" if rest else ""
    return f"{_english(whole)} {name}{tail}"


def _chinese(number: int) -> str:
    groups: list[str] = []
    text = ""
    while number:
        number, group = divmod(number, 10_000)
        groups.append(_group(group))
    for index in range(len(groups) - 1, -1, -1):
        if not groups[index].strip("零"):
            text = text.rstrip("零") + "零"
            continue
        text += groups[index] + _GROUPS[index]
    while "零零" in text:
        text = text.replace("零零", "零")
    return text.strip("零")


def _group(number: int) -> str:
    """Four places with the zeros that are spoken, those in front included."""
    text = ""
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        text += _DIGITS[digit] + _PLACES[place] if digit else "零"
    return text.rstrip("零")


def _english(number: int) -> str:
    if number < 1_000:
        return _hundreds(number)
    parts: list[str] = []
    for power in range(len(_THOUSANDS) - 1, -1, -1):
        group, number = divmod(number, 1_000**power)
        if group:
            parts.append(_hundreds(group) + _THOUSANDS[power])
    return " ".join(parts)


def _hundreds(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    parts = [f"{_ONES[hundreds]} hundred"] if hundreds else []
    if rest or not hundreds:
        tens, ones = divmod(rest, 10)
        small = _ONES[rest] if rest < 20 else _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")
        parts.append(small)
    return " ".join(parts)
