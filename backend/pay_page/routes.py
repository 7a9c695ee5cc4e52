"""HTTP of the page: ``/q/p/…`` for a payment's shown code, ``/q/s/…`` for a code that hangs in a
shop. No script; words in zh and en.
"""

from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from backend.guard import Guard
from backend.pay_page.desk import PageDesk
from backend.pay_page.limits import FORM_BYTES_MAX
from backend.pay_page.model import STATIC_PATH, typed_minor, wallet_of
from backend.pay_page.schemas import NewStaticCode
from backend.rate_limit import RateLimit
from backend.wallet.model import PAGE_PATH, code_url
from backend.wallet_page.payer_words import to_payer
from faces import policy
from protocol.errors import CallerError, OperatingError, TillwayError
from protocol.money import Money
from protocol.payment import PAID_STATES, PaymentState


def router(desk: PageDesk, tries: RateLimit) -> APIRouter:
    """The page for payers."""
    routes = APIRouter(tags=["page"])
    pages = Environment(
        loader=PackageLoader("backend.pay_page"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown, asked, refused = (
        pages.get_template(f"{name}.html") for name in ("payment", "amount", "refused")
    )

    def refusal(error: TillwayError) -> Response:
        words = to_payer(error.code)
        status = 503 if isinstance(error, OperatingError) else 404
        return _sealed(HTMLResponse(refused.render(zh=words.zh, en=words.en), status))

    @routes.get(PAGE_PATH + "{payment_id}", response_class=HTMLResponse)
    async def open_payment(payment_id: str, request: Request) -> Response:
        try:
            tries.take(_caller(request))
            opened = await desk.open(payment_id, wallet_of(request.headers.get("user-agent", "")))
        except TillwayError as error:
            return refusal(error)
        if opened.address:
            return _sealed(RedirectResponse(opened.address, 303))
        return _sealed(HTMLResponse(shown.render(**_payment(opened.payment))))

    @routes.get(STATIC_PATH + "{code_id}", response_class=HTMLResponse)
    async def open_code(code_id: str) -> Response:
        try:
            row = await desk.code(code_id)
        except TillwayError as error:
            return refusal(error)
        return _sealed(HTMLResponse(asked.render(merchant=row["merchant"], is_wrong=False)))

    @routes.post(STATIC_PATH + "{code_id}", response_class=HTMLResponse)
    async def take_amount(code_id: str, request: Request) -> Response:
        try:
            tries.take(_caller(request))
            row = await desk.code(code_id)
            amount_minor = typed_minor(await _typed(request))
            if amount_minor is None:
                page = asked.render(merchant=row["merchant"], is_wrong=True)
                return _sealed(HTMLResponse(page, 400))
            payment_id = await desk.begin(code_id, amount_minor)
        except TillwayError as error:
            return refusal(error)
        return _sealed(RedirectResponse(f"{PAGE_PATH}{payment_id}", 303))

    return routes


def operator_router(desk: PageDesk, operator_only: Guard) -> APIRouter:
    """``/operator/v1/static-codes``."""
    routes = APIRouter(
        prefix="/operator/v1/static-codes", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.post("", status_code=201)
    async def make_code(body: NewStaticCode) -> dict[str, Any]:
        return await desk.make(body.merchant_id, body.label)

    @routes.get("")
    async def codes_of(merchant_id: str) -> dict[str, Any]:
        return {"codes": await desk.codes_of(merchant_id)}

    @routes.post("/{code_id}/stop")
    async def stop_code(code_id: str) -> dict[str, Any]:
        return await desk.stop(code_id)

    return routes


def _sealed(answer: Response) -> Response:
    policy.protect(answer, policy.LEADS_ELSEWHERE)
    return answer


def _payment(payment: dict[str, Any]) -> dict[str, Any]:
    state = PaymentState(payment["state"])
    return {
        "merchant": payment["merchant"],
        "amount": Money(payment["amount_minor"], payment["currency"]).decimal(),
        "currency": payment["currency"],
        "description": payment["description"],
        "link": code_url(payment["payment_id"]),
        "is_open": state is PaymentState.AWAITING_PAYER,
        "is_paid": state in PAID_STATES,
    }


async def _typed(request: Request) -> str:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES_MAX:
            raise CallerError("field_invalid", "amount")
    try:
        return parse_qs(body.decode("ascii"), max_num_fields=4).get("amount", [""])[0]
    except ValueError:
        return ""


def _caller(request: Request) -> str:
    return request.client.host if request.client else ""
