"""A list of payments, or of refunds, as a page with its filter, a part at a time, and as a file."""

from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from fastapi import Request, Response

from backend.console.limits import ROWS_PER_PAGE
from backend.console.model import Person
from backend.console.parts import ConsoleParts
from backend.console.places import names_of
from backend.listing.filters import TypedFilter, place_of
from backend.listing.paged import NO_ROWS, PagedList
from protocol.errors import CallerError

T = TypeVar("T", bound=TypedFilter)
F = TypeVar("F")


class MoneyList(Generic[T, F]):
    """One of the two lists. ``name`` is its template's, its tab's and its file's; ``wanted`` makes
    the question of a filter, for one merchant or (None) all."""

    def __init__(
        self,
        parts: ConsoleParts,
        listed: PagedList[F],
        *,
        name: str,
        states: Collection[str],
        wanted: Callable[[T, str | None], F],
    ) -> None:
        self._parts = parts
        self._listed = listed
        self._name = name
        self._states = states
        self._wanted = wanted

    async def page(
        self, request: Request, person: Person, typed: T, wrong: dict[str, CallerError]
    ) -> Response:
        """The page; ``wrong`` says of fields why they cannot be read, besides what the filter finds
        wrong itself. With a wrong field, or a name of several, it has no rows."""
        parts, place = self._parts, place_of(request)
        asked = await parts.naming.asked(typed, person.scope)
        wrong = wrong | asked.typed.wrong()
        wanted = None if asked.choices or wrong else self._wanted(asked.typed, person.scope)
        page = NO_ROWS
        if wanted is not None:
            page = await self._listed.page(wanted, place, rows_max=ROWS_PER_PAGE)
        return parts.face.page(
            request, self._name, person, tab=self._name, rows=page.rows, typed=asked.typed,
            more=asked.typed.query(after=page.after.told) if page.after else "",
            is_first=place is None, choices=self._states, export=asked.typed.query(),
            sums=await self._listed.sums(wanted) if wanted and page.rows else None,
            asked=asked, wrong=wrong, known=await parts.naming.known(asked.typed, person.scope),
            places=await names_of(parts.payments.services, page.rows),
        )  # fmt: skip

    async def file(self, request: Request, typed: T) -> Response:
        """All rows of a filter as CSV."""
        person = await self._parts.person(request)
        asked = await self._parts.naming.asked(typed, person.scope)
        wanted = self._wanted(asked.clear(), person.scope)
        name = f"{self._name}-{self._parts.payments.today().isoformat()}"
        return self._parts.face.csv(request, name, self._listed.csv(wanted))
