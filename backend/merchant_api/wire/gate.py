"""The gate of API v3: no call passes unproven, no answer leaves unsigned.

Rule 1: the signature is checked over the bytes as they came, before anything is parsed.
Rule 2: every answer is signed: 200, 202, 204, refusals and bugs alike; only a file is not.
Rule 3: the time on the wire is the machine's, whatever the business clock says: a merchant's
        program compares it with its own.
"""

import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from backend.db.command import Command
from backend.merchant_api.faults import (
    MCH_NOT_EXISTS,
    METHOD_NOT_ALLOWED,
    PARAM_ERROR,
    RESOURCE_NOT_EXISTS,
    SIGN_ERROR,
    SYSTEM_ERROR,
    ApiError,
    in_their_words,
)
from backend.merchant_api.keys.desk import Account, AccountDesk
from backend.merchant_api.keys.ring import KeyRing, Pair
from backend.merchant_api.keys.suites import BY_SCHEME, RSA, Suite
from backend.merchant_api.wire.authorization import read_claim, refused
from backend.merchant_api.wire.body import check_body
from backend.merchant_api.wire.files import UnsignedFile
from backend.merchant_api.wire.nonces import TakeNonce
from backend.merchant_api.wire.probes import is_chosen, probe_of
from backend.rate_limit import RateLimit
from protocol.clock import Clock, Entropy
from protocol.errors import TillwayError

_log = structlog.get_logger()
_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]
_NONCE_BYTES, _REQUEST_ID_BYTES = 16, 16
_SHOWN_CHARS_MAX = 64
_NO_JSON = "请求体不是合法的 JSON"

Inner = Callable[[Request], Awaitable[Response]]


class Gate:
    """One per process; owned by the event loop."""

    def __init__(
        self,
        *,
        submit: Callable[[Command], Awaitable[Any]],
        ring: KeyRing,
        accounts: AccountDesk,
        clock: Clock,
        entropy: Entropy,
        rate: RateLimit,
        probes_every: int,
    ) -> None:
        self._submit = submit
        self._ring = ring
        self._accounts = accounts
        self._clock = clock
        self._entropy = entropy
        self._rate = rate
        self._probes_every = probes_every

    def route_class(self) -> type[APIRoute]:
        """Routes whose every call goes through this gate."""
        gate = self

        class SignedRoute(APIRoute):
            """A route of API v3."""

            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                inner = super().get_route_handler()

                async def through(request: Request) -> Response:
                    return await gate.answer(request, inner)

                return through

        return SignedRoute

    async def answer(self, request: Request, inner: Inner) -> Response:
        """The signed answer to a call."""
        number = 0
        try:
            request.state.account = await self._admit(request)
            response = await inner(request)
        except TillwayError as error:
            refusal = in_their_words(error)
            _log.info("merchant_call_refused", path=request.url.path, code=refusal.fault.code,
                      detail=error.detail)  # fmt: skip
            response, number = _refusal(refusal), refusal.fault.number
        except RequestValidationError as error:
            refusal = _field_refusal(error)
            response, number = _refusal(refusal), refusal.fault.number
        except HTTPException:
            refusal = ApiError(PARAM_ERROR, _NO_JSON)
            response, number = _refusal(refusal), refusal.fault.number
        except Exception:  # noqa: BLE001  # the outermost boundary of a call
            _log.exception("merchant_call_bug", path=request.url.path)
            response, number = _refusal(ApiError(SYSTEM_ERROR)), SYSTEM_ERROR.number
        if isinstance(response, UnsignedFile):
            return self._numbered(response, number)
        return self._numbered(await self._sign(request, response), number)

    async def _admit(self, request: Request) -> Account:
        """Whose call it is; ``SIGN_ERROR`` unless it is proven."""
        now_ms = self._clock.now_ms()
        header = request.headers.get("authorization", "")
        claim = read_claim(header, schemes=BY_SCHEME.keys(), now_ms=now_ms)
        body = await request.body()
        account = await self._accounts.account(claim.mchid)
        if account is None:
            raise ApiError(MCH_NOT_EXISTS)
        account = account.called_by(claim.serial, now_ms)
        if account is None:
            raise refused("serial_no", "商户API证书序列号与商户号不匹配")
        if account.suite is not BY_SCHEME[claim.scheme]:
            raise refused("Authorization", "认证类型与商户API证书的算法不一致")
        message = claim.message(request.method, _target(request), body)
        if not account.key.is_signed(claim.signature, message):
            raise _unproven(request, message)
        self._rate.take(claim.mchid)
        await self._submit(TakeNonce(mchid=claim.mchid, nonce=claim.nonce, at_ms=now_ms))
        _check_body(request, body)
        return account

    async def _sign(self, request: Request, response: Response) -> Response:
        suite = suite_of(request.headers.get("authorization", ""))
        pair = await self._ring.for_call(suite, request.headers.get("wechatpay-serial"))
        nonce = self._entropy.token_bytes(_NONCE_BYTES).hex()
        response.headers.update(
            signed_headers(
                bytes(response.body),
                pair=pair,
                now_ms=self._clock.now_ms(),
                nonce=nonce,
                is_probe=is_chosen(nonce, self._probes_every),
            )
        )
        return response

    def _numbered(self, response: Response, number: int) -> Response:
        opaque = self._entropy.token_bytes(_REQUEST_ID_BYTES).hex()
        response.headers["Request-ID"] = f"{opaque}-{number}"
        return response


def signed_headers(
    body: bytes, *, pair: Pair, now_ms: int, nonce: str, is_probe: bool = False
) -> dict[str, str]:
    """The headers that prove an answer or a callback: three lines are signed, the body last."""
    timestamp = str(now_ms // 1000)
    signature = pair.private.sign(f"{timestamp}\n{nonce}\n".encode() + body + b"\n")
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": probe_of(signature) if is_probe else signature,
        "Wechatpay-Serial": pair.serial,
        "Wechatpay-Signature-Type": pair.suite.scheme,
    }


def suite_of(header: str) -> Suite:
    """The suite that an ``Authorization`` header names; RSA where it names none."""
    return BY_SCHEME.get(header.strip().partition(" ")[0], RSA)


def caller_of(request: Request) -> Account:
    """Whose proven call this is."""
    account: Account = request.state.account
    return account


def add_unknown_paths(routes: APIRouter) -> None:
    """What answers where no route before it does: the path is unknown, or takes another method."""
    known = [route for route in routes.routes if isinstance(route, APIRoute)]

    @routes.api_route("/{path:path}", methods=_METHODS, include_in_schema=False)
    async def unknown_path(request: Request) -> None:
        path = request.url.path
        is_there = any(route.path_regex.match(path) for route in known)
        raise ApiError(METHOD_NOT_ALLOWED if is_there else RESOURCE_NOT_EXISTS)


def _check_body(request: Request, body: bytes) -> None:
    check_body(
        body,
        content_type=request.headers.get("content-type", ""),
        content_encoding=request.headers.get("content-encoding", ""),
    )


def _target(request: Request) -> str:
    """The path and query as they came on the wire."""
    raw: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return (raw + b"?" + query if query else raw).decode("utf-8", "surrogateescape")


def _unproven(request: Request, message: bytes) -> ApiError:
    where = {
        "field": "signature",
        "issue": "sign not match",
        "location": "authorization",
        "sign_information": {
            "method": request.method,
            "url": request.url.path[:_SHOWN_CHARS_MAX],
            "sign_message_length": len(message),
        },
    }
    return ApiError(SIGN_ERROR, where=where)


def _field_refusal(error: RequestValidationError) -> ApiError:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return ApiError(PARAM_ERROR, _NO_JSON)
    location, *path = first["loc"] or ("body",)
    pointer = "/" + "/".join(str(part) for part in path)
    place = {"path": "url"}.get(str(location), str(location))
    where = {"field": pointer, "issue": str(first["msg"]), "location": place}
    return ApiError(PARAM_ERROR, where=where)


def _refusal(error: ApiError) -> Response:
    text = json.dumps(error.body(), ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), status_code=error.fault.status, media_type="application/json")
