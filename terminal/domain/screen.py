"""What stands on the screen, computed from the state alone: one source for the page and the tests.

Rule 1: the same state gives the same screen, so a reload restores it.
Rule 2: *paid* is shown for the state `paid` and for nothing else.
"""

from dataclasses import dataclass

from protocol.messages.offline import OFFLINE_TOKEN
from protocol.money import Money
from terminal.domain.at_counter import AtCounter
from terminal.domain.refund import Refund, RefundState
from terminal.domain.sale import Sale, SaleState
from terminal.domain.words import (
    BUTTONS,
    PUT_OFF,
    REFUND_DOUBTS,
    REFUND_PUT_OFF,
    STEPS,
    TITLES,
    Words,
    of_error,
    undo_waits,
)


@dataclass(frozen=True, slots=True)
class Button:
    """Something the cashier may do now."""

    action: str
    words: Words


@dataclass(frozen=True, slots=True)
class ErrorShown:
    """A code and its advice."""

    code: str
    words: Words


@dataclass(frozen=True, slots=True)
class StepShown:
    """One step of the way: ``done``, ``now`` or ``next``."""

    name: str
    words: Words
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One screen. ``mood`` names its colours and sound; colour is never the only sign."""

    kind: str
    title: Words
    mood: str = "plain"
    subject: str | None = None
    amount_minor: int | None = None
    amount: str | None = None
    currency: str
    method: str | None = None
    payer: str | None = None
    error: ErrorShown | None = None
    printer_error: ErrorShown | None = None
    code_url: str | None = None
    code_expires_at_ms: int | None = None
    since_ms: int | None = None
    is_final: bool = False
    is_recovered: bool = False
    is_link_up: bool = True
    link_trouble: ErrorShown | None = None
    """Why there is no line to the hub, as far as a try has told."""
    is_hub_online: bool = True
    unknown_count: int = 0
    unknown_minor: int = 0
    offline_count: int = 0
    """Sales that were accepted offline and have not come back."""
    offline_minor: int = 0
    coupon: str | None = None
    """The part of a paid amount that a coupon paid, and what was left for the payer."""
    payer_paid: str | None = None
    delivery: str | None = None
    """Of a machine's sale: where its goods are (`domain.delivery`)."""
    items_unsettled: int = 0
    """Goods that the owner must look after."""
    steps: tuple[StepShown, ...] = ()
    buttons: tuple[Button, ...] = ()
    at_counter: AtCounter | None = None
    """What is paid beside the keypad; the payer's side shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a screen shows beside the sale."""

    currency: str
    methods: tuple[str, ...]
    is_link_up: bool
    link_trouble: str | None
    is_hub_online: bool
    is_sent: bool
    printer_error: str | None
    open_sales: tuple[Sale, ...]
    items_unsettled: int = 0
    undo_waits_for: str | None = None
    """Why a close or a reversal is not carried out yet."""


_MOODS = {"paid": "paid", "declined": "error", "unknown": "warn", "refund_done": "paid"}
_MOODS |= {"refund_failed": "error", "refund_unknown": "warn", "offline": "offline"}
_MOODS |= {"accepted_offline": "offline"}
_KINDS = {
    SaleState.SHOWING_QR: "qr",
    SaleState.PAID: "paid",
    SaleState.DECLINED: "declined",
}
_REFUND_KINDS = {
    RefundState.SENDING: "refund_sending",
    RefundState.UNKNOWN: "refund_unknown",
    RefundState.SUCCEEDED: "refund_done",
    RefundState.FAILED: "refund_failed",
}
_BUTTONS = {
    "keypad": ("charge",),
    "scanning": ("cancel",),
    "verifying": ("cancel",),
    "sending": ("cancel",),
    "offline": ("cancel",),
    "offline_scan": ("cancel",),
    "qr": ("cancel",),
    "waiting": ("cancel",),
    "unknown": ("query", "reverse", "park"),
    "closing": ("query",),
    "reversing": ("query", "park"),
    "refund_sending": ("query",),
    "refund_unknown": ("query", "park"),
}
_FINISHED = ("dismiss", "reprint")
_DONE_KINDS = frozenset({"accepted_offline"})
"""The payer may go, though the outcome is still to come."""
_FINAL_KINDS = frozenset(
    {"paid", "declined", "closed", "expired", "reversed", "refund_done", "refund_failed"}
)


def screen_of(shown: Sale | Refund | None, around: Surroundings) -> Screen:
    """The screen for what is going on."""
    kind = _kind(shown, around)
    names = _names(kind, around)
    others = [sale for sale in around.open_sales if not _is_same(sale, shown)]
    open_sales = [sale for sale in others if sale.state is not SaleState.ACCEPTED]
    offline = [sale for sale in around.open_sales if sale.state is SaleState.ACCEPTED]
    money = None if shown is None else Money(shown.amount_minor, shown.currency)
    sale = shown if isinstance(shown, Sale) else None
    coupon, payer_paid = _coupon(sale) if sale and kind == "paid" else (None, None)
    return Screen(
        kind=kind,
        title=TITLES[kind],
        mood=_MOODS.get(kind, "plain"),
        subject=_subject(shown),
        amount_minor=money.amount_minor if money else None,
        amount=money.decimal() if money else None,
        currency=money.currency if money else around.currency,
        method=sale.method if sale else None,
        payer=sale.payer_masked if sale else None,
        error=_error_of(shown, around),
        printer_error=_error(around.printer_error),
        code_url=sale.code_url if sale and kind in {"qr", "offline_scan"} else None,
        code_expires_at_ms=sale.code_expires_at_ms if sale and kind == "qr" else None,
        since_ms=shown.created_at_ms if shown else None,
        is_final=kind in _FINAL_KINDS,
        is_recovered=bool(shown and shown.is_recovered),
        is_link_up=around.is_link_up,
        link_trouble=_error(around.link_trouble),
        is_hub_online=around.is_hub_online,
        unknown_count=len(open_sales),
        unknown_minor=sum(other.amount_minor for other in open_sales),
        offline_count=len(offline),
        offline_minor=sum(other.amount_minor for other in offline),
        coupon=coupon,
        payer_paid=payer_paid,
        delivery=sale.delivery.value if sale and sale.item else None,
        items_unsettled=around.items_unsettled,
        steps=_steps(sale, kind) if sale else (),
        buttons=tuple(Button(name, BUTTONS[name]) for name in names),
    )


def _coupon(sale: Sale) -> tuple[str | None, str | None]:
    """What a coupon paid, and what the payer; nothing without one."""
    if not sale.coupon_minor:
        return None, None
    coupon = Money(sale.coupon_minor, sale.currency)
    return coupon.decimal(), (Money(sale.amount_minor, sale.currency) - coupon).decimal()


def _kind(shown: Sale | Refund | None, around: Surroundings) -> str:
    if shown is None:
        return "keypad"
    if isinstance(shown, Refund):
        return _REFUND_KINDS[shown.state]
    if shown.state is SaleState.CANCELLED:
        return shown.ended_as or "closed"
    if shown.state is SaleState.SENDING and not around.is_sent and not around.is_link_up:
        return "offline"
    if shown.state is SaleState.SCANNING and shown.method == OFFLINE_TOKEN:
        return "offline_scan"
    return _KINDS.get(shown.state, shown.state.value)


def _names(kind: str, around: Surroundings) -> tuple[str, ...]:
    if kind == "choosing":
        return (*(name for name in around.methods if name in BUTTONS), "cancel")
    if kind == "closing" and around.undo_waits_for is not None:
        return (*_BUTTONS[kind], "park")
    return _FINISHED if kind in _FINAL_KINDS | _DONE_KINDS else _BUTTONS[kind]


def _error(code: str | None) -> ErrorShown | None:
    return None if code is None else ErrorShown(code, of_error(code))


def _error_of(shown: Sale | Refund | None, around: Surroundings) -> ErrorShown | None:
    """What went wrong; of what is being sent or undone, why it waits."""
    if shown is None:
        return None
    if around.undo_waits_for is not None:
        return ErrorShown(around.undo_waits_for, undo_waits(shown.state, around.undo_waits_for))
    if shown.error_code is None:
        return None
    code = shown.error_code
    put_off = PUT_OFF if isinstance(shown, Sale) else REFUND_PUT_OFF
    if shown.state in {SaleState.SENDING, RefundState.SENDING} and code in put_off:
        return ErrorShown(code, put_off[code])
    if isinstance(shown, Refund) and code in REFUND_DOUBTS:
        return ErrorShown(code, REFUND_DOUBTS[code])
    return _error(code)


def _subject(shown: Sale | Refund | None) -> str | None:
    if isinstance(shown, Refund):
        return shown.refund_id
    return None if shown is None else shown.payment_id


def _is_same(sale: Sale, shown: Sale | Refund | None) -> bool:
    return isinstance(shown, Sale) and shown.payment_id == sale.payment_id


_STEP_NOW = {
    "scanning": "collect",
    "verifying": "verify",
    "sending": "send",
    "offline": "send",
    "qr": "payer",
    "waiting": "payer",
    "unknown": "result",
}


def _steps(sale: Sale, kind: str) -> tuple[StepShown, ...]:
    now = _STEP_NOW.get(kind)
    if now is None:
        return ()
    names = [name for name in STEPS if name != "verify" or kind == "verifying"]
    if sale.method != "pay_code":
        names.remove("collect")
    at = names.index(now)
    states = ["done" if index < at else "now" if index == at else "next" for index in range(9)]
    return tuple(StepShown(name, STEPS[name], states[index]) for index, name in enumerate(names))
