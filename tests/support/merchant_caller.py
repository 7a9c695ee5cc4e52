"""A merchant's program that signs by itself, on a test's database, without a socket."""

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.body_limit import BodyLimit
from backend.hub_api.peer import EXTENSION
from backend.identity.ca import CertificateAuthority
from backend.merchant_api.config import MerchantApiSettings
from backend.merchant_api.keys import crypto
from backend.merchant_api.keys import routes as key_routes
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.papay import routes as contract_routes
from backend.merchant_api.partners import routes as partner_routes
from backend.merchant_api.parts import MerchantApi, build_merchant_api
from backend.merchant_api.v2.parts import PATHS as V2_PATHS
from backend.notify.repository import CallbackRepository
from backend.wallet import routes as wallet_routes
from faces.routes import add_routes
from tests.support.shop import MASTER_KEY, MERCHANT, Shop
from tests.support.wallet_http import OPERATOR, operator_only, services_of

BODY_BYTES_MAX = 20_000
AT_ONCE = MerchantApiSettings(refund_gap_s=0)
"""Refunds need not wait for each other."""
SHOWN = "x-shown-certificate"


@cache
def a_key(number: int) -> rsa.RSAPrivateKey:
    """The same few keys for all tests of a process: making one takes as long as a test."""
    del number
    return rsa.generate_private_key(65_537, 2_048)


@cache
def an_authority() -> CertificateAuthority:
    """The installation's."""
    return CertificateAuthority.create("Tillway", now_ms=0)


class ShownCertificates:
    """What the listener does: tells the application whose certificate a connection has shown.
    Here a header says it: a merchant number and a serial."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shown = dict(scope.get("headers", ())).get(SHOWN.encode(), b"").decode()
        if shown:
            mchid, _, serial = shown.partition("/")
            certificate = {
                "subject": ((("commonName", mchid),),),
                "subjectAltName": (("URI", f"tillway:merchant:{mchid}"),),
                "serialNumber": serial,
            }
            scope["extensions"] = {EXTENSION: {"certificate": certificate}}
        await self._app(scope, receive, send)


@dataclass
class Caller:
    """Signs as API v3 says, or, where a test says so, not quite."""

    suite: ClassVar[str] = "rsa"
    scheme: ClassVar[str] = "WECHATPAY2-SHA256-RSA2048"
    http: TestClient
    shop: Shop
    made: dict[str, Any]
    parts: MerchantApi
    count: int = 0
    certificates: dict[str, str] = field(default_factory=dict)
    """The platform's that the program has taken up besides the first."""

    def authorization(self, method: str, target: str, body: bytes, **changes: str) -> str:
        """The header; ``changes`` replace its values before signing, ``signature`` after."""
        self.count += 1
        values = {
            "mchid": self.made["mchid"],
            "serial_no": self.made["serial_no"],
            "nonce_str": f"nonce-{self.count}",
            "timestamp": str(self.shop.clock.at_ms // 1_000),
        } | changes
        lines = (method, target, values["timestamp"], values["nonce_str"])
        message = "".join(f"{line}\n" for line in lines).encode() + body + b"\n"
        values.setdefault("signature", base64.b64encode(self.sign(message)).decode())
        pairs = ",".join(f'{name}="{value}"' for name, value in values.items())
        return f"{self.scheme} {pairs}"

    @property
    def router(self) -> APIRouter:
        """All of the interface's routes."""
        return self.parts.router

    def callbacks(self) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """What waits for the merchant's server, dressed: headers and body, checked."""
        found = []
        repository = CallbackRepository(self.shop.reader)
        for due in repository.due(self.shop.clock.at_ms):
            row = repository.callback(due["callback_id"])
            assert row is not None
            body, headers = asyncio.run(self.parts.forms[row["form"]].dress(row))
            self.check(httpx2.Response(200, headers=headers, content=body))
            found.append((headers, json.loads(body)))
        return found

    def news(self) -> list[tuple[str, dict[str, Any]]]:
        """The events that wait for the merchant's server, opened with the APIv3 key."""
        found = []
        for _, body in self.callbacks():
            sealed = body["resource"]
            plain = AESGCM(self.made["api_v3_key"].encode()).decrypt(
                sealed["nonce"].encode(),
                base64.b64decode(sealed["ciphertext"]),
                sealed["associated_data"].encode(),
            )
            found.append((body["event_type"], json.loads(plain)))
        return found

    @property
    def account(self) -> Account:
        """As the platform knows the merchant number."""
        found = asyncio.run(self.parts.accounts.account(self.made["mchid"]))
        assert found is not None
        return found

    @classmethod
    def csr(cls) -> bytes:
        """The certificate request, DER."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop")])
        request = x509.CertificateSigningRequestBuilder().subject_name(name)
        return request.sign(a_key(0), SHA256()).public_bytes(Encoding.DER)

    def sign(self, message: bytes) -> bytes:
        """As this suite signs."""
        return a_key(0).sign(message, padding.PKCS1v15(), SHA256())

    def verify(self, pem: str, signature: bytes, message: bytes) -> None:
        """Fails unless the platform's key has signed it."""
        key = _public(pem)
        assert isinstance(key, rsa.RSAPublicKey)
        key.verify(signature, message, padding.PKCS1v15(), SHA256())

    def ask(
        self,
        method: str,
        target: str,
        content: object = None,
        *,
        sent: bytes | None = None,
        header: str | None = None,
        serial: str | None = None,
        **changes: str,
    ) -> httpx2.Response:
        """One call. The answer's own signature is checked, whatever it says."""
        body = content if isinstance(content, bytes) else b""
        if content is not None and not isinstance(content, bytes):
            body = json.dumps(content).encode()
        if header is None:
            header = self.authorization(method, target, body, **changes)
        headers = {"authorization": header, "content-type": "application/json"}
        if serial is not None:
            headers["wechatpay-serial"] = serial
        answer = self.http.request(
            method, target, content=body if sent is None else sent, headers=headers
        )
        self.check(answer)
        return answer

    def check(self, answer: httpx2.Response) -> None:
        """Every answer is signed by the pair that it names."""
        heads, platform = answer.headers, self.made["platform"]
        assert heads["wechatpay-signature-type"] == self.scheme
        known = {
            platform["public_key_id"]: platform["public_key"],
            platform["certificate_serial"]: platform["certificate"],
        } | self.certificates
        lines = f"{heads['wechatpay-timestamp']}\n{heads['wechatpay-nonce']}\n".encode()
        signature = base64.b64decode(heads["wechatpay-signature"])
        self.verify(known[heads["wechatpay-serial"]], signature, lines + answer.content + b"\n")
        assert heads["request-id"].rpartition("-")[2].isdecimal()

    def order(self, number: str = "order-0001", **changes: Any) -> dict[str, Any]:
        """The body of a native order."""
        return {
            "appid": self.made["appid"],
            "mchid": self.made["mchid"],
            "description": "咖啡",
            "out_trade_no": number,
            "notify_url": "https://shop.example/notify",
            "amount": {"total": 1_280},
        } | changes


def _public(pem: str) -> Any:
    if "CERTIFICATE" in pem:
        return x509.load_pem_x509_certificate(pem.encode()).public_key()
    return load_pem_public_key(pem.encode())


def second_process(caller: Caller) -> TestClient:
    """Another process of the same backend: the database is all that they share."""
    services = services_of(caller.shop)
    parts = build_merchant_api(
        services, master_key=MASTER_KEY, clock=caller.shop.clock, authority=an_authority()
    )
    app = FastAPI()
    add_routes(app, parts.router)
    return TestClient(app)


@contextmanager
def caller_of(
    shop: Shop,
    monkeypatch: Any,
    kind: type[Caller] = Caller,
    settings: MerchantApiSettings = AT_ONCE,
) -> Iterator[Caller]:
    """A caller with a merchant number of its own."""
    numbers = iter(range(1, 9))
    monkeypatch.setattr(crypto, "make_key", lambda: a_key(next(numbers)))
    services = services_of(shop)
    parts = build_merchant_api(
        services,
        master_key=MASTER_KEY,
        clock=shop.clock,
        authority=an_authority(),
        settings=settings,
    )
    app = FastAPI()
    add_routes(app, parts.router)
    add_routes(app, parts.v2_router)
    add_routes(app, parts.wallet_router)
    add_routes(app, wallet_routes.router(services))
    add_routes(app, key_routes.operator_router(parts.accounts, parts.ring, operator_only))
    add_routes(app, contract_routes.operator_router(parts.contracts, operator_only))
    add_routes(app, partner_routes.operator_router(services, operator_only))
    limited = BodyLimit(app, bytes_max=BODY_BYTES_MAX, answers_itself=("/v3/", *V2_PATHS))
    with TestClient(ShownCertificates(limited)) as http:
        yield opened(kind, http, shop, parts)


def opened(
    kind: type[Caller],
    http: TestClient,
    shop: Shop,
    parts: MerchantApi,
    merchant_id: str = MERCHANT,
) -> Caller:
    """A caller with a new merchant number."""
    csr = base64.b64encode(kind.csr()).decode()
    wanted = {"merchant_id": merchant_id, "csr": csr, "suite": kind.suite}
    answer = http.post("/operator/v1/merchant-api/accounts", json=wanted, headers=OPERATOR)
    assert answer.status_code == 201, answer.text
    return kind(http, shop, answer.json(), parts)
