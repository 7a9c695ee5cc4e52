"""EMVCo merchant-presented codes: what a merchant's QR says, as text (EMV QRCPS-MPM 1.1).

    00 02 01 · 01 02 11 · 26 … account · 52 04 5311 · 53 03 156 · 58 02 CN · 59 … · 60 … · 63 04 …

Rule 1: an object is an id of two digits, a length of two digits, and that many *characters*: the
standard's own Chinese sample counts characters, not bytes (§4, table 3.1).
Rule 2: object 00 stands first and object 63 last; the others in any order, each once (§4.1).
Rule 3: the CRC is CRC-16 with polynomial 1021 and start FFFF over the UTF-8 bytes of everything
before its value, its own ``6304`` included (§4.7.3).

Such a code receives money. A till that scans one has scanned the wrong thing; it pays nobody.
"""

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from protocol.errors import CallerError

Objects = tuple[tuple[int, str], ...]
"""Objects in the order of the text: id and value."""

CODE_CHARS_MAX = 512
"""The longest code (§3.3.1)."""
_VALUE_CHARS_MAX = 99
_FORMAT, _INITIATION, _CATEGORY, _CURRENCY, _AMOUNT = 0, 1, 52, 53, 54
_TIP, _COUNTRY, _NAME, _CITY, _CRC = 55, 58, 59, 60, 63
_ACCOUNTS = range(2, 52)
_TIP_VALUES = {"01": None, "02": 56, "03": 57}
"""Of object 55: the payer is asked; a fixed fee in object 56; a percentage in object 57 (§4.5)."""
_SHAPES: dict[int, re.Pattern[str]] = {
    number: re.compile(shape, re.ASCII)
    for number, shape in {
        _FORMAT: r"01",
        _INITIATION: r"1[12]",
        _CATEGORY: r"\d{4}",
        _CURRENCY: r"\d{3}",
        _AMOUNT: r"(?=.{1,13}\Z)\d+(\.\d*)?",
        _TIP: r"0[123]",
        56: r"(?=.{1,13}\Z)\d+(\.\d*)?",
        57: r"(?=.{1,5}\Z)\d+(\.\d*)?",
        _COUNTRY: r"[A-Z]{2}",
        _NAME: r".{1,25}",
        _CITY: r".{1,15}",
        61: r".{1,10}",
    }.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantCode:
    """What a code says. ``amount`` is the standard's decimal text in units of ``currency``; an
    account of the ids 26 to 51, object 62 and object 64 hold objects of their own
    (``read_objects``)."""

    accounts: Objects
    """Who is paid, by scheme: 15 and 16 UnionPay, 26 to 51 by a name in their object 00."""
    category: str
    """The merchant's category (ISO 18245), four digits."""
    currency: str
    """ISO 4217, three digits: 156 is the yuan."""
    country: str
    name: str
    city: str
    amount: str | None = None
    is_dynamic: bool | None = None
    """Made for one payment (12), or for all of them (11); None where the code does not say."""
    others: Objects = ()
    """Every other object, by rising id: 55 to 57, 61, 62, 64 to 99."""


def read_objects(text: str) -> Objects:
    """The objects of a text; ``CallerError("field_invalid")`` for one that is cut off, has no
    digits where digits stand, or has an id twice."""
    found: dict[int, str] = {}
    at = 0
    while at < len(text):
        head = text[at : at + 4]
        if re.fullmatch(r"\d{4}", head, re.ASCII) is None:
            raise CallerError("field_invalid", f"EMVCo: no object at {at}")
        number, length = int(head[:2]), int(head[2:])
        value = text[at + 4 : at + 4 + length]
        if len(value) < length or length == 0 or number in found:
            raise CallerError("field_invalid", f"EMVCo: object {number:02}")
        found[number] = value
        at += 4 + length
    return tuple(found.items())


def write_objects(objects: Sequence[tuple[int, str]]) -> str:
    """The text of objects, in their order."""
    for number, value in objects:
        if not (0 <= number <= 99 and 0 < len(value) <= _VALUE_CHARS_MAX):
            raise CallerError("field_invalid", f"EMVCo: object {number:02}")
    return "".join(f"{number:02}{len(value):02}{value}" for number, value in objects)


def parse(text: str) -> MerchantCode:
    """What a code says; ``CallerError("field_invalid")`` names the object that is wrong, or the
    CRC. A code longer than the standard allows is refused unread."""
    if len(text) > CODE_CHARS_MAX:
        raise CallerError("field_invalid", "EMVCo: too long")
    if text[-8:-4] != "6304" or text[-4:] != _crc(text[:-4]):
        raise CallerError("field_invalid", "EMVCo: CRC")
    objects = read_objects(text)
    if objects[0] != (_FORMAT, "01") or objects[-1][0] != _CRC:
        raise CallerError("field_invalid", "EMVCo: first or last object")
    found = dict(objects[1:-1])
    try:
        code = MerchantCode(
            accounts=tuple((n, v) for n, v in objects if n in _ACCOUNTS),
            category=found.pop(_CATEGORY),
            currency=found.pop(_CURRENCY),
            country=found.pop(_COUNTRY),
            name=found.pop(_NAME),
            city=found.pop(_CITY),
            amount=found.pop(_AMOUNT, None),
            is_dynamic=_is_dynamic(found.pop(_INITIATION, None)),
            others=tuple(sorted((n, v) for n, v in found.items() if n not in _ACCOUNTS)),
        )
    except KeyError as missing:
        raise CallerError("field_invalid", f"EMVCo: object {missing} is missing") from None
    _check(code)
    return code


def make(code: MerchantCode) -> str:
    """The text of a code, objects by rising id; ``parse`` gives the same code again.
    ``CallerError("field_invalid")`` for what the standard does not allow."""
    _check(code)
    initiation = {None: (), False: ((_INITIATION, "11"),), True: ((_INITIATION, "12"),)}
    amount = () if code.amount is None else ((_AMOUNT, code.amount),)
    rest = (*initiation[code.is_dynamic], *code.accounts, *amount, *code.others, *_required(code))
    text = write_objects([(_FORMAT, "01"), *sorted(rest)]) + "6304"
    if len(text) + 4 > CODE_CHARS_MAX:
        raise CallerError("field_invalid", "EMVCo: too long")
    return text + _crc(text)


def _required(code: MerchantCode) -> Objects:
    return (
        (_CATEGORY, code.category),
        (_CURRENCY, code.currency),
        (_COUNTRY, code.country),
        (_NAME, code.name),
        (_CITY, code.city),
    )


def _is_dynamic(value: str | None) -> bool | None:
    if value not in {None, "11", "12"}:
        raise CallerError("field_invalid", "EMVCo: object 01")
    return None if value is None else value == "12"


def _check(code: MerchantCode) -> None:
    """Shapes, and objects that need each other (§4.5: a fee's kind and its value)."""
    said = [*_required(code), *code.accounts, *code.others]
    if code.amount is not None:
        said.append((_AMOUNT, code.amount))
    for number, value in said:
        shape = _SHAPES.get(number)
        if shape is not None and shape.fullmatch(value) is None:
            raise CallerError("field_invalid", f"EMVCo: object {number:02}")
    numbers = [number for number, _ in said]
    reserved = {_FORMAT, _INITIATION, _CRC} & set(numbers)
    if reserved or len(set(numbers)) < len(numbers):
        raise CallerError("field_invalid", "EMVCo: an object twice")
    if not code.accounts or any(number not in _ACCOUNTS for number, _ in code.accounts):
        raise CallerError("field_invalid", "EMVCo: nobody is paid")
    if any(number in _ACCOUNTS for number, _ in code.others):
        raise CallerError("field_invalid", "EMVCo: an account among the others")
    others = dict(code.others)
    wanted = _TIP_VALUES.get(others.get(_TIP, ""))
    if {56, 57} & set(others) != ({wanted} - {None}):
        raise CallerError("field_invalid", "EMVCo: object 55")


def _crc(text: str) -> str:
    return f"{binascii.crc_hqx(text.encode('utf-8', 'replace'), 0xFFFF):04X}"
