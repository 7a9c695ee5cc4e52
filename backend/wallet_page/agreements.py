"""The pages of contracts with merchants' programs, and of services that are paid afterwards: what
was agreed, on which terms. A signed contract is paused and stopped as its mandate is.

Rule: what is signed is the text whose terms the page shows; the PIN signs nothing.
"""

from fastapi import APIRouter, Request, Response

from backend.mandates.schemas import Signature
from backend.merchant_api.papay.desk import ContractDesk
from backend.merchant_api.payscore.desk import ServiceDesk
from backend.wallet_page.parts import PageParts, checked, word_in
from backend.wallet_page.session import ROOT, Session
from protocol.errors import CallerError

_CONTRACTS, _SERVICES, _ME = f"{ROOT}/contracts", f"{ROOT}/services", f"{ROOT}/me"


def add_pages(
    pages: APIRouter, parts: PageParts, contracts: ContractDesk, services: ServiceDesk
) -> None:
    """Add them to the router."""
    face = parts.face

    @pages.get(_CONTRACTS)
    async def of_payer(request: Request) -> Response:
        session = await parts.session(request)
        found = await contracts.of_payer(session.payer_id)
        return face.page(request, "contracts", session, back=_ME, contracts=found)

    async def contract_page(
        request: Request, session: Session, contract_id: str, refusal: CallerError | None = None
    ) -> Response:
        found = await contracts.shown_to(session.payer_id, contract_id)
        return face.page(
            request, "contract", session, back=_CONTRACTS, refusal=refusal, contract=found,
            finger=await parts.finger(request, session),
        )  # fmt: skip

    @pages.get(_CONTRACTS + "/{contract_id}")
    async def contract(request: Request, contract_id: str) -> Response:
        return await contract_page(request, await parts.session(request), contract_id)

    @pages.post(_CONTRACTS + "/{contract_id}/sign")
    async def sign(request: Request, contract_id: str) -> Response:
        session, form = await parts.posted(request)
        try:
            wanted = checked(Signature, word_in(form))
            await contracts.sign(session.payer_id, contract_id, wanted)
        except CallerError as error:
            return await contract_page(request, session, contract_id, error)
        return face.sent(request, f"/contracts/{contract_id}")

    @pages.get(_SERVICES)
    async def services_of_payer(request: Request) -> Response:
        session = await parts.session(request)
        found = await services.of_payer(session.payer_id)
        return face.page(request, "services", session, back=_ME, services=found)

    async def service_page(
        request: Request, session: Session, order_id: str, refusal: CallerError | None = None
    ) -> Response:
        found = await services.shown_to(session.payer_id, order_id)
        return face.page(
            request, "service", session, back=_SERVICES, refusal=refusal, service=found,
            finger=await parts.finger(request, session),
        )  # fmt: skip

    @pages.get(_SERVICES + "/{order_id}")
    async def service(request: Request, order_id: str) -> Response:
        return await service_page(request, await parts.session(request), order_id)

    @pages.post(_SERVICES + "/{order_id}/sign")
    async def agree(request: Request, order_id: str) -> Response:
        session, form = await parts.posted(request)
        try:
            wanted = checked(Signature, word_in(form))
            await services.confirm(session.payer_id, order_id, wanted)
        except CallerError as error:
            return await service_page(request, session, order_id, error)
        return face.sent(request, f"/services/{order_id}")
