"""``/v3/security/echo``: a message comes back signed, a secret one encrypted for the caller."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header
from pydantic import Field

from backend.merchant_api.keys.desk import Account
from backend.merchant_api.keys.fields import opened
from backend.merchant_api.keys.ring import KeyRing
from backend.merchant_api.limits import ECHO_CHARS_MAX, ENCRYPTED_CHARS_MAX, SERIAL_CHARS_MAX
from backend.merchant_api.security.service import EchoByCallback
from backend.merchant_api.wire.asked import Asked, NotifyUrl
from backend.merchant_api.wire.gate import caller_of
from backend.payments.services import Services

_Caller = Annotated[Account, Depends(caller_of)]
_Serial = Annotated[str, Header(alias="Wechatpay-Serial", max_length=SERIAL_CHARS_MAX)]
_ID_BYTES = 16
_FIELD = "/encrypted_echo_message"


class Echo(Asked):
    """``POST /v3/security/echo``. What is encrypted is so for the key that ``Wechatpay-Serial``
    names: RSAES-OAEP or SM2, base64."""

    echo_message: Annotated[str, Field(min_length=1, max_length=ECHO_CHARS_MAX)]
    encrypted_echo_message: (
        Annotated[str, Field(min_length=1, max_length=ENCRYPTED_CHARS_MAX)] | None
    ) = None
    notify_url: NotifyUrl | None = None


def add_routes(routes: APIRouter, services: Services, ring: KeyRing) -> None:
    """The echo."""

    @routes.post("/security/echo", response_model_exclude_none=True)
    async def echo(caller: _Caller, body: Echo, serial: _Serial = "") -> dict[str, str]:
        found = {"echo_message": body.echo_message}
        if body.encrypted_echo_message is not None:
            plain = await opened(ring, caller.suite, serial, body.encrypted_echo_message, _FIELD)
            found["encrypted_echo_message"] = caller.key.close_field(plain)
        if body.notify_url is not None:
            command = EchoByCallback(
                echo_id=services.entropy.token_bytes(_ID_BYTES).hex(),
                merchant_id=caller.merchant_id,
                mchid=caller.mchid,
                url=body.notify_url,
                message=body.echo_message,
                encrypted=found.get("encrypted_echo_message"),
            )
            await services.submit(command)
        return found
