"""The pages of the till: rendered here from the agent's screen, swapped in by a small script."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from markupsafe import Markup

from faces.assets import Assets
from faces.locale import language_of, remember
from faces.pages import Pages
from faces.stream import Places, event, last_event_id
from faces.words import Bilingual, Language, Words, said
from protocol.money import MINOR_DIGITS, Money
from terminal.agent import Agent
from terminal.domain.amount_words import chinese_words, english_words
from terminal.domain.screen import Screen
from terminal.domain.words import DELIVERIES
from terminal.limits import RECENT_DEFAULT
from terminal.shell import Shell
from terminal.web import pictures
from terminal.web.access import Access
from terminal.web.words import OPEN_STATE, SALE_STATES, WORDS

View = Literal["till", "customer"]
_Lang = Annotated[Language, Query(alias="lang")]
_OWN_TEMPLATES = frozenset({"keypad", "choosing", "qr"})


class Renderer:
    """The till's screens as pages and as pieces of pages."""

    def __init__(self, agent: Agent, assets: Assets) -> None:
        self._agent = agent
        self._pages = Pages("terminal.web", assets, WORDS)

    def page(self, view: View, screen: Screen, *, language: Language, token: str) -> str:
        """A whole page; only the till's gets a token."""
        context = self._context(view, screen, language)
        body = self._pages.render(self._template(view, screen), language, **context)
        return self._pages.render(
            f"till/{_frame(view)}", language, **context, token=token, body=body
        )

    def told(self, view: View, screen: Screen, language: Language) -> dict[str, Any]:
        """What changes with the screen, for the page's script."""
        context = self._context(view, screen, language)
        told: dict[str, Any] = {
            "html": self._pages.render(self._template(view, screen), language, **context),
            "mood": screen.mood,
            "kind": screen.kind,
        }
        if view == "till":
            told["bar"] = self._pages.render("till/bar.html", language, **context)
        return told

    def _template(self, view: View, screen: Screen) -> str:
        if view == "customer":
            return "till/customer.html"
        if screen.kind == "keypad" and self._agent.profile.kind == "vending":
            return "till/vending.html"
        return f"till/{screen.kind if screen.kind in _OWN_TEMPLATES else 'state'}.html"

    def _context(self, view: View, screen: Screen, language: Language) -> dict[str, Any]:
        profile = self._agent.profile

        def sale_words(state: str) -> str:
            return said(SALE_STATES.get(state, OPEN_STATE), language)

        return {
            "face": view,
            "mood": screen.mood,
            "screen": screen,
            "profile": profile,
            "profile_name": Words(profile.merchant_zh, profile.merchant_en),
            "other": lambda words: _other(words, language),
            "w_all": WORDS.__getitem__,
            "places": MINOR_DIGITS[screen.currency],
            "amount_words": _amount_words(screen, language),
            "qr": Markup(pictures.svg(screen.code_url)) if screen.code_url else None,  # noqa: S704
            "unknown_sum": Money(screen.unknown_minor, screen.currency).decimal(),
            "recent": self._agent.recent(RECENT_DEFAULT) if view == "till" else [],
            "sale_words": sale_words,
            "delivery_words": lambda state: said(DELIVERIES[state], language),
            "unsettled": self._agent.unsettled_items() if view == "till" else [],
            "money": lambda minor: Money(minor, screen.currency).decimal(),
        }


def _frame(view: View) -> str:
    return "page.html" if view == "till" else "customer_page.html"


def _other(words: Bilingual, language: Language) -> str:
    """The text in the other language, for whoever stands on the other side of the counter."""
    return said(words, "en" if language == "zh" else "zh")


def _amount_words(screen: Screen, language: Language) -> str:
    if screen.amount_minor is None:
        return ""
    if language == "zh" and screen.currency == "CNY":
        return chinese_words(screen.amount_minor)
    return english_words(screen.amount_minor, screen.currency)


def router(
    shell: Shell, agent: Agent, access: Access, *, places: Places, assets: Assets
) -> APIRouter:
    """The pages of one terminal."""
    pages = APIRouter()
    renderer = Renderer(agent, assets)

    def page(view: View, request: Request) -> Response:
        token = access.page_token if view == "till" else ""
        html = renderer.page(view, shell.screen, language=language_of(request), token=token)
        response = HTMLResponse(html)
        access.admit_page(response)
        remember(request, response)
        return response

    @pages.get("/", dependencies=[Depends(access.check_host)])
    async def till(request: Request) -> Response:
        return page("till", request)

    @pages.get("/customer", dependencies=[Depends(access.check_host)])
    async def customer(request: Request) -> Response:
        return page("customer", request)

    @pages.get(
        "/fragments",
        dependencies=[Depends(access.check_read), Depends(places.enter)],
        response_class=EventSourceResponse,
    )
    async def fragments(
        request: Request, view: View = "till", lang: _Lang = "zh"
    ) -> AsyncIterator[ServerSentEvent]:
        async for revision, screen in shell.screens(after=last_event_id(request)):
            yield event("screen", revision, renderer.told(view, screen, lang))

    return pages
