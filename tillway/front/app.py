"""The front page's routes. What is live comes by one stream; what is done, by one POST each."""

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field

from backend.console.posting_words import POSTING_NAMES
from faces import policy
from faces.assets import Assets
from faces.locale import language_of, remember
from faces.pages import Pages
from faces.routes import add_routes
from faces.stream import Places, event
from faces.words import Language, Words
from protocol.errors import CallerError, TillwayError
from protocol.money import Money
from tillway.demo.at_work import Car
from tillway.demo.machines import ITEMS, Goods
from tillway.demo.opening import Door
from tillway.demo.stack import CHARGER_PER_KWH_MINOR
from tillway.front.evening import Evening
from tillway.front.guide import CHOICES_MINOR, STEPS, Guide, Manner
from tillway.front.hops import PLACES
from tillway.front.limits import (
    BODY_BYTES_MAX,
    FINGER_AMOUNT_MINOR_MAX,
    FOLLOWERS_MAX,
    LOOK_EVERY_MS,
    TOKEN_BYTES,
)
from tillway.front.matters import matters
from tillway.front.parts import parts_told
from tillway.front.shop import Shop
from tillway.front.things import Story, Things
from tillway.front.watch import Watch
from tillway.front.words import ACCOUNTS, WORDS
from tillway.revival import TRIES_MAX, signal_name
from transport.loopback import is_loopback
from transport.refused import refuse_in_words

_HEADER = "x-page-token"
_PIECES = ("health", "parts", "matter", "way", "guide", "evening", "things", "card")
_SEEN_LATER = frozenset({"health", "parts", "matter"})
"""What no act of the page changes."""


class MannerIn(BaseModel):
    """How the payer shall pay."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    manner: Manner


class DoorIn(BaseModel):
    """What shall be opened."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    door: Door


class StoryIn(BaseModel):
    """What shall happen."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    story: Story


class CarIn(BaseModel):
    """Which car drives in."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    car: Car


class ItemIn(BaseModel):
    """Which key of the vending machine is pressed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    item: Goods


class AmountIn(BaseModel):
    """What is keyed in."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    amount_minor: Annotated[int, Field(strict=True, ge=1, le=FINGER_AMOUNT_MINOR_MAX)]


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the vending machine."""

    item: Goods
    words: Words
    amount: str


GOODS = tuple(
    Key(each["item"], Words(each["zh"], each["en"]), Money(each["amount_minor"], "CNY").decimal())
    for each in ITEMS
)


class Face:
    """Makes the pieces of the page."""

    def __init__(self, shop: Shop, token: str | None) -> None:
        self.guide, self.evening, self.things = Guide(shop), Evening(shop.clocks), Things(shop)
        self.watch = Watch(shop, self.things)
        self._card_number = shop.phone.card_number()
        self._console_url = f"{shop.operator.url}/console"
        self.assets = Assets("front", "tillway.front")
        self.token = token or secrets.token_urlsafe(TOKEN_BYTES)
        self._keeper = shop.keeper
        self._pages = Pages("tillway.front", self.assets, WORDS)

    def piece(self, name: str, language: Language) -> Markup:
        """``page``, or one of its live pieces, ``_PIECES``."""
        return self._pages.render(
            f"front/{name}.html", language, face="front", mood="plain", token=self.token,
            parts_seen=self.watch.parts, way=self.watch.way, guide=self.guide,
            steps=STEPS[self.guide.manner], manners=tuple(Manner),
            choices=CHOICES_MINOR[self.guide.manner], postings=self._postings(), places=PLACES,
            accounts=ACCOUNTS, rules=POSTING_NAMES, evening=self.evening,
            closing=self.evening.at, watch=self.watch, card_number=self._card_number,
            console_url=self._console_url, doors=tuple(Door),
            matters=tuple(matters(self.guide.needs, self.watch.parts, self._keeper.told())),
            revivals=self._keeper.told(), tries_max=TRIES_MAX, signal_name=signal_name,
            things=self.things, stories=tuple(Story), cars=tuple(Car), goods=GOODS,
            price=Money(CHARGER_PER_KWH_MINOR, "CNY").decimal(),
        )  # fmt: skip

    def _postings(self) -> Any:  # noqa: ANN401  # of the guide's payment, once it is the last one
        way = self.watch.way
        return way.postings if way and way.payment_id == self.guide.payment_id else ()


def build_app(shop: Shop, token: str | None = None) -> FastAPI:
    """The application over a running stack. Without a token it makes one of its own."""
    app = FastAPI(title="Tillway", docs_url=None, redoc_url=None, openapi_url=None)
    face = Face(shop, token)
    face.assets.mount(app)
    add_routes(app, _views(face, shop))
    add_routes(app, _acts(face, shop))
    app.add_exception_handler(TillwayError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    refuse_in_words(app)
    app.middleware("http")(_guard)
    return app


def _views(face: Face, shop: Shop) -> APIRouter:
    views, places = APIRouter(), Places(FOLLOWERS_MAX)

    @views.get("/")
    async def page(request: Request) -> Response:
        await face.watch.look()
        response = HTMLResponse(face.piece("page", language_of(request)))
        remember(request, response)
        return response

    @views.get("/live", dependencies=[Depends(places.enter)], response_class=EventSourceResponse)
    async def live(
        lang: Annotated[Literal["zh", "en"], Query()] = "zh",
    ) -> AsyncIterator[ServerSentEvent]:
        told: dict[str, tuple[int, Markup]] = {}
        for revision in range(1, 2**53):
            await face.watch.look()
            for name in _PIECES:
                # A page that has gone on is told of a step that looks as what it was told last.
                step = face.guide.revision if name == "guide" else 0
                seen = (step, face.piece(name, lang))
                if told.get(name) != seen:
                    told[name] = seen
                    yield event(name, revision, {"html": seen[1], "drawn": _now_us()})
            await asyncio.sleep(LOOK_EVERY_MS / 1000)

    @views.get("/api/parts")
    async def parts() -> dict[str, object]:
        return {"parts": parts_told(shop.keeper)}

    @views.get("/guide/code-{revision}.png")
    async def code(revision: int) -> Response:
        return _picture(face.guide.code, is_there=revision == face.guide.revision)

    @views.get("/guide/receipt-{revision}.png")
    async def receipt(revision: int) -> Response:
        return _picture(face.guide.receipt, is_there=revision == face.guide.revision)

    return views


def _now_us() -> int:
    """When a piece was drawn, by a clock that only rises and outlives this process: stream and acts
    come by two lines, and the page shows the later one whichever arrives first."""
    return time.monotonic_ns() // 1000


def _picture(png: bytes, *, is_there: bool) -> Response:
    if not (png and is_there):
        raise HTTPException(404)
    headers = {"cross-origin-resource-policy": "same-origin"}
    return Response(png, media_type="image/png", headers=headers)


Do = Callable[[Callable[[], None], Request], Awaitable[dict[str, Any]]]


def _acts(face: Face, shop: Shop) -> APIRouter:
    async def admit(request: Request) -> None:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        token = request.headers.get(_HEADER, bearer)
        is_own = hmac.compare_digest(token.encode(), face.token.encode())
        if not is_own or not _is_own_page(request):
            raise HTTPException(401)

    acts = APIRouter(dependencies=[Depends(admit)])

    async def do(act: Callable[[], None], request: Request) -> dict[str, Any]:
        try:
            await asyncio.to_thread(act)
        finally:
            face.watch.forget()
        await face.watch.look()
        told = {
            name: face.piece(name, language_of(request))
            for name in _PIECES
            if name not in _SEEN_LATER
        }
        return {"step": face.guide.step, "drawn": _now_us(), **told}

    _add_guide(acts, do, face.guide)
    _add_things(acts, do, face.things)

    @acts.post("/open")
    async def opens(wanted: DoorIn, request: Request) -> dict[str, str]:
        language = language_of(request)
        return {"url": await asyncio.to_thread(shop.doors.link, wanted.door, language)}

    @acts.post("/api/parts/{name}/start")
    async def start(name: str, request: Request) -> dict[str, Any]:
        shop.keeper.start(name)
        await face.watch.look()
        return {"parts": face.piece("parts", language_of(request)), "drawn": _now_us()}

    @acts.post("/day/close")
    async def close(request: Request) -> dict[str, Any]:
        return await do(face.evening.close, request)

    return acts


def _add_guide(acts: APIRouter, do: Do, guide: Guide) -> None:
    steps = {
        "show": guide.show, "scan": guide.scan, "lay": guide.lay, "read": guide.read,
        "confirm": guide.confirm, "look": guide.look, "again": guide.start_over,
    }  # fmt: skip

    @acts.post("/guide/choose")
    async def choose(wanted: MannerIn, request: Request) -> dict[str, Any]:
        return await do(lambda: guide.choose(wanted.manner), request)

    @acts.post("/guide/key")
    async def key(wanted: AmountIn, request: Request) -> dict[str, Any]:
        return await do(lambda: guide.key_in(wanted.amount_minor), request)

    @acts.post("/guide/{step}")
    async def go(step: str, request: Request) -> dict[str, Any]:
        if step not in steps:
            raise HTTPException(404)
        return await do(steps[step], request)


def _add_things(acts: APIRouter, do: Do, things: Things) -> None:
    stages = {
        "plug": things.plug, "pull": things.pull, "leave": things.leave, "pay": things.pay,
        "out": things.out, "scan": things.scan, "again": things.start_over,
    }  # fmt: skip

    @acts.post("/things/choose")
    async def choose(wanted: StoryIn, request: Request) -> dict[str, Any]:
        return await do(lambda: things.choose(wanted.story), request)

    @acts.post("/things/enter")
    async def enter(wanted: CarIn, request: Request) -> dict[str, Any]:
        return await do(lambda: things.enter(wanted.car), request)

    @acts.post("/things/press")
    async def press(wanted: ItemIn, request: Request) -> dict[str, Any]:
        return await do(lambda: things.press(wanted.item), request)

    @acts.post("/things/{stage}")
    async def go(stage: str, request: Request) -> dict[str, Any]:
        if stage not in stages:
            raise HTTPException(404)
        return await do(stages[stage], request)


def _is_own_page(request: Request) -> bool:
    """Whether the page that asks is this one, as far as the browser says which it is."""
    origin = request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    is_same_site = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    return origin in {None, own} and is_same_site


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    if not is_loopback(request.headers.get("host", "")):
        return _told(CallerError("host_unknown"), 421)
    length = request.headers.get("content-length", "0")
    is_chunked = "transfer-encoding" in request.headers
    if is_chunked or not length.isdecimal() or int(length) > BODY_BYTES_MAX:
        return _told(CallerError("field_invalid"), 413)
    response = await call_next(request)
    policy.protect(response)
    return response


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TillwayError)
    return _told(error, 409 if isinstance(error, CallerError) else 503)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _told(CallerError("amount_invalid", json.dumps(error.errors()[0]["loc"])), 400)


def _told(error: TillwayError, status: int) -> JSONResponse:
    return JSONResponse({"error": {**error.to_wire(), "detail": error.detail}}, status)
