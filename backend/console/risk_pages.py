"""The operators' page of the rules and models that judge payments."""

from fastapi import APIRouter, Request, Response

from backend.console.operator_pages import operator
from backend.console.parts import ConsoleParts
from backend.console.risk_desk import RiskStandingDesk
from backend.console.session import ROOT


def add_pages(pages: APIRouter, parts: ConsoleParts, desk: RiskStandingDesk) -> None:
    """``/console/risk``; to a merchant it does not exist."""

    @pages.get(ROOT + "/risk")
    async def risk(request: Request) -> Response:
        person = await operator(parts, request)
        return parts.face.page(
            request, "risk", person, tab="risk", rules=await desk.rules(),
            models=await desk.models(),
        )  # fmt: skip
