"""The pages of contracts with merchants' programs, and of services that are paid afterwards: what
was agreed, on which terms. A signed contract is paused and stopped as its mandate is.

Rule: a proposal is signed by the key on the payer's phone; a page without that key signs nothing.
"""

from fastapi import APIRouter, Request, Response

from backend.merchant_api.papay.desk import ContractDesk
from backend.merchant_api.payscore.desk import ServiceDesk
from backend.wallet_page.parts import PageParts
from backend.wallet_page.session import ROOT

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

    @pages.get(_CONTRACTS + "/{contract_id}")
    async def contract(request: Request, contract_id: str) -> Response:
        session = await parts.session(request)
        found = await contracts.shown_to(session.payer_id, contract_id)
        return face.page(request, "contract", session, back=_CONTRACTS, contract=found)

    @pages.get(_SERVICES)
    async def services_of_payer(request: Request) -> Response:
        session = await parts.session(request)
        found = await services.of_payer(session.payer_id)
        return face.page(request, "services", session, back=_ME, services=found)

    @pages.get(_SERVICES + "/{order_id}")
    async def service(request: Request, order_id: str) -> Response:
        session = await parts.session(request)
        found = await services.shown_to(session.payer_id, order_id)
        return face.page(request, "service", session, back=_SERVICES, service=found)
