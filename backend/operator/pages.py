"""The status page: what an operator wants to see first, without a script.

Order: what is unknown, then the day's payments, then devices, then whether the books balance.
Meaning is never carried by colour alone.
"""

from typing import Literal

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from backend.guard import Guard
from backend.operator.service import OperatorService
from backend.operator.words import WORDS, shown_amount, shown_time
from faces import policy

Language = Literal["zh", "en"]


def router(service: OperatorService, guard: Guard) -> APIRouter:
    """``GET /?lang=zh|en``, for the operator (a browser asks for the token as a password)."""
    routes = APIRouter(tags=["page"], dependencies=[Depends(guard)])
    pages = Environment(
        loader=PackageLoader("backend.operator"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(amount=shown_amount, time=shown_time)
    status = pages.get_template("status.html")

    @routes.get("/", response_class=HTMLResponse)
    async def get_status(lang: Language = "zh") -> HTMLResponse:
        page = status.render(
            lang=lang,
            word=WORDS[lang],
            today=await service.today(),
            devices=await service.devices(),
        )
        answer = HTMLResponse(page)
        policy.protect(answer, policy.SCRIPTLESS)
        return answer

    return routes
