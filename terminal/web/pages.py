"""The pages of the till: rendered here from the agent's screen, swapped in by a small script."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from protocol.money import MINOR_DIGITS, Money
from terminal.agent import Agent
from terminal.domain.screen import Screen
from terminal.domain.words import BUTTONS, DELIVERIES, TITLES, Words
from terminal.limits import RECENT_DEFAULT
from terminal.shell import Shell
from terminal.web import pictures
from terminal.web.access import Access
from terminal.web.api import Streams, last_event_id

Language = Literal["zh", "en"]
View = Literal["till", "customer"]
_Lang = Annotated[Language, Query(alias="lang")]
_SALE_WORDS = {
    "paid": Words("已收款", "paid"),
    "declined": Words("未成功", "declined"),
    "cancelled": Words("已取消", "cancelled"),
    "unknown": Words("结果未知", "unknown"),
}
_OPEN_WORDS = Words("进行中", "open")


class Renderer:
    """Templates and the words they need."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._templates = Environment(
            loader=PackageLoader("terminal.web", "templates"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(self, view: View, screen: Screen, *, lang: Language, token: str) -> str:
        """A whole page."""
        template = self._templates.get_template("page.html")
        return template.render(
            **self._context(view, screen, lang), token=token, body=self.fragment(view, screen, lang)
        )

    def fragment(self, view: View, screen: Screen, lang: Language) -> Markup:
        """What changes with the screen."""
        template = self._templates.get_template(f"{view}.html")
        return Markup(template.render(**self._context(view, screen, lang)))  # noqa: S704

    def _context(self, view: View, screen: Screen, lang: Language) -> dict[str, Any]:
        def say(words: Words) -> str:
            return words.zh if lang == "zh" else words.en

        return {
            "view": view,
            "screen": screen,
            "lang": lang,
            "other_lang": "en" if lang == "zh" else "zh",
            "say": say,
            "title": TITLES,
            "button": BUTTONS,
            "profile": self._agent.profile,
            "digits": MINOR_DIGITS[screen.currency],
            "qr": Markup(pictures.svg(screen.code_url)) if screen.code_url else None,  # noqa: S704
            "unknown_sum": Money(screen.unknown_minor, screen.currency).decimal(),
            "recent": self._recent() if view == "till" else [],
            "sale_words": lambda state: say(_SALE_WORDS.get(state, _OPEN_WORDS)),
            "delivery_words": lambda state: say(DELIVERIES[state]),
            "unsettled": self._agent.unsettled_items() if view == "till" else [],
            "refund_left": self._agent.refund_left_minor,
            "money": lambda minor: Money(minor, screen.currency).decimal(),
        }

    def _recent(self) -> list[Any]:
        return self._agent.recent(RECENT_DEFAULT)


def router(shell: Shell, agent: Agent, access: Access, streams: Streams) -> APIRouter:
    """The pages of one terminal."""
    pages = APIRouter()
    renderer = Renderer(agent)

    def page(view: View, lang: Language) -> Response:
        html = renderer.page(view, shell.screen, lang=lang, token=access.page_token)
        response = HTMLResponse(html)
        access.admit_page(response)
        return response

    @pages.get("/", dependencies=[Depends(access.check_host)])
    async def till(lang: _Lang = "zh") -> Response:
        return page("till", lang)

    @pages.get("/customer", dependencies=[Depends(access.check_host)])
    async def customer(lang: _Lang = "zh") -> Response:
        return page("customer", lang)

    @pages.get(
        "/fragments",
        dependencies=[Depends(access.check_read), Depends(streams.enter)],
        response_class=EventSourceResponse,
    )
    async def fragments(
        request: Request, view: View = "till", lang: _Lang = "zh"
    ) -> AsyncIterator[ServerSentEvent]:
        async for revision, screen in shell.screens(after=last_event_id(request)):
            html = renderer.fragment(view, screen, lang)
            yield ServerSentEvent(
                data={"html": html, "mood": screen.mood, "kind": screen.kind},
                event="screen",
                id=str(revision),
            )

    return pages
