"""The gate of API v2: no call passes unproven, every answer to a proven one is signed.

Rule 1: the signature is over the fields as they came; those that are empty do not count.
Rule 2: an answer is signed the way its call was. What was not proven is answered unsigned.
Rule 3: what takes money back or gives it away asks for the caller's API certificate on the
        connection, too.
Rule 4: a call that names a sub-merchant is done for it by who is appointed to, or not at all.
Rule 5: there is no time and no nonce memory in this interface: a call that comes again is known by
        its merchant's number for it, and changes nothing.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from backend.hub_api.peer import certificate_of
from backend.merchant_api.faults import SYSTEM_ERROR, ApiError
from backend.merchant_api.keys.desk import Account, AccountDesk
from backend.merchant_api.limits import NONCE_CHARS_MAX
from backend.merchant_api.magic import Sandbox
from backend.merchant_api.partners.desk import Appointments
from backend.merchant_api.v2.asked import V2Asked
from backend.merchant_api.v2.codec import Nested, read_fields, write_fields
from backend.merchant_api.v2.faults import (
    CA_ERROR,
    LACK_PARAMS,
    MCHID_NOT_EXIST,
    NO_SANDBOX,
    PARAM_ERROR,
    POST_DATA_EMPTY,
    REQUIRE_POST_METHOD,
    SIGNERROR,
    V2Error,
    in_older_words,
)
from backend.merchant_api.v2.signing import SignType, is_signed, signature
from backend.merchant_api.wire.files import UnsignedFile
from backend.rate_limit import RateLimit
from protocol.clock import Entropy
from protocol.errors import CallerError, TillwayError
from protocol.tls import require_peer

_log = structlog.get_logger()
MEDIA_TYPE = "text/xml; charset=utf-8"
_ECHOED = ("appid", "wxappid", "mch_id", "mchid", "sub_appid", "sub_mch_id")
_OTHER_METHODS = ["DELETE", "GET", "PATCH", "PUT"]
_NONCE_BYTES = 16

Wanted = TypeVar("Wanted", bound=V2Asked)
Said = Mapping[str, str | int | Nested | None]
"""What a desk answers; None and empty texts are left out."""


@dataclass(frozen=True, slots=True)
class File:
    """What a desk answers instead: a file, which is not signed."""

    chunks: Iterator[bytes]
    media_type: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """What a desk answers to a link: where it leads."""

    url: str


@dataclass(frozen=True, slots=True)
class Call:
    """What a path asks of those who call it."""

    schema: type[V2Asked]
    desk: Callable[[Account, Any], Awaitable[Said | File | Page]]
    by_certificate: bool = False
    in_sandbox: bool = False
    has_nonce: bool = True


@dataclass(frozen=True, slots=True)
class Proof:
    """Whose proven call it is, and how it was signed."""

    account: Account
    sign_type: SignType


class V2Gate:
    """One per process."""

    def __init__(
        self,
        *,
        accounts: AccountDesk,
        appointments: Appointments,
        entropy: Entropy,
        rate: RateLimit,
        sandbox: Sandbox,
    ) -> None:
        self._accounts = accounts
        self._appointments = appointments
        self._entropy = entropy
        self._rate = rate
        self._sandbox = sandbox

    def add(
        self,
        routes: APIRouter,
        path: str,
        schema: type[Wanted],
        desk: Callable[[Account, Wanted], Awaitable[Said | File]],
        *,
        by_certificate: bool = False,
        has_nonce: bool = True,
    ) -> None:
        """A call by POST, proven, and signed whatever becomes of it; and the same in the sandbox.
        ``by_certificate``: its connection must show the caller's API certificate, too.
        ``has_nonce``: the call is documented with one."""
        call = Call(schema, desk, by_certificate=by_certificate, has_nonce=has_nonce)
        self._add(routes, path, call)
        for other in sandbox_paths(path):
            self._add(routes, other, Call(schema, desk, in_sandbox=True))

    def add_link(
        self,
        routes: APIRouter,
        path: str,
        schema: type[Wanted],
        desk: Callable[[Account, Wanted], Awaitable[Page]],
    ) -> None:
        """A link of a merchant's page: its query is proven, it leads a payer to another page."""
        call = Call(schema, desk, has_nonce=False)

        @routes.get(path, response_class=Response, summary=schema.__doc__)
        async def follow(request: Request) -> Response:
            return await self._answer(request, call)

    def _add(self, routes: APIRouter, path: str, call: Call) -> None:
        async def answer(request: Request) -> Response:
            return await self._answer(request, call)

        async def wrong_method() -> Response:
            return self._refusal(V2Error(REQUIRE_POST_METHOD), {}, None)

        routes.add_api_route(
            path,
            answer,
            methods=["POST"],
            response_class=Response,
            summary=call.schema.__doc__,
            openapi_extra={"requestBody": _described(call.schema)},
            responses={200: {"content": {"text/xml": {}}}},
            include_in_schema=not call.in_sandbox,
        )
        routes.add_api_route(path, wrong_method, methods=_OTHER_METHODS, include_in_schema=False)

    async def _answer(self, request: Request, call: Call) -> Response:
        fields: dict[str, str] = {}
        proof: Proof | None = None
        try:
            fields = await _fields(request)
            proof = await self._admit(fields, call)
            if call.by_certificate:
                _check_certificate(request, proof.account)
            wanted = _read(call.schema, fields)
            actor = await self._appointments.acting(
                proof.account, wanted.sub_mch_id, wanted.sub_appid
            )
            said = await call.desk(actor, wanted)
        except TillwayError as error:
            refusal = in_older_words(error)
            _log.info("merchant_call_refused", path=request.url.path, code=refusal.fault.code,
                      detail=error.detail)  # fmt: skip
            return self._refusal(refusal, fields, proof)
        except Exception:  # noqa: BLE001  # the outermost boundary of a call
            _log.exception("merchant_call_bug", path=request.url.path)
            return self._refusal(in_older_words(ApiError(SYSTEM_ERROR)), fields, proof)
        if isinstance(said, File):
            return UnsignedFile(said.chunks, media_type=said.media_type, headers=said.headers)
        if isinstance(said, Page):
            return RedirectResponse(said.url, status_code=302)
        return self._signed({"result_code": "SUCCESS", **said}, fields, proof)

    async def _admit(self, fields: Mapping[str, str], call: Call) -> Proof:
        """Whose call it is; ``SIGNERROR`` unless it is proven."""
        if call.in_sandbox and not self._sandbox.is_on:
            raise V2Error(NO_SANDBOX)
        mchid = fields.get("mch_id") or fields.get("mchid")
        for name, text in (("mch_id", mchid), ("sign", fields.get("sign")),
                           ("nonce_str", fields.get("nonce_str"))):  # fmt: skip
            if not text and (call.has_nonce or name != "nonce_str"):
                raise V2Error(LACK_PARAMS, name)
        if len(fields.get("nonce_str", "")) > NONCE_CHARS_MAX:
            raise V2Error(PARAM_ERROR, "nonce_str")
        assert mchid is not None
        account = await self._accounts.account(mchid)
        if account is None:
            raise V2Error(MCHID_NOT_EXIST)
        if call.in_sandbox:
            account = account.sandboxed()
        try:
            sign_type = SignType(fields.get("sign_type", SignType.MD5))
        except ValueError:
            raise V2Error(SIGNERROR, "sign_type") from None
        if not is_signed(fields, account.api_v2_key, sign_type):
            raise V2Error(SIGNERROR)
        self._rate.take(mchid)
        return Proof(account, sign_type)

    def _refusal(
        self, refusal: V2Error, fields: Mapping[str, str], proof: Proof | None
    ) -> Response:
        words = {"err_code": refusal.fault.code, "err_code_des": refusal.message}
        if proof is None or refusal.fault.is_transport:
            head = {"return_code": "FAIL", "return_msg": refusal.message}
            return Response(write_fields({**head, **words, **refusal.more}), media_type=MEDIA_TYPE)
        return self._signed({"result_code": "FAIL", **words, **refusal.more}, fields, proof)

    def _signed(self, said: Said, fields: Mapping[str, str], proof: Proof) -> Response:
        # Readers take away the spaces around a text: they would find another signature.
        given = {name: fields[name] for name in _ECHOED if name in fields}
        echoed = {name: text for name, text in given.items() if text == text.strip()}
        nonce = self._entropy.token_bytes(_NONCE_BYTES).hex()
        head = {"return_code": "SUCCESS", "return_msg": "OK", **echoed, "nonce_str": nonce}
        nested = {name: value for name, value in said.items() if isinstance(value, Mapping)}
        found = head | {
            name: str(value)
            for name, value in said.items()
            if name not in nested and value is not None and value != ""
        }
        found["sign"] = signature(found, proof.account.api_v2_key, proof.sign_type)
        return Response(write_fields({**found, **nested}), media_type=MEDIA_TYPE)


def _check_certificate(request: Request, account: Account) -> None:
    """``CA_ERROR`` unless the connection's verified certificate is the account's."""
    certificate = certificate_of(request)
    try:
        peer = require_peer(certificate, "merchant")
    except CallerError:
        raise V2Error(CA_ERROR) from None
    serial = str((certificate or {}).get("serialNumber", ""))
    if peer.name != account.mchid or not account.has_certificate(serial):
        raise V2Error(CA_ERROR)


def sandbox_paths(path: str) -> tuple[str, ...]:
    """Where the sandbox has a call: programs differ in what they put before its path."""
    if not path.startswith(("/pay/", "/secapi/pay/")):
        return ()
    plain = path.removeprefix("/secapi")
    found = (f"/sandboxnew{path}", f"/sandboxnew{plain}", f"/xdc/apiv2sandbox{plain}")
    return tuple(dict.fromkeys(found))


async def _fields(request: Request) -> dict[str, str]:
    """What stands in a body, or in a link's query; an empty field is as good as none."""
    if request.method == "GET":
        return {name: text for name, text in request.query_params.items() if text}
    body = await request.body()
    if not body:
        raise V2Error(POST_DATA_EMPTY)
    return {name: text for name, text in read_fields(body).items() if text}


@cache
def _described(schema: type[V2Asked]) -> dict[str, Any]:
    """A call's body for the document; each stands at several paths."""
    return {
        "required": True,
        "content": {"text/xml": {"schema": schema.model_json_schema()}},
    }


def _read(schema: type[Wanted], fields: Mapping[str, str]) -> Wanted:
    try:
        return schema.model_validate(dict(fields))
    except ValidationError as error:
        raise _field_refusal(error) from None


def _field_refusal(error: ValidationError) -> V2Error:
    """The first wrong field is named, never echoed."""
    first: Any = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    is_missing = first["type"] == "missing"
    return V2Error(LACK_PARAMS if is_missing else PARAM_ERROR, name or str(first["msg"]))
