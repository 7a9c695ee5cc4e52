"""What a list's address asks for, read as it was typed.

Rule: what cannot be read costs nobody what was typed: the form shows it again, and says beside the
      field what is wrong.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, NamedTuple, Self
from urllib.parse import urlencode

from fastapi import Request

from backend.listing.limits import FILTER_CHARS_MAX, MEANT_CHARS_MAX, YEAR_MAX, YEAR_MIN
from backend.notify.model import CallbackFilter, DeadLetterFilter
from backend.notify.states import CallbackState
from backend.payments.list_repository import PaymentFilter
from backend.refunds.model import RefundState
from backend.refunds.repository import RefundFilter
from backend.shop_time import day_bounds
from protocol.errors import CallerError
from protocol.messages.base import check_characters
from protocol.money import AMOUNT_MINOR_MAX, MINOR_DIGITS
from protocol.payment import PaymentState
from protocol.topics import is_name

MEANT = ("merchant", "store", "device")
"""The fields that take an id or a name."""
PAYMENT_STATES = tuple(PaymentState)
REFUND_STATES = tuple(state for state in RefundState if state is not RefundState.ASKED)
"""Of those that are stored."""
CALLBACK_STATES = tuple(CallbackState)
_TIME_DIGITS_MAX, _AMOUNT_DIGITS_MAX = 16, 15


Readers = Mapping[str, Callable[[str], object]]
"""By field: what reads it, and raises for what it cannot read."""


class TypedFilter:
    """A filter's fields as texts, as the form shows them again. Each list has its own."""

    __slots__: tuple[str, ...] = ()
    readers: ClassVar[Readers] = {}

    @classmethod
    def of(cls, request: Request) -> Self:
        """What the address carries; ``field_invalid`` for what is too long or unfit to look up."""
        return cls.said(request.query_params)

    @classmethod
    def said(cls, fields: Mapping[str, str]) -> Self:
        """The filter that these fields ask for, whether they come from a form or an address."""
        return cls(*(_fit(name, fields.get(name, "").strip()) for name in cls.__slots__))

    def wrong(self) -> dict[str, CallerError]:
        """Why each field that cannot be read is wrong."""
        found: dict[str, CallerError] = {}
        for name, read in self.readers.items():
            try:
                read(getattr(self, name))
            except CallerError as refusal:
                found[name] = refusal
        return found

    def check(self) -> None:
        """Refuse the first field that cannot be read, by its name."""
        for name, refusal in self.wrong().items():
            raise CallerError(refusal.code, name)

    def query(self, **more: Any) -> str:  # noqa: ANN401  # texts and numbers of an address
        """The filter as an address's query, with the other parameters given."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return urlencode({name: value for name, value in (own | more).items() if value != ""})


class Place(NamedTuple):
    """Behind which row a page begins: the row's time and key."""

    at_ms: int
    key: str

    @property
    def told(self) -> str:
        """As an address has it."""
        return f"{self.at_ms}~{self.key}"


def place_of(request: Request) -> Place | None:
    """Behind which row an address asks to begin."""
    return place_said(request.query_params.get("after", ""))


def place_said(text: str) -> Place | None:
    """A place as it was told; None for none, ``field_invalid`` for what is none."""
    if not text:
        return None
    at, _, key = text.partition("~")
    is_number = at.isdecimal() and at.isascii() and len(at) <= _TIME_DIGITS_MAX
    if not (is_number and is_name(key)):
        raise CallerError("field_invalid", "after")
    return Place(int(at), key)


def _fit(name: str, text: str) -> str:
    most = MEANT_CHARS_MAX if name in MEANT else FILTER_CHARS_MAX
    try:
        check_characters(text)
    except ValueError:
        raise CallerError("field_invalid", name) from None
    if len(text) > most:
        raise CallerError("field_invalid", name)
    return text


def minor_of(text: str, currency: str = "CNY") -> int:
    """``12.80``, ``12.8`` or ``12`` yuan as 1280: exactly, in the currency's own digits."""
    whole, point, part = text.strip().lstrip("¥").partition(".")
    places = MINOR_DIGITS[currency]
    digits = whole + part.ljust(places, "0")
    is_whole = whole.isdecimal() and len(part) <= places and bool(part) == bool(point)
    is_number = digits.isdecimal() and digits.isascii() and len(digits) <= _AMOUNT_DIGITS_MAX
    if not (is_whole and is_number) or int(digits) > AMOUNT_MINOR_MAX:
        raise CallerError("amount_invalid")
    return int(digits)


def amount_minor(text: str) -> int | None:
    """A typed amount; None where none was typed."""
    return minor_of(text) if text else None


def one_of(text: str, known: Collection[str], name: str) -> str:
    """What was chosen of a list, empty for nothing; ``field_invalid`` for what is not on it."""
    if text and text not in known:
        raise CallerError("field_invalid", name)
    return text


def from_ms(since: str) -> int | None:
    """When a typed first day begins; None where none was typed."""
    found = _date(since, "since")
    return None if found is None else day_bounds(found)[0]


def until_ms(until: str) -> int | None:
    """When a typed last day is over; None where none was typed."""
    found = _date(until, "until")
    return None if found is None else day_bounds(found)[1]


def date_of(text: str, name: str) -> date:
    """``2026-11-28``, in this form alone, and of a year that has payments."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise CallerError("date_invalid", name) from None
    if found.isoformat() != text or not YEAR_MIN <= found.year <= YEAR_MAX:
        raise CallerError("date_invalid", name)
    return found


def _date(text: str, name: str) -> date | None:
    return date_of(text, name) if text else None


@dataclass(frozen=True, slots=True)
class TypedPayments(TypedFilter):
    """The payments' filter."""

    state: str
    store: str
    device: str
    amount: str
    since: str
    until: str
    day: str
    """A business date: the day whose settlement a payment is of."""
    number: str
    merchant: str
    """For operators, who see every merchant's."""
    readers: ClassVar[Readers] = {
        "state": lambda text: one_of(text, PAYMENT_STATES, "state"),
        "since": from_ms,
        "until": until_ms,
        "day": lambda text: _date(text, "day"),
        "amount": amount_minor,
    }

    def wanted(self, merchant_id: str | None) -> PaymentFilter:
        """The question to the database; ``field_invalid`` names what cannot be read."""
        day = _date(self.day, "day")
        return PaymentFilter(
            merchant_id=merchant_id or self.merchant or None,
            payment_id=self.number,
            state=one_of(self.state, PAYMENT_STATES, "state"),
            store=self.store,
            device=self.device,
            amount_minor=amount_minor(self.amount),
            from_ms=from_ms(self.since),
            until_ms=until_ms(self.until),
            business_date=f"{day}" if day else "",
        )


@dataclass(frozen=True, slots=True)
class TypedRefunds(TypedFilter):
    """The refunds' filter."""

    state: str
    store: str
    who: str
    amount: str
    since: str
    until: str
    merchant: str
    """For operators, who see every merchant's."""
    readers: ClassVar[Readers] = {
        "state": lambda text: one_of(text, REFUND_STATES, "state"),
        "since": from_ms,
        "until": until_ms,
        "amount": amount_minor,
    }

    def wanted(self, merchant_id: str | None) -> RefundFilter:
        """The question to the database; ``field_invalid`` names what cannot be read."""
        return RefundFilter(
            merchant_id=merchant_id or self.merchant or None,
            state=one_of(self.state, REFUND_STATES, "state"),
            store=self.store,
            who=self.who,
            amount_minor=amount_minor(self.amount),
            from_ms=from_ms(self.since),
            until_ms=until_ms(self.until),
        )


@dataclass(frozen=True, slots=True)
class TypedCallbacks(TypedFilter):
    """The callbacks' filter."""

    state: str
    kind: str
    """The event that they tell of, as ``payment.captured``."""
    since: str
    until: str
    merchant: str
    """For operators, who see every merchant's."""
    readers: ClassVar[Readers] = {
        "state": lambda text: one_of(text, CALLBACK_STATES, "state"),
        "since": from_ms,
        "until": until_ms,
    }

    def wanted(self, merchant_id: str | None) -> CallbackFilter:
        """The question to the database; ``field_invalid`` names what cannot be read."""
        return CallbackFilter(
            merchant_id=merchant_id or self.merchant or None,
            state=one_of(self.state, CALLBACK_STATES, "state"),
            event_type=self.kind,
            from_ms=from_ms(self.since),
            until_ms=until_ms(self.until),
        )


@dataclass(frozen=True, slots=True)
class TypedDeadLetters(TypedFilter):
    """The filter of callbacks that were given up; dates are when they were."""

    kind: str
    since: str
    until: str
    merchant: str
    readers: ClassVar[Readers] = {"since": from_ms, "until": until_ms}

    def wanted(self) -> DeadLetterFilter:
        """The question to the database."""
        return DeadLetterFilter(
            merchant_id=self.merchant or None,
            event_type=self.kind or None,
            from_ms=from_ms(self.since),
            until_ms=until_ms(self.until),
        )
