"""What every page of the console stands on."""

from dataclasses import dataclass, replace

from fastapi import Request

from backend.console.desk import PeopleDesk
from backend.console.face import Face
from backend.console.model import Person
from backend.console.payments_desk import PaymentsDesk
from backend.console.session import COOKIE, read_form
from backend.forms import Form, check_form
from backend.listing.naming import Naming
from backend.operator.auth import origin_of
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleParts:
    """Made once per process."""

    people: PeopleDesk
    payments: PaymentsDesk
    naming: Naming
    face: Face

    async def person(self, request: Request) -> Person:
        """Who is signed in; ``not_authorized`` for nobody."""
        return await self.people.person(request.cookies.get(COOKIE, ""), origin_of(request))

    async def posted(self, request: Request) -> tuple[Person, Form]:
        """Who is signed in and may act, and the form that a page of this session has sent;
        ``rank_insufficient`` for who may only look."""
        person, form = await self.own_posted(request)
        if not person.may_act:
            raise CallerError("rank_insufficient")
        return person, form

    async def own_posted(self, request: Request) -> tuple[Person, Form]:
        """As ``posted``, for changes that concern the person alone: whoever is signed in may make
        them."""
        form = await read_form(request)
        person = await self.person(request)
        check_form(form, person.page_token)
        return person, form

    async def merchant(self, request: Request) -> Person:
        """Whose merchant's page is asked for: a merchant's person, or an operator who looks at the
        merchant that the address names (``OF_MERCHANT``); else the page does not exist."""
        person = await self.person(request)
        merchant_id = request.path_params.get("merchant_id", "")
        if not merchant_id:
            return _merchant_s(person)
        if not person.is_operator:
            raise CallerError("route_unknown")
        name = await self.payments.merchant_name(merchant_id)
        return replace(person, merchant_id=merchant_id, merchant_name=name)

    async def merchant_posted(self, request: Request) -> tuple[Person, Form]:
        """The merchant's person and the form that a page of this session has sent."""
        person, form = await self.posted(request)
        return _merchant_s(person), form

    async def owner_posted(self, request: Request) -> tuple[Person, Form]:
        """As ``merchant_posted``, for owners only; ``rank_insufficient`` for the merchant's other
        people."""
        person, form = await self.merchant_posted(request)
        if not person.is_owner:
            raise CallerError("rank_insufficient")
        return person, form


def _merchant_s(person: Person) -> Person:
    if person.is_operator:
        raise CallerError("route_unknown")
    return person
