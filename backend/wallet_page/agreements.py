"""The pages of contracts with merchants' programs, and of services that are paid afterwards: what
was agreed, on which terms. A signed contract is paused and stopped as its mandate is.

Rule: what is signed is the text whose terms the page shows; the PIN signs nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from backend.mandates.schemas import Signature
from backend.merchant_api.papay.desk import ContractDesk
from backend.merchant_api.payscore.desk import ServiceDesk
from backend.wallet_page.parts import PageParts, checked, word_in
from backend.wallet_page.session import ROOT, Session
from protocol.errors import CallerError

_ME = f"{ROOT}/me"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One kind of agreement: its templates, and what its desk does for a payer."""

    one: str
    """The page of one, and what its template calls it."""
    all: str
    """The page of all, its place, and what its template calls them."""
    of_payer: Callable[[str], Awaitable[Any]]
    shown_to: Callable[[str, str], Awaitable[Any]]
    sign: Callable[[str, str, Signature], Awaitable[Any]]


def add_pages(
    pages: APIRouter, parts: PageParts, contracts: ContractDesk, services: ServiceDesk
) -> None:
    """Add them to the router."""
    _add_kind(pages, parts, _Kind(
        one="contract", all="contracts", of_payer=contracts.of_payer,
        shown_to=contracts.shown_to, sign=contracts.sign,
    ))  # fmt: skip
    _add_kind(pages, parts, _Kind(
        one="service", all="services", of_payer=services.of_payer,
        shown_to=services.shown_to, sign=services.confirm,
    ))  # fmt: skip


def _add_kind(pages: APIRouter, parts: PageParts, kind: _Kind) -> None:
    face, place = parts.face, f"{ROOT}/{kind.all}"

    @pages.get(place)
    async def of_payer(request: Request) -> Response:
        session = await parts.session(request)
        found = await kind.of_payer(session.payer_id)
        return face.page(request, kind.all, session, back=_ME, **{kind.all: found})

    async def page_of(
        request: Request, session: Session, number: str, refusal: CallerError | None = None
    ) -> Response:
        found = await kind.shown_to(session.payer_id, number)
        return face.page(
            request, kind.one, session, back=place, refusal=refusal,
            finger=await parts.finger(request, session), **{kind.one: found},
        )  # fmt: skip

    @pages.get(place + "/{number}")
    async def one(request: Request, number: str) -> Response:
        return await page_of(request, await parts.session(request), number)

    @pages.post(place + "/{number}/sign")
    async def sign(request: Request, number: str) -> Response:
        session, form = await parts.posted(request)
        try:
            wanted = checked(Signature, word_in(form))
            await kind.sign(session.payer_id, number, wanted)
        except CallerError as error:
            return await page_of(request, session, number, error)
        return face.sent(request, f"/{kind.all}/{number}")
