"""The platform's certificates for merchants' programs, and merchant numbers for operators."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import Field

from backend.guard import Guard
from backend.merchant_api.keys import crypto
from backend.merchant_api.keys.desk import Account, AccountDesk, SecretKind
from backend.merchant_api.keys.ring import KeyRing, Pair
from backend.merchant_api.keys.suites import RSA, SM2, SUITES
from backend.merchant_api.limits import CSR_CHARS_MAX
from backend.merchant_api.orders.model import time_text
from backend.merchant_api.wire.gate import caller_of
from backend.wanted import Wanted
from protocol.clock import Entropy
from protocol.limits import IDENTIFIER_CHARS_MAX

_Caller = Annotated[Account, Depends(caller_of)]
_ASSOCIATED = "certificate"


class NewAccount(Wanted):
    """``POST /operator/v1/merchant-api/accounts``. ``csr`` is a certificate request
    (PKCS #10, DER) in base64."""

    merchant_id: Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
    csr: Annotated[str, Field(min_length=1, max_length=CSR_CHARS_MAX)]
    key_mode: Literal["certificate", "public_key"] = "public_key"
    suite: Literal["rsa", "sm2"] = "rsa"


class NewCertificate(Wanted):
    """``POST …/accounts/{mchid}/certificates``. ``csr`` as above."""

    csr: Annotated[str, Field(min_length=1, max_length=CSR_CHARS_MAX)]


def add_routes(routes: APIRouter, ring: KeyRing, entropy: Entropy) -> None:
    """``/v3/certificates``."""

    @routes.get("/certificates")
    async def certificates(
        caller: _Caller, algorithm_type: Literal["RSA", "SM2", "ALL"] = "RSA"
    ) -> dict[str, Any]:
        suites = [one for one in (RSA, SM2) if algorithm_type in {one.name.upper(), "ALL"}]
        pairs = [pair for suite in suites for pair in await ring.certificates(suite)]
        return {"data": [_certificate(pair, caller, entropy) for pair in pairs]}


def operator_router(accounts: AccountDesk, ring: KeyRing, operator_only: Guard) -> APIRouter:
    """``/operator/v1/merchant-api``: merchant numbers are opened by operators only. Their merchants
    renew certificates and secrets in the console, by the same desk."""
    routes = APIRouter(
        prefix="/operator/v1/merchant-api",
        tags=["operator"],
        dependencies=[Depends(operator_only)],
    )

    @routes.post("/accounts", status_code=201)
    async def open_account(body: NewAccount) -> dict[str, Any]:
        return await accounts.open(
            merchant_id=body.merchant_id,
            csr=body.csr,
            key_mode=body.key_mode,
            suite=SUITES[body.suite],
        )

    @routes.get("/accounts")
    async def numbers(merchant_id: str) -> dict[str, Any]:
        return {"accounts": await accounts.numbers(merchant_id)}

    @routes.post("/accounts/{mchid}/certificates", status_code=201)
    async def add_certificate(mchid: str, body: NewCertificate) -> dict[str, Any]:
        return await accounts.add_certificate(mchid, body.csr)

    @routes.post("/accounts/{mchid}/certificates/{serial}/retire")
    async def retire_certificate(mchid: str, serial: str) -> dict[str, Any]:
        return await accounts.retire_certificate(mchid, serial)

    @routes.post("/accounts/{mchid}/secrets/{kind}", status_code=201)
    async def renew_secret(mchid: str, kind: SecretKind) -> dict[str, str]:
        return {f"api_{kind}_key": await accounts.renew_secret(mchid, kind)}

    @routes.post("/platform-certificates", status_code=201)
    async def renew_certificate(suite: Literal["rsa", "sm2"] = "rsa") -> dict[str, str]:
        pair = await ring.renew_certificate(SUITES[suite])
        return {"serial_no": pair.serial, "signs_from": time_text(pair.signs_from_ms)}

    return routes


def _certificate(pair: Pair, caller: Account, entropy: Entropy) -> dict[str, Any]:
    nonce = entropy.token_bytes(crypto.NONCE_CHARS // 2).hex()
    return {
        "serial_no": pair.serial,
        "effective_time": time_text(pair.signs_from_ms),
        "expire_time": time_text(pair.ends_at_ms),
        "encrypt_certificate": {
            "algorithm": pair.suite.aead,
            "nonce": nonce,
            "associated_data": _ASSOCIATED,
            "ciphertext": pair.suite.seal_resource(
                caller.api_v3_key,
                nonce=nonce,
                associated=_ASSOCIATED,
                plain=pair.public_pem.encode("ascii"),
            ),
        },
    }
