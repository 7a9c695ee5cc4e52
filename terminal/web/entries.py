"""One row of what went through the till: a payment or a cash sale, as the lists show it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from faces.words import Words
from protocol.money import Money
from terminal.counter.station import Station
from terminal.domain.sale import OPEN_STATES, Sale, SaleState
from terminal.domain.shift import CashMovement
from terminal.web.words import METHODS, SALE_STATES, WORDS
from terminal.zone import SHOP_ZONE

_LOOKS = {
    SaleState.PAID: ("paid", "tick"),
    SaleState.DECLINED: ("error", "cross"),
    SaleState.CANCELLED: ("", "undo"),
}
_OPEN_LOOK = ("warn", "question")
_NUMBER_CHARS = 8


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
    is_cash: bool = False


def entries(station: Station, *, query: str, count: int) -> list[Entry]:
    """The latest rows, or those whose number ends with the query; newest first."""
    text = query.strip()
    found = station.agent.find(text, count) if text else station.agent.recent(count)
    rows = [of_sale(sale) for sale in found]
    if not text:
        rows += [of_cash(movement) for movement in station.shifts.store.recent_sales(count)]
    elif text.isdecimal():
        movement = station.shifts.store.movement(int(text[-_NUMBER_CHARS:]))
        rows += [of_cash(movement)] if movement is not None else []
    return sorted(rows, key=lambda row: row.at_ms, reverse=True)[:count]


def of_sale(sale: Sale) -> Entry:
    """The row of a payment."""
    tone, icon = _LOOKS.get(sale.state, _OPEN_LOOK)
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
        words=SALE_STATES.get(sale.state.value, WORDS["open"]),
        tone=tone,
        icon=icon,
        is_open=sale.state in OPEN_STATES,
    )


def of_cash(movement: CashMovement) -> Entry:
    """The row of a cash sale."""
    refunded = movement.refunded_minor
    return Entry(
        href=f"/payments/cash-{movement.movement_id}",
        subject=str(movement.movement_id),
        receipt=f"cash-{movement.movement_id}",
        number=f"{movement.movement_id:06d}",
        at_ms=movement.at_ms,
        time=clock(movement.at_ms),
        way=WORDS["cash"],
        amount=Money(movement.amount_minor, movement.currency).decimal(),
        refunded=Money(refunded, movement.currency).decimal() if refunded else "",
        words=SALE_STATES["paid"],
        tone="paid",
        icon="cash",
        is_cash=True,
    )


def clock(at_ms: int) -> str:
    """Day, hour and minute in the shop."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(SHOP_ZONE).strftime("%m-%d %H:%M")
