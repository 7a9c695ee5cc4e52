"""The rooms' HTTP interfaces on a test's database, without a socket."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from backend.clearing.closed import ClosedDays
from backend.coupons import routes as coupon_routes
from backend.disputes import routes as dispute_routes
from backend.mandates import routes as mandate_routes
from backend.merchants import routes as merchant_routes
from backend.notify import routes as notify_routes
from backend.notify.repository import CallbackRepository
from backend.offline import routes as offline_routes
from backend.passkeys.routes import answer_asked
from backend.payments import routes as payment_routes
from backend.payments.services import Services
from backend.reconciliation import routes as break_routes
from backend.routing import routes as channel_routes
from backend.sagas import routes as saga_routes
from backend.wallet import routes as wallet_routes
from backend.withdrawals import routes as withdrawal_routes
from faces.routes import add_routes
from protocol.crypto.keys import generate
from protocol.errors import CallerError, TillwayError
from tests.support.offline import BACKEND_KEY
from tests.support.shop import Shop

OPERATOR = {"authorization": "Bearer operator"}


class CountingEntropy:
    """Other bytes at every call, the same in every run."""

    def __init__(self) -> None:
        self._calls = 0

    def token_bytes(self, count: int) -> bytes:
        self._calls += 1
        return self._calls.to_bytes(2, "big").rjust(count, b"\x07")


def add_wallet(http: TestClient, shop: Shop, *, balance_minor: int = 0) -> dict[str, Any]:
    """What an operator is told who opens a payer's wallet: ``payer_id`` and ``token``. Its PIN is
    246810."""
    wanted = {
        "payer_id": shop.id("pyr"), "name": "韩梅梅", "pin": "246810", "key_suite": "Ed25519",
        "key_public": generate("Ed25519").public.public.hex(),
    }  # fmt: skip
    answer = http.post("/operator/v1/payers", json=wanted, headers=OPERATOR)
    assert answer.status_code == 201, answer.text
    if balance_minor:
        shop.top_up(wanted["payer_id"], balance_minor)
    made: dict[str, Any] = answer.json()
    return made


def services_of(shop: Shop) -> Services:
    async def submit(command: Any) -> Any:
        return shop.do(command)

    async def run_read(read: Callable[[], Any]) -> Any:
        return read()

    return Services(
        submit=submit,
        run_read=run_read,
        reader=shop.reader,
        clock=shop.clock,
        entropy=CountingEntropy(),
        rules=shop.rules,
        signing_key=BACKEND_KEY,
    )


async def operator_only(request: Request) -> None:
    if request.headers.get("authorization") != OPERATOR["authorization"]:
        raise CallerError("not_authorized")


@contextmanager
def client_of(shop: Shop) -> Iterator[TestClient]:
    services = services_of(shop)
    app = FastAPI()
    add_routes(app, wallet_routes.router(services))
    add_routes(app, wallet_routes.operator_router(services, operator_only))
    add_routes(app, merchant_routes.operator_router(services, operator_only))
    add_routes(app, mandate_routes.operator_router(services, operator_only))
    add_routes(app, payment_routes.operator_router(services, operator_only))
    add_routes(app, saga_routes.operator_router(services, operator_only))
    add_routes(app, channel_routes.operator_router(services, operator_only))
    add_routes(app, withdrawal_routes.operator_router(services, operator_only))
    add_routes(app, offline_routes.operator_router(services, operator_only))
    add_routes(app, break_routes.operator_router(services, operator_only))
    add_routes(app, dispute_routes.operator_router(services, operator_only, ClosedDays()))
    add_routes(app, coupon_routes.operator_router(services, operator_only))
    add_routes(
        app,
        notify_routes.operator_router(
            services, operator_only, repository=CallbackRepository(shop.reader)
        ),
    )

    @app.exception_handler(TillwayError)
    async def on_refusal(_: Request, error: TillwayError) -> JSONResponse:
        status = 401 if error.code == "not_authorized" else 400
        return JSONResponse({"error": error.to_wire()}, status_code=status)

    answer_asked(app)
    with TestClient(app) as client:
        yield client
