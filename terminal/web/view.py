"""What the templates of the till are given: the screen, who is there, and the figures as text."""

from collections.abc import Mapping
from typing import Any, Literal

from markupsafe import Markup

from faces.assets import Assets
from faces.pages import Pages
from faces.words import Bilingual, Language, Words, said
from protocol.money import MINOR_DIGITS, Money
from terminal.counter.station import Counter, Station
from terminal.domain.amount_words import chinese_words, english_words
from terminal.domain.sale import Sale, SaleState
from terminal.domain.screen import Screen
from terminal.domain.spoken import Event, spoken
from terminal.domain.staff import Role
from terminal.domain.words import DELIVERIES
from terminal.limits import (
    DESCRIPTION_CHARS_MAX,
    RECENT_DEFAULT,
    SALES_OPEN_MAX,
    SEARCH_CHARS_MAX,
)
from terminal.web import pictures
from terminal.web.customer_words import (
    CUSTOMER_AWAY,
    CUSTOMER_DECLINED,
    CUSTOMER_ERRORS,
    CUSTOMER_TITLES,
    CUSTOMER_UNDOING,
)
from terminal.web.entries import clock, entries
from terminal.web.words import LINE_TROUBLES, WORDS
from terminal.zone import SHOP_ZONE

View = Literal["sale", "recent", "shift", "settings", "customer"]
_OWN_TEMPLATES = {"keypad": "keypad", "choosing": "choosing", "qr": "qr", "offline_scan": "qr"}


class Renderer:
    """The till's screens as pages and as pieces of pages."""

    def __init__(self, counter: Counter, assets: Assets) -> None:
        self._counter = counter
        self._pages = Pages("terminal.web", assets, WORDS)

    def page(
        self, template: str, view: View, station: Station, *, language: Language, token: str,
        sound: str, more: Mapping[str, Any],
    ) -> str:  # fmt: skip
        """A whole page; the template is its body, or "" for what stands on the screen."""
        context = self._context(view, station, language) | {"sound": sound} | dict(more)
        body = self._pages.render(template or self._template(view, station), language, **context)
        frame = "till/customer_page.html" if view == "customer" else "till/page.html"
        return self._pages.render(frame, language, **context, token=token, body=body)

    def told(self, view: View, station: Station, language: Language) -> dict[str, Any]:
        """What changes with the screen, for the page's script."""
        context = self._context(view, station, language)
        screen = station.shell.screen
        told: dict[str, Any] = {"mood": _mood(view, screen), "kind": screen.kind}
        if view == "sale":
            told["say"] = _said_aloud(screen, language)
        if view in {"sale", "customer"}:
            told["html"] = self._pages.render(self._template(view, station), language, **context)
        if view != "customer":
            told["lacks"] = _lacks(screen)
            told["bar"] = self._pages.render("till/bar.html", language, **context)
        return told

    def piece(self, template: str, station: Station, language: Language) -> str:
        """A piece of the keypad."""
        context = self._context("sale", station, language) | {"draft": station.drafts.current()}
        return self._pages.render(template, language, **context)

    def _template(self, view: View, station: Station) -> str:
        screen = station.shell.screen
        if view == "customer":
            return "till/customer.html"
        if screen.kind == "keypad" and station.agent.profile.is_machine:
            return "till/vending.html"
        return f"till/{_OWN_TEMPLATES.get(screen.kind, 'state')}.html"

    def _context(self, view: View, station: Station, language: Language) -> dict[str, Any]:
        agent, screen = station.agent, station.shell.screen
        open_sales = agent.unknown_sales()
        offline = [one for one in open_sales if one.state is SaleState.ACCEPTED]
        shared = {
            "face": "customer" if view == "customer" else "till",
            "view": view,
            "mood": _mood(view, screen),
            "screen": screen,
            "currency": screen.currency,
            "profile": agent.profile,
            "profile_name": Words(agent.profile.merchant_zh, agent.profile.merchant_en),
            "other": lambda words: _other(words, language),
            "places": MINOR_DIGITS[screen.currency],
            "amount_words": _amount_words(screen.amount_minor, screen.currency, language),
            "qr": _code(screen.code_url),
            "line_trouble": _line_trouble(screen),
            "unknown_sum": Money(screen.unknown_minor, screen.currency).decimal(),
            "oldest_ms": min((sale.created_at_ms for sale in open_sales), default=None),
            "offline_sum": Money(screen.offline_minor, screen.currency).decimal(),
            "offline_oldest_ms": min((sale.created_at_ms for sale in offline), default=None),
            "open_max": SALES_OPEN_MAX,
            "delivery_words": lambda state: said(DELIVERIES[state], language),
            "money": lambda minor: Money(minor, screen.currency).decimal(),
            "clock": clock,
            "zone": SHOP_ZONE.key,
            "training": station.is_training,
            "has_pinpad": station.cards.has_pinpad,
            "idle_ms": self._counter.real.agent.profile.idle_lock_ms,
            "note_max": DESCRIPTION_CHARS_MAX,
            "search_max": SEARCH_CHARS_MAX,
        }
        payer = _payer(screen, language) if view == "customer" else {}
        return shared | payer | self._people(station) | self._beside(view, station)

    def _people(self, station: Station) -> dict[str, Any]:
        sign_in = self._counter.sign_in
        everybody, session = sign_in.staff, sign_in.session()
        return {
            "staff": sign_in.signed_in() if station.agent.profile.kind == "till" else None,
            "everybody": everybody,
            "last_staff": session.staff_id if session is not None else None,
            "supervisors": [each for each in everybody if each.role is Role.SUPERVISOR],
            "shift": station.shifts.store.open_shift(),
        }

    def _beside(self, view: View, station: Station) -> dict[str, Any]:
        """What only the keypad shows."""
        if view != "sale" or station.shell.screen.kind != "keypad":
            return {}
        return {
            "draft": station.drafts.current(),
            "entries": entries(station, query="", count=RECENT_DEFAULT),
            "unsettled": station.agent.unsettled_items(),
            "good_of": lambda sale: _good(station, sale),
        }


def _good(station: Station, sale: Sale) -> Bilingual:
    """The name of what was sold; the sale's own description if the item is not sold any more."""
    named = (each for each in station.agent.profile.items if each.item == sale.item)
    return next(named, Words(sale.description, sale.description))


def _lacks(screen: Screen) -> dict[str, str] | None:
    """What keeps the printer from printing, as an error's sentence."""
    found = screen.printer_error
    if found is None:
        return None
    return {"code": found.code, "zh": found.words.zh, "en": found.words.en}


def _mood(view: View, screen: Screen) -> str:
    at = screen.at_counter
    if view == "customer" and at is not None:
        return at.mood
    return screen.mood if view in {"sale", "customer"} else "plain"


def _payer(screen: Screen, language: Language) -> dict[str, Any]:
    """What the payer's side is about: the screen, or what the counter takes beside its keypad."""
    shown = screen.at_counter or screen
    return {
        "at_counter": screen.at_counter,
        "away": CUSTOMER_AWAY,
        "payer_kind": shown.kind,
        "payer_title": CUSTOMER_TITLES.get(shown.kind, screen.title),
        "payer_error": _payer_error(screen),
        "payer_amount": shown.amount,
        "amount_words": _amount_words(shown.amount_minor, shown.currency, language),
    }


def _payer_error(screen: Screen) -> Bilingual | None:
    """What the payer reads of a trouble: the advice to the cashier is not the payer's, and of an
    unknown the title says all."""
    if screen.error is None or screen.kind in {"unknown", "refund_unknown"}:
        return None
    if screen.kind in {"closing", "reversing"} and screen.error.code != "hub_silent":
        return CUSTOMER_UNDOING
    usual = CUSTOMER_DECLINED if screen.kind == "declined" else screen.error.words
    return CUSTOMER_ERRORS.get(screen.error.code, usual)


def _line_trouble(screen: Screen) -> Words | None:
    """Why there is no line, in few words."""
    return None if screen.link_trouble is None else LINE_TROUBLES[screen.link_trouble.code]


def _other(words: Bilingual, language: Language) -> str:
    """The text in the other language, for whoever stands on the other side of the counter."""
    return said(words, "en" if language == "zh" else "zh")


def _code(content: str | None) -> Markup | None:
    return Markup(pictures.svg(content)) if content else None  # noqa: S704  # our own picture


def _said_aloud(screen: Screen, language: Language) -> tuple[str, ...]:
    """What the till says when this screen comes up."""
    events: dict[str, Event] = {"paid": "received", "refund_done": "refunded"}
    if screen.kind not in events or screen.amount_minor is None:
        return ()
    return spoken(events[screen.kind], screen.amount_minor, screen.currency, language)


def _amount_words(amount_minor: int | None, currency: str, language: Language) -> str:
    if amount_minor is None:
        return ""
    if language == "zh" and currency == "CNY":
        return chinese_words(amount_minor)
    return english_words(amount_minor, currency)
