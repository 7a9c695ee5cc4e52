"""One row of what went through the till: a payment or a cash sale, as the lists show it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from faces.words import Language, Words, said
from protocol.money import Money
from terminal.counter.station import Station
from terminal.domain.card_sale import CardSale, CardState
from terminal.domain.mark import Mark, MarkedAs, is_contradicted
from terminal.domain.refund import Refund, RefundState, RefundStep
from terminal.domain.sale import OPEN_STATES, Sale, SaleState, Step
from terminal.domain.shift import CashMovement
from terminal.web.words import (
    CARD_STATES,
    CARD_WAYS,
    MARKS,
    METHODS,
    REFUND_MARKS,
    REFUND_STATES,
    SALE_STATES,
    WORDS,
)
from terminal.zone import SHOP_ZONE

_LOOKS = {
    SaleState.PAID: ("paid", "tick"),
    SaleState.DECLINED: ("error", "cross"),
    SaleState.CANCELLED: ("", "undo"),
}
_CARD_LOOKS = {
    CardState.APPROVED: ("paid", "card"),
    CardState.DECLINED: ("error", "cross"),
    CardState.FAILED: ("", "undo"),
    CardState.UNKNOWN: ("warn", "question"),
    CardState.ASKING: ("warn", "hourglass"),
}
_OPEN_LOOK = ("warn", "question")
_REFUND_TONES = {
    RefundState.SENDING: "warn",
    RefundState.UNKNOWN: "warn",
    RefundState.SUCCEEDED: "paid",
    RefundState.FAILED: "error",
}
_NUMBER_CHARS = 8
_COUNTER_NUMBER = re.compile(
    r"(?P<series>(cash|card)?)[- ]?(?P<digits>\d+)", re.IGNORECASE | re.ASCII
)
"""Of cash or a card: with its series or without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a row says. ``receipt``: the subject of its receipts."""

    href: str
    subject: str
    receipt: str
    number: str
    at_ms: int
    time: str
    way: Words
    amount: str
    refunded: str
    words: Words
    tone: str
    icon: str
    is_open: bool = False
    may_reverse: bool = False
    is_unknown: bool = False
    """A supervisor may say what it is taken for."""
    mark: Words | None = None
    is_contradicted: bool = False
    kind: str = "payment"
    """``payment``, ``cash`` or ``card``."""


def entries(station: Station, *, query: str, count: int) -> list[Entry]:
    """The latest rows, or those whose number ends with the query; newest first."""
    text = query.strip()
    found = station.agent.find(text, count) if text else station.agent.recent(count)
    rows = [of_sale(sale, station.agent.mark_of(sale.payment_id)) for sale in found]
    cards, cash = station.cards, station.shifts.store
    if not text:
        rows += [of_cash(movement) for movement in cash.recent_sales(count)]
        rows += [of_card(sale, cards.mark_of(sale)) for sale in cards.store.recent(count)]
    elif asked := _COUNTER_NUMBER.fullmatch(text):
        series, number = asked["series"].lower(), int(asked["digits"][-_NUMBER_CHARS:])
        movement = cash.movement(number) if series != "card" else None
        sale = cards.store.one(number) if series != "cash" else None
        rows += [of_cash(movement)] if movement is not None else []
        rows += [of_card(sale, cards.mark_of(sale))] if sale is not None else []
    return sorted(rows, key=lambda row: row.at_ms, reverse=True)[:count]


def of_sale(sale: Sale, mark: Mark | None) -> Entry:
    """The row of a payment."""
    words = SALE_STATES.get(sale.state.value, WORDS["open"])
    look = _LOOKS.get(sale.state, _OPEN_LOOK)
    words, tone, icon = _given_back(words, look, sale.amount_minor, sale.refunded_minor)
    refunded = Money(sale.refunded_minor, sale.currency).decimal() if sale.refunded_minor else ""
    return Entry(
        href=f"/payments/{sale.payment_id}",
        subject=sale.payment_id,
        receipt=sale.payment_id,
        number=sale.payment_id[-_NUMBER_CHARS:],
        at_ms=sale.created_at_ms,
        time=clock(sale.created_at_ms),
        way=METHODS.get(sale.method, WORDS["payment"]),
        amount=Money(sale.amount_minor, sale.currency).decimal(),
        refunded=refunded,
        words=words,
        tone=tone,
        icon=icon,
        is_open=sale.state in OPEN_STATES,
        may_reverse=sale.may(Step.REVERSE),
        is_unknown=sale.may(Step.MARK),
        mark=MARKS[mark.marked_as] if mark is not None else None,
        is_contradicted=mark is not None and is_contradicted(mark, sale.state),
    )


def of_cash(movement: CashMovement) -> Entry:
    """The row of a cash sale."""
    refunded = movement.refunded_minor
    words, tone, icon = _given_back(
        SALE_STATES["paid"], ("paid", "cash"), movement.amount_minor, refunded
    )
    return Entry(
        href=f"/payments/cash-{movement.movement_id}",
        subject=str(movement.movement_id),
        receipt=f"cash-{movement.movement_id}",
        number=movement.number,
        at_ms=movement.at_ms,
        time=clock(movement.at_ms),
        way=WORDS["cash"],
        amount=Money(movement.amount_minor, movement.currency).decimal(),
        refunded=Money(refunded, movement.currency).decimal() if refunded else "",
        words=words,
        tone=tone,
        icon=icon,
        kind="cash",
    )


def of_card(sale: CardSale, mark: Mark | None) -> Entry:
    """The row of a card sale or refund."""
    refunded = sale.refunded_minor
    words, tone, icon = _given_back(
        CARD_STATES[sale.state], _CARD_LOOKS[sale.state], sale.amount_minor, refunded
    )
    return Entry(
        href=f"/payments/{sale.subject}",
        subject=str(sale.card_id),
        receipt=sale.subject,
        number=sale.number,
        at_ms=sale.at_ms,
        time=clock(sale.at_ms),
        way=CARD_WAYS[sale.kind],
        amount=Money(sale.amount_minor, sale.currency).decimal(),
        refunded=Money(refunded, sale.currency).decimal() if refunded else "",
        words=words,
        tone=tone,
        icon=icon,
        is_unknown=sale.state is CardState.UNKNOWN,
        mark=MARKS[mark.marked_as] if mark is not None else None,
        is_contradicted=mark is not None and is_contradicted(mark, sale.state),
        kind="card",
    )


def _given_back(
    words: Words, look: tuple[str, str], amount_minor: int, refunded_minor: int
) -> tuple[Words, str, str]:
    """Words, tone and icon of a row: "paid" alone is half of it where something went back."""
    if not refunded_minor:
        return words, *look
    if refunded_minor < amount_minor:
        return WORDS["part_refunded"], look[0], "undo"
    return WORDS["all_refunded"], "", "undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundEntry:
    """What a payment's page says of a refund."""

    refund_id: str
    amount: str
    words: Words
    tone: str
    is_unknown: bool
    """A supervisor may say what it is taken for."""
    told: str
    """When, and why."""
    rows: list[tuple[str, str]]


def of_refund(refund: Refund, mark: Mark | None, language: Language) -> RefundEntry:
    """A refund of a payment."""
    return RefundEntry(
        refund_id=refund.refund_id,
        amount=Money(refund.amount_minor, refund.currency).decimal(),
        words=REFUND_STATES[refund.state],
        tone=_REFUND_TONES[refund.state],
        is_unknown=refund.may(RefundStep.MARK),
        told=" · ".join(filter(None, (clock(refund.created_at_ms), refund.reason))),
        rows=mark_rows(mark, refund.state, language, REFUND_MARKS),
    )


def mark_rows(
    mark: Mark | None, state: str, language: Language, words: Mapping[MarkedAs, Words]
) -> list[tuple[str, str]]:
    """What a supervisor took an outcome for, and whether it came out otherwise."""
    if mark is None:
        return []
    taken = f"{said(words[mark.marked_as], language)} · {mark.by_name} · {clock(mark.at_ms)}"
    rows = [("marked", taken), ("mark_reason", mark.reason)]
    if is_contradicted(mark, state):
        rows.append(("outcome", said(WORDS["contradicted"], language)))
    return [(said(WORDS[name], language), value) for name, value in rows]


def exact(at_ms: int) -> str:
    """Date and time to the second in the shop, with its distance from UTC."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(SHOP_ZONE).isoformat(" ")


def backend_clock(ahead_ms: int | None, language: Language) -> str:
    """How the backend's clock stands beside ours, which is ahead by so much."""
    if ahead_ms is None:
        return said(WORDS["clock_untold"], language)
    apart_s = round(abs(ahead_ms) / 1000)
    if apart_s == 0:
        return said(WORDS["clock_even"], language)
    name = "clock_behind" if ahead_ms > 0 else "clock_ahead"
    return said(WORDS[name], language).format(_age(apart_s))


def _age(seconds: int) -> str:
    """As the pages' clock writes how old something is; above two days, in days."""
    minutes, hours = seconds // 60, seconds // 3600
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def clock(at_ms: int) -> str:
    """Day, hour and minute in the shop."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(SHOP_ZONE).strftime("%m-%d %H:%M")
