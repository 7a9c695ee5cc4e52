"""The pages about callbacks: a merchant's list, and one of them with every try."""

from fastapi import APIRouter, Request, Response

from backend.console.limits import ROWS_PER_PAGE
from backend.console.merchant_callbacks_desk import CallbacksDesk, host_of
from backend.console.merchant_words import CALLBACK_EVENTS
from backend.console.parts import ConsoleParts
from backend.console.places import names_of
from backend.console.session import OF_MERCHANT, ROOT
from backend.listing.filters import CALLBACK_STATES, TypedCallbacks
from backend.listing.limits import FILTER_CHARS_MAX
from backend.notify.model import Place


def add_pages(pages: APIRouter, parts: ConsoleParts, desk: CallbacksDesk) -> None:
    """``/console/callbacks``."""
    face = parts.face

    @pages.get(ROOT + "/callbacks")
    @pages.get(OF_MERCHANT + "/callbacks")
    async def callbacks(request: Request) -> Response:
        person = await parts.merchant(request)
        typed = TypedCallbacks.of(request)
        after = request.query_params.get("after", "")[:FILTER_CHARS_MAX]
        wrong = typed.wrong()
        rows = [] if wrong else await desk.listed(typed.wanted(person.merchant_id), after)
        more = typed.query(after=Place.of(rows[ROWS_PER_PAGE - 1])) if rows[ROWS_PER_PAGE:] else ""
        return face.page(
            request, "callbacks", person, tab="callbacks", rows=rows[:ROWS_PER_PAGE], typed=typed,
            wrong=wrong, more=more, newest=typed.query() if after else None,
            choices=CALLBACK_STATES, host=host_of, events=CALLBACK_EVENTS,
        )  # fmt: skip

    @pages.get(ROOT + "/callbacks/{callback_id}")
    async def callback(request: Request, callback_id: str) -> Response:
        person = await parts.person(request)
        story = await desk.story(person, callback_id)
        return face.page(
            request, "callback", person, tab="letters" if person.is_operator else "callbacks",
            story=story, host=host_of, places=await names_of(parts.payments.services, [story.row]),
        )  # fmt: skip

    @pages.post(ROOT + "/callbacks/{callback_id}/replay")
    async def replay(request: Request, callback_id: str) -> Response:
        person, _ = await parts.posted(request)
        await desk.replay(person, callback_id)
        return face.done(request, f"/callbacks/{callback_id}", "replayed")
