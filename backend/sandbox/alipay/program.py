"""The gateway as an institution of its own: ``/gateway.do`` for sellers' programs, plain control
routes for whoever holds the buyers' telephones.

The gateway's RSA key lies in the institution's directory, readable by its owner only.
"""

import base64
import secrets
from pathlib import Path
from typing import Annotated, Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from fastapi import FastAPI, Request, Response
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, StringConstraints

from backend.channels.alipay.bill import write_bill
from backend.sandbox.alipay.authority import own_authority
from backend.sandbox.alipay.days import PAYEE, Days, Tickets
from backend.sandbox.alipay.gateway import Gateway, notice_of
from backend.sandbox.alipay.limits import (
    AMOUNT_MINOR_MAX,
    NUMBER_CHARS_MAX,
    PUBLIC_KEY_BYTES_MAX,
    REQUEST_BYTES_MAX,
    RSA_BITS,
)
from backend.sandbox.alipay.notices import Notices
from backend.sandbox.alipay.trades import Trades, seller
from backend.sandbox.alipay.wire import GatewayError
from backend.sandbox.institution.control import add_control
from backend.sandbox.institution.house import Answer
from backend.sandbox.institution.payee_days import Payee
from backend.sandbox.institution.program import Place, Running
from backend.sandbox.institution.reserve_line import ReserveLine
from backend.sandbox.institution.signed import new_app, read_body, strike
from backend.sandbox.institution.state_files import write_private
from protocol.errors import CallerError
from protocol.money import Money

KEY = "gateway.pem"
_Buyer = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@-]{5,64}$")]
_Minor = Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]


class AppBody(BaseModel):
    """A seller's application. ``public_key``: DER in Base64, as the real console takes it."""

    model_config = ConfigDict(extra="forbid")

    app_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{16}$")]
    public_key: Annotated[Base64Bytes, Field(max_length=PUBLIC_KEY_BYTES_MAX)]
    with_certificate: bool = False
    """Certificate mode: it gets a certificate, and must name it."""


class BuyerBody(BaseModel):
    """A buyer's account. What is above ``password_free_minor`` waits for the password."""

    model_config = ConfigDict(extra="forbid")

    buyer: _Buyer
    opening_minor: _Minor = 0
    password_free_minor: _Minor = 100_000


class ConfirmBody(BaseModel):
    """What the buyer confirms: a waiting trade's number at Alipay, or a scanned QR code."""

    model_config = ConfigDict(extra="forbid")

    what: Annotated[str, Field(min_length=1, max_length=2 * NUMBER_CHARS_MAX)]


class Options(BaseModel):
    """What may be set of the gateway. ``app_id``: the seller whose days the reserve bank pays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    app_id: str = PAYEE.number
    settlement_account: str = PAYEE.settlement
    reserve_account: str = PAYEE.reserve


def build(place: Place) -> Running:
    """The gateway. But for one seller, a seller's money stays on the account there."""
    options = Options.model_validate(dict(place.options))
    house = place.furnish()
    payee = Payee(
        number=options.app_id,
        settlement=options.settlement_account,
        reserve=options.reserve_account,
    )
    days, tickets = Days(house.books, payee), Tickets(house.clock)
    trades = Trades(house.books, _digits, lends_to=options.app_id)
    key, reserve_bank = own_rsa_key(place.directory), ReserveLine(place)
    notices = Notices(house.books, key, house.clock)
    trades.tell = notice_of(trades, notices)

    async def time_passes() -> None:
        await notices.deliver()
        days.close(house.clock.today())
        await days.outbox.tell(reserve_bank)

    house.time_passes = time_passes

    async def close() -> None:
        await notices.close()
        await reserve_bank.close()

    authority = own_authority(place.directory, key, house.clock.now_ms())
    app = build_app(Gateway(house, trades, key, days, tickets, authority))
    return Running(house, app, close=close)


def build_app(gateway: Gateway) -> FastAPI:
    """The HTTP face of the gateway."""
    house, tickets = gateway.house, gateway.tickets
    app = new_app("Tillway sandbox: Alipay")

    @app.get("/bill/{token}")
    async def bill(token: str) -> Response:
        found = tickets.find(token)
        if found is None:
            return Response(status_code=404)
        app_id, day = found
        rows = gateway.days.rows(app_id, day, house.faults)
        return Response(write_bill(day, app_id, rows), media_type="application/zip")

    @app.api_route("/gateway.do", methods=["GET", "POST"])
    async def gateway_do(request: Request) -> Response:
        if house.faults.strikes("be_down"):
            return Response(status_code=503)
        tickets.base = str(request.base_url).rstrip("/")
        query, body = request.scope["query_string"], await read_body(request)
        if len(query) + len(body) > REQUEST_BYTES_MAX:
            raise CallerError("field_invalid", "too long")

        def act() -> Answer:
            return 200, gateway.answer(query, body), "application/json; charset=utf-8"

        answer = await strike(house, act, is_writing=True)
        if answer is None:
            return Response(status_code=504)
        status, content, media_type = answer
        if house.faults.strikes("bad_signature"):
            content = content[: content.rindex(b'"sign":')] + b'"sign":"AAAA"}'
        return Response(content, status, None, media_type)

    _add_sellers(app, gateway)
    _add_buyers(app, gateway)
    add_control(app, house)
    return app


def _add_sellers(app: FastAPI, gateway: Gateway) -> None:
    """Mount ``/control/apps``."""

    @app.post("/control/apps")
    async def add_app(body: AppBody) -> dict[str, str]:
        made = gateway.add_app(body.app_id, body.public_key, with_certificate=body.with_certificate)
        der = gateway.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        told = {"app_id": body.app_id, "alipay_public_key": base64.b64encode(der).decode()}
        if made:
            told |= {"app_certificate": made.decode(), **gateway.authority.told()}
        return told

    @app.get("/control/apps/{app_id}")
    async def seller_balance(app_id: str) -> dict[str, int]:
        return {"balance_minor": gateway.house.books.balance(seller(app_id)).amount_minor}


def _add_buyers(app: FastAPI, gateway: Gateway) -> None:
    """Mount ``/control/buyers``: the accounts, and what their telephones do."""
    house, trades = gateway.house, gateway.trades

    @app.post("/control/buyers")
    async def open_buyer(body: BuyerBody) -> dict[str, str]:
        opening = Money(body.opening_minor, "CNY")
        free, now_ms = body.password_free_minor, house.clock.now_ms()
        trades.open_buyer(body.buyer, opening, password_free=free, now_ms=now_ms)
        return {"buyer": body.buyer}

    @app.get("/control/buyers/{buyer}")
    async def look_at_buyer(buyer: str) -> dict[str, Any]:
        waiting = trades.waiting(buyer, house.clock.now_ms())
        return {"balance_minor": house.books.balance(buyer).amount_minor, "waiting": waiting}

    @app.post("/control/buyers/{buyer}/code")
    async def show_code(buyer: str) -> dict[str, str]:
        return {"auth_code": trades.show_code(buyer, house.clock.now_ms())}

    @app.post("/control/buyers/{buyer}/confirm")
    async def confirm(buyer: str, body: ConfirmBody) -> dict[str, str]:
        try:
            trade = trades.confirm(buyer, body.what, house.clock.now_ms())
        except GatewayError as error:
            raise CallerError("channel_declined", error.sub_code) from None
        return {"trade_no": trade.trade_no, "trade_status": trade.status}


def own_rsa_key(directory: Path) -> RSAPrivateKey:
    """The gateway's key, made when first asked for."""
    path = directory / KEY
    if not path.exists():
        key = generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(path, content)
    found = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(found, RSAPrivateKey):
        raise CallerError("config_invalid", f"{KEY} holds no RSA key")
    return found


def _digits(count: int) -> str:
    return f"{secrets.randbelow(10**count):0{count}}"
