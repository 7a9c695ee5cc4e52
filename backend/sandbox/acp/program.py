"""The gateway as an institution of its own: two addresses for merchants' programs, plain control
routes for whoever holds the payers' telephones.

Its keys and certificates lie in the institution's directory, readable by their owner only.
"""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.sandbox.acp.days import PAYEE, Days, business_day
from backend.sandbox.acp.gateway import Desk, Gateway, Seal
from backend.sandbox.acp.limits import (
    AMOUNT_MINOR_MAX,
    CERTIFICATE_BYTES_MAX,
    CERTIFICATE_DAYS,
    REQUEST_BYTES_MAX,
    RSA_BITS,
)
from backend.sandbox.acp.transactions import Transactions, merchant
from backend.sandbox.acp.wire import RefusedError
from backend.sandbox.institution.control import add_control
from backend.sandbox.institution.house import Answer
from backend.sandbox.institution.payee_days import Payee
from backend.sandbox.institution.program import Place, Running
from backend.sandbox.institution.reserve_line import ReserveLine
from backend.sandbox.institution.signed import new_app, read_body, strike
from backend.sandbox.institution.state_files import write_private
from protocol.errors import CallerError
from protocol.money import Money

SEAL = "gateway.pem"
"""The gateway's key, its certificate and the root's, one after the other."""
_MerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{15}$")]
_Payer = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@-]{5,64}$")]
_Minor = Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]


class MerchantBody(BaseModel):
    """A merchant, and the certificate (PEM) that its messages are signed under."""

    model_config = ConfigDict(extra="forbid")

    mer_id: _MerId
    certificate: Annotated[str, Field(max_length=CERTIFICATE_BYTES_MAX)]


class PayerBody(BaseModel):
    """A payer's account. What is above ``password_free_minor`` waits for the password."""

    model_config = ConfigDict(extra="forbid")

    payer: _Payer
    opening_minor: _Minor = 0
    password_free_minor: _Minor = 100_000


class ConfirmBody(BaseModel):
    """What the payer confirms: a waiting payment's ``queryId``, or a scanned QR code."""

    model_config = ConfigDict(extra="forbid")

    what: Annotated[str, Field(min_length=1, max_length=128)]


class Options(BaseModel):
    """What may be set of the gateway. ``mer_id``: the merchant whose days the reserve bank pays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mer_id: str = PAYEE.number
    settlement_account: str = PAYEE.settlement
    reserve_account: str = PAYEE.reserve


def build(place: Place) -> Running:
    """The gateway. But for one merchant, a merchant's money stays on the account there."""
    options = Options.model_validate(dict(place.options))
    house = place.furnish()
    transactions = Transactions(
        house.books, _digits, business_day=business_day, lends_to=options.mer_id
    )
    seal = own_seal(place.directory, datetime.fromtimestamp(house.clock.now_ms() / 1000, UTC))
    payee = Payee(
        number=options.mer_id,
        settlement=options.settlement_account,
        reserve=options.reserve_account,
    )
    days, reserve_bank = Days(house.books, payee), ReserveLine(place)

    async def time_passes() -> None:
        days.close(business_day(house.clock.now_ms()))
        await days.outbox.tell(reserve_bank)

    house.time_passes = time_passes
    app = build_app(Gateway(house, transactions, seal, days))
    return Running(house, app, close=reserve_bank.close)


def build_app(gateway: Gateway) -> FastAPI:
    """The HTTP face of the gateway."""
    house = gateway.house
    app = new_app("Tillway sandbox: UnionPay QR")

    async def answer(request: Request, *, desk: Desk) -> Response:
        if house.faults.strikes("be_down"):
            return Response(status_code=503)
        body = await read_body(request)
        if len(body) > REQUEST_BYTES_MAX:
            raise CallerError("field_invalid", "too long")

        def act() -> Answer:
            return 200, gateway.answer(body, desk=desk), "text/html; charset=utf-8"

        found = await strike(house, act, is_writing=desk == "transactions")
        if found is None:
            return Response(status_code=504)
        status, content, media_type = found
        if house.faults.strikes("bad_signature"):
            content = content.replace(b"respMsg=", b"respMsg=!")
        return Response(content, status, None, media_type)

    @app.post("/gateway/api/backTransReq.do")
    async def transact(request: Request) -> Response:
        return await answer(request, desk="transactions")

    @app.post("/gateway/api/queryTrans.do")
    async def query(request: Request) -> Response:
        return await answer(request, desk="queries")

    @app.post("/")
    async def files(request: Request) -> Response:
        return await answer(request, desk="files")

    _add_merchants(app, gateway)
    _add_payers(app, gateway)
    add_control(app, house)
    return app


def _add_merchants(app: FastAPI, gateway: Gateway) -> None:
    """Mount ``/control/merchants``."""

    @app.post("/control/merchants")
    async def add_merchant(body: MerchantBody) -> dict[str, str]:
        cert_id = gateway.add_merchant(body.mer_id, body.certificate.encode())
        root = gateway.seal.root.public_bytes(Encoding.PEM).decode()
        return {"mer_id": body.mer_id, "certId": cert_id, "root": root}

    @app.get("/control/merchants/{mer_id}")
    async def merchant_balance(mer_id: str) -> dict[str, int]:
        return {"balance_minor": gateway.house.books.balance(merchant(mer_id)).amount_minor}


def _add_payers(app: FastAPI, gateway: Gateway) -> None:
    """Mount ``/control/payers``: the accounts, and what their telephones do."""
    house, transactions = gateway.house, gateway.transactions

    @app.post("/control/payers")
    async def open_payer(body: PayerBody) -> dict[str, str]:
        opening = Money(body.opening_minor, "CNY")
        free, now_ms = body.password_free_minor, house.clock.now_ms()
        transactions.open_payer(body.payer, opening, password_free=free, now_ms=now_ms)
        return {"payer": body.payer}

    @app.get("/control/payers/{payer}")
    async def look_at_payer(payer: str) -> dict[str, Any]:
        waiting = transactions.waiting(payer, house.clock.now_ms())
        return {"balance_minor": house.books.balance(payer).amount_minor, "waiting": waiting}

    @app.post("/control/payers/{payer}/code")
    async def show_code(payer: str) -> dict[str, str]:
        return {"qrNo": transactions.show_code(payer, house.clock.now_ms())}

    @app.post("/control/payers/{payer}/confirm")
    async def confirm(payer: str, body: ConfirmBody) -> dict[str, str]:
        try:
            made = transactions.confirm(payer, body.what, house.clock.now_ms())
        except RefusedError as refusal:
            raise CallerError("channel_declined", refusal.code) from None
        return {"queryId": made.query_id, "origRespCode": made.state}


def own_seal(directory: Path, now: datetime) -> Seal:
    """The gateway's key and certificates, made when first asked for."""
    path = directory / SEAL
    if not path.exists():
        key, *certificates = make_seal(now)
        content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        content += b"".join(one.public_bytes(Encoding.PEM) for one in certificates)
        write_private(path, content)
    content = path.read_bytes()
    found = load_pem_private_key(content, password=None)
    certificate, root = x509.load_pem_x509_certificates(content)
    if not isinstance(found, RSAPrivateKey):
        raise CallerError("config_invalid", f"{SEAL} holds no RSA key")
    return Seal(found, certificate, root)


def make_seal(now: datetime) -> tuple[RSAPrivateKey, x509.Certificate, x509.Certificate]:
    """A key, its certificate, and the root's that issued it, whose own key is thrown away."""
    root_key, key = (generate_private_key(65537, RSA_BITS) for _ in range(2))
    root_name = _name("Tillway sandbox UnionPay root")
    root = _certificate(root_name, root_name, root_key, root_key, now, is_authority=True)
    name = _name("Tillway sandbox UnionPay gateway")
    return key, _certificate(name, root_name, key, root_key, now, is_authority=False), root


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: RSAPrivateKey,
    issuer_key: RSAPrivateKey,
    now: datetime,
    *,
    is_authority: bool,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    return builder.sign(issuer_key, SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _digits(count: int) -> str:
    return f"{secrets.randbelow(10**count):0{count}}"
