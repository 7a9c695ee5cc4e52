"""The console on a shop's database, without a socket: its people, their phones, their browsers."""

import asyncio
import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from starlette.routing import Route

from backend.clearing.calendar import Calendar
from backend.clearing_parts import build_papers
from backend.console import operator_routes, routes
from backend.console.desk import PeopleDesk
from backend.console.merchant_callbacks_desk import CallbacksDesk
from backend.console.merchant_desks import MerchantDesks
from backend.console.operations_desk import OperationsDesk
from backend.console.staff_desk import StaffDesk
from backend.console.totp import STEP_MS, code_at
from backend.devices import routes as device_routes
from backend.devices.repository import DeviceRepository
from backend.http_errors import LostPages, install
from backend.listing import routes as listing_routes
from backend.merchant_api.keys.desk import AccountDesk
from backend.merchant_api.parts import build_merchant_api
from backend.notify import routes as notify_routes
from backend.notify.repository import CallbackRepository
from backend.observability.metrics import Metrics
from backend.openings.model import Openings
from backend.operator.service import MerchantDefaults, OperatorService
from backend.payments import routes as payment_routes
from backend.payments.services import Services
from backend.rate_limit import RateLimit
from backend.refunds import routes as refund_routes
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.explaining import Explainer
from faces.routes import add_routes
from tests.support.merchant_caller import an_authority
from tests.support.shop import MERCHANT, Shop
from tests.support.wallet_http import OPERATOR, operator_only, services_of

PASSWORD = "correct horse battery"


def code_of(made: dict[str, Any], now_ms: int) -> str:
    """What the person's phone shows, from the scanned URI alone."""
    secret = parse_qs(urlsplit(made["totp_uri"]).query)["secret"][0]
    padded = secret + "=" * (-len(secret) % 8)
    return code_at(base64.b32decode(padded), now_ms // STEP_MS)


class ConsoleWorld:
    """A shop's console. Each ``browser`` has its own cookies."""

    def __init__(self, shop: Shop, app: FastAPI, accounts: AccountDesk) -> None:
        self.shop, self._app, self._accounts = shop, app, accounts
        self.made: dict[str, dict[str, Any]] = {}

    def browser(self) -> TestClient:
        return TestClient(self._app, base_url="https://testserver")

    def addresses(self) -> list[tuple[str, str]]:
        """Each page of the console: method and path."""
        return [
            (method, route.path)
            for route in self._app.routes
            if isinstance(route, Route) and route.path.startswith("/console/")
            for method in sorted((route.methods or set()) - {"HEAD"})
        ]

    def add(
        self, name: str, role: str = "merchant", merchant_id: str = MERCHANT, rank: str = "owner"
    ) -> Response:
        wanted = {"name": name, "role": role, "merchant_id": merchant_id, "rank": rank,
                  "password": PASSWORD}  # fmt: skip
        with self.browser() as http:
            answer = http.post("/operator/v1/console/users", json=wanted, headers=OPERATOR)
        if answer.status_code == 201:
            self.made[name] = answer.json()
        return answer

    def open_number(self, csr: str) -> None:
        """Give the merchant a number for its programs."""
        opened = self._accounts.open(merchant_id=MERCHANT, csr=csr, key_mode="public_key")
        asyncio.run(opened)

    def code(self, name: str) -> str:
        return code_of(self.made[name], self.shop.clock.at_ms)

    def sign_in(self, http: TestClient, name: str, **changes: str) -> Response:
        """Try to come in, at a step of its own."""
        self.shop.clock.at_ms += STEP_MS
        form = {"name": name, "password": PASSWORD, "code": self.code(name)} | changes
        return http.post("/console/sign-in", data=form, follow_redirects=False)

    def signed_in(self, name: str) -> TestClient:
        http = self.browser()
        assert self.sign_in(http, name).status_code == 303
        return http


def page_token(html: str) -> str:
    """What the page's forms carry."""
    found = re.search(r'name="page" value="([0-9a-f]+)"', html)
    assert found is not None
    return found[1]


def operator_of(shop: Shop, services: Services) -> OperatorService:
    """The operator's desk on the shop's books; nobody is enrolled here."""
    return OperatorService(
        submit=services.submit,
        run_read=services.run_read,
        reader=shop.reader,
        devices=DeviceRepository(shop.reader),
        enrolment=None,  # type: ignore[arg-type]  # no code is issued
        clock=shop.clock,
        defaults=MerchantDefaults(
            fee_rate_bps=60, fee_bounds=services.fee_bounds, biometric_above_minor=0
        ),
        business_date=services.rules.business_date,
        ledger_keys=(),
    )


@cache
def a_risk_desk() -> RiskDesk:
    """One for all shops that have no engine: making it takes a while."""
    return RiskDesk()


def merchants_of(shop: Shop, services: Services) -> MerchantDesks:
    """What the merchants' pages look into, on the shop's books."""
    api = build_merchant_api(
        services,
        master_key=services.rules.code_master_key,
        clock=services.clock,
        authority=an_authority(),
    )
    papers = build_papers(services, Calendar())
    callbacks = CallbacksDesk(services, CallbackRepository(services.reader), lambda: None)
    return MerchantDesks(
        papers=papers,
        bills=api.bills,
        accounts=api.accounts,
        ring=api.ring,
        callbacks=callbacks,
        explainer=Explainer(services, shop.engine.desk if shop.engine else a_risk_desk()),
    )


@contextmanager
def console_world(shop: Shop, openings: Openings | None = None) -> Iterator[ConsoleWorld]:
    services = services_of(shop)
    people = PeopleDesk(services)
    tries = RateLimit(
        now_ms=shop.clock.now_ms, window_ms=60_000, each_max=20, all_max=40, callers_max=10
    )
    app, lost = FastAPI(), LostPages()
    install(app, Metrics(), lost)
    add_routes(app, operator_routes.operator_router(StaffDesk(services, people), operator_only))
    add_routes(app, device_routes.operator_router(services, operator_only))
    add_routes(app, listing_routes.operator_router(services, operator_only))
    add_routes(app, payment_routes.operator_router(services, operator_only))
    add_routes(app, refund_routes.operator_router(services, operator_only))
    letters = notify_routes.operator_router(
        services, operator_only, repository=CallbackRepository(shop.reader)
    )
    add_routes(app, letters)
    operations = OperationsDesk(
        services, operator_of(shop, services), CallbackRepository(shop.reader), lambda: None
    )
    merchants = merchants_of(shop, services)
    add_routes(app, routes.router(services, people, operations, tries, merchants, openings, lost))
    yield ConsoleWorld(shop, app, merchants.accounts)
