"""How the console's pages look: templates, words, amounts and times, and what a refusal shows."""

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from backend.channels.reason_words import reason_words
from backend.console.act_words import ACT_NAMES
from backend.console.acts_shown import actor_of
from backend.console.beside import NOTHING, Fields, Wrong, beside
from backend.console.break_words import BREAK_NAMES, BREAK_WORDS
from backend.console.browsers import browser_of
from backend.console.case_words import CASE_NAMES, CASE_WORDS
from backend.console.done_words import DONE_NAMES
from backend.console.limits import SESSION_LIFE_MS
from backend.console.merchant_words import MERCHANT_NAMES, MERCHANT_STATES, MERCHANT_WORDS
from backend.console.model import Person
from backend.console.operator_words import OPERATOR_NAMES, OPERATOR_WORDS
from backend.console.posting_words import POSTING_NAMES
from backend.console.risk_words import RISK_NAMES, RISK_WORDS
from backend.console.session import COOKIE, ROOT
from backend.console.words import NAMES, STATES, STEPS, WORDS
from backend.http_errors import status_of
from backend.merchants.model import masked_account
from backend.operator.words import shown_amount
from backend.shop_time import shown_time
from faces.assets import Assets
from faces.codes import code_picture
from faces.locale import PARAMETER, language_of
from faces.pages import Pages
from faces.session_face import SessionFace
from faces.words import Language
from protocol.advice import Advice
from protocol.clock import Clock
from protocol.errors import TillwayError, advice, is_known

MERCHANT_PAGES = tuple(
    (name, name) for name in ("settlements", "bills", "breaks", "callbacks", "stores", "keys")
)
"""A merchant's pages that operators look at, too, and the words that name them."""
_LISTS = frozenset({"payments", "breaks", "cases"})
"""For everybody who may see one of theirs."""
_NO_FIELDS: Fields = MappingProxyType({})


class Face(SessionFace):
    """Makes the answers. One per process."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(root=ROOT, cookie=COOKIE, kept_s=SESSION_LIFE_MS // 1000)
        self.assets = Assets("console", "backend.console", root=ROOT)
        self._names = (
            NAMES
            | MERCHANT_NAMES
            | OPERATOR_NAMES
            | ACT_NAMES
            | BREAK_NAMES
            | CASE_NAMES
            | POSTING_NAMES
            | RISK_NAMES
        )
        words = WORDS | MERCHANT_WORDS | OPERATOR_WORDS | BREAK_WORDS | RISK_WORDS | CASE_WORDS
        self._pages = Pages("backend.console", self.assets, words)
        self._clock = clock

    def page(
        self,
        request: Request,
        name: str,
        person: Person | None,
        *,
        refusal: TillwayError | None = None,
        wrong: Wrong = NOTHING,
        fields: Fields = _NO_FIELDS,
        **more: Any,  # noqa: ANN401  # what the template shows
    ) -> Response:
        """A page; with a refusal's sentence above it where there is one, or beside the one of its
        form's ``fields`` that it is about, or beside the fields that are ``wrong``."""
        refused = refusal or next(iter(wrong.values()), None)
        wrong = beside(refusal, fields) or wrong
        refusal = None if refusal in wrong.values() else refusal
        language = language_of(request)
        here = request.url.path if request.method == "GET" else ROOT
        shown = {"mood": "plain", "tab": "", "here": here, "places": {}} | more
        is_look = person is not None and person.is_operator and bool(person.merchant_id)
        if is_look:
            shown |= {"under": shown["tab"], "tab": "merchants"}
        html = self._pages.render(
            f"console/{name}.html",
            language,
            face="console",
            token=person.page_token if person else "",
            person=person,
            refusal=refusal,
            wrong=wrong,
            base=base_of(person),
            merchant_pages=MERCHANT_PAGES,
            other_language=_switched(request, f"{shown['here']}", language),
            now_ms=self._clock.now_ms(),
            money=money,
            plain=plain,
            micro=micro,
            time=partial(page_time, now_ms=self._clock.now_ms()),
            next_day=next_day,
            masked=masked_account,
            states=STATES | MERCHANT_STATES,
            steps=STEPS,
            picture=code_picture,
            names=self._names,
            done=DONE_NAMES.get(f"done.{request.query_params.get('done', '')}"),
            browser_of=browser_of,
            advice_of=advice_of,
            reason_words=reason_words,
            actor_of=actor_of,
            **shown,
        )
        status = 200 if refused is None else status_of(refused)
        return self.sealed(request, HTMLResponse(html, status))

    def done(self, request: Request, path: str, what: str) -> Response:
        """Go on to another page, which says that something was done (``DONE_NAMES``)."""
        return self.sent(request, f"{path}?done={what}")

    def refused(self, request: Request, error: TillwayError, person: Person | None) -> Response:
        """A page of nothing but the refusal; for who is nobody, the question who it is."""
        if person is not None:
            tab = list_of(request.url.path) if error.code != "route_unknown" else ""
            return self.page(request, "refused", person, refusal=error, tab=tab)
        shown_out = self.shown_out(request, error)
        return shown_out or self.page(request, "sign_in", None, refusal=error, here=ROOT, typed="")

    def csv(
        self,
        request: Request,
        name: str,
        chunks: Iterator[bytes] | AsyncIterator[bytes],
        *,
        size_bytes: int | None = None,
    ) -> Response:
        """A file to keep, sent as it is made. ``name`` is without its ending."""
        headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
        if size_bytes is not None:
            headers["content-length"] = f"{size_bytes}"
        media_type = "text/csv; charset=utf-8"
        answer = StreamingResponse(chunks, media_type=media_type, headers=headers)
        return self.sealed(request, answer)


def _switched(request: Request, here: str, language: Language) -> str:
    """The address of this page in the other language, its other parameters kept."""
    asked = request.query_params.multi_items() if here == request.url.path else []
    kept = [(name, value) for name, value in asked if name != PARAMETER]
    return f"{here}?{urlencode([*kept, (PARAMETER, 'en' if language == 'zh' else 'zh')])}"


def base_of(person: Person | None) -> str:
    """Where a merchant's pages stand: for its people, and for an operator who looks at them."""
    if person is not None and person.is_operator and person.merchant_id:
        return f"{ROOT}/merchants/{quote(person.merchant_id, safe='')}"
    return ROOT


def list_of(path: str) -> str:
    """The list that a page of one payment, break or case stands in; empty for any other page."""
    name, _, one = path.removeprefix(f"{ROOT}/").partition("/")
    return name if one and name in _LISTS else ""


def advice_of(code: str | None) -> Advice | None:
    """What a refusal's code means to a person; None for no code, and for another side's own."""
    return advice(code) if code and is_known(code) else None


def money(amount_minor: int, currency: str = "CNY") -> str:
    """``¥12.80``; other currencies by their code."""
    number, _, code = shown_amount(amount_minor, currency).partition(" ")
    return f"¥{number}" if code == "CNY" else f"{code} {number}"


def plain(amount_minor: int, currency: str) -> str:
    """``12.80``, as a form takes it."""
    return shown_amount(amount_minor, currency).partition(" ")[0]


def micro(cost_micro: int) -> str:
    """A price in millionths of a yuan, to its last digit: ``¥0.0003``."""
    whole, part = divmod(cost_micro, 1_000_000)
    return f"¥{whole}.{part:06}".rstrip("0").rstrip(".")


def next_day(day: str) -> str:
    """The date after one."""
    return f"{date.fromisoformat(day) + timedelta(days=1)}"


def page_time(at_ms: int, form: str = "%Y-%m-%d %H:%M:%S", *, now_ms: int) -> str:
    """A moment in the shop's time. A form that begins with the month gets the year before it where
    that is not the year of ``now_ms``."""
    is_this_year = shown_time(at_ms, "%Y") == shown_time(now_ms, "%Y")
    is_short = form.startswith("%m") and not is_this_year
    return shown_time(at_ms, f"%Y-{form}" if is_short else form)
