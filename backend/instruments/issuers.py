"""Bank cards' numbers. Pure.

Rule: a number is looked at and forgotten; what is kept of it is its bank's name and its last four
digits.
"""

import re

from protocol.errors import CallerError

_NUMBER = re.compile(r"[0-9]{13,19}", re.ASCII).fullmatch
_SPACES = re.compile(r"[\s-]+")
_BANKS = {
    "621226": "中国工商银行", "622202": "中国工商银行", "622208": "中国工商银行",
    "621700": "中国建设银行", "622700": "中国建设银行",
    "622845": "中国农业银行", "622848": "中国农业银行",
    "621660": "中国银行", "621661": "中国银行",
    "621485": "招商银行", "622588": "招商银行",
    "621799": "中国邮政储蓄银行", "622188": "中国邮政储蓄银行",
}  # fmt: skip
"""Some issuers by a number's first six digits (ISO/IEC 7812-1)."""
_OTHER = "银行卡"


def card_number(typed: str) -> str:
    """The digits of a number as people type it, with spaces or dashes; ``card_number_invalid`` for
    anything else, and where its last digit (Luhn, ISO/IEC 7812-1 annex B) is wrong."""
    number = _SPACES.sub("", typed)
    if _NUMBER(number) is None or luhn_digit(number[:-1]) != number[-1]:
        raise CallerError("card_number_invalid")
    return number


def luhn_digit(digits: str) -> str:
    """The digit that follows these."""
    doubled = [2 * int(digit) for digit in digits[::-2]]
    total = sum(value - 9 * (value > 9) for value in doubled) + sum(map(int, digits[-2::-2]))
    return str(-total % 10)


def bank_of(number: str) -> str:
    """The bank's name, for people."""
    return _BANKS.get(number[:6], _OTHER)
