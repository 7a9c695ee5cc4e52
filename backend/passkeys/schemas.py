"""What a payer's word looks like in JSON. The answers of browsers are as WebAuthn has them
(``PublicKeyCredential.toJSON()``); what is not needed of them is left aside.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, SecretStr
from webauthn.helpers import base64url_to_bytes

from backend.passkeys.limits import (
    ATTESTATION_BYTES_MAX,
    AUTHENTICATOR_DATA_BYTES_MAX,
    CLIENT_DATA_BYTES_MAX,
    CREDENTIAL_BYTES_MAX,
    NAME_CHARS_MAX,
    SIGNATURE_BYTES_MAX,
)
from backend.passkeys.model import Assertion, Deed, Registration
from backend.wallet.limits import PIN_DIGITS
from backend.wanted import Wanted
from protocol.messages.base import Text

PinText = Annotated[SecretStr, Field(min_length=PIN_DIGITS, max_length=PIN_DIGITS)]
PasskeyName = Annotated[Text, Field(min_length=1, max_length=NAME_CHARS_MAX)]
ASK = "ask"
_WORD = frozenset({"pin", "passkey"})
_BASE64 = r"^([A-Za-z0-9_-]{4})*([A-Za-z0-9_-]{2,4})$"
"""Without padding; no bytes end in a group of one character (RFC 4648, 5)."""


def _base64(bytes_max: int) -> Any:  # noqa: ANN401  # what stands beside a type
    return Field(pattern=_BASE64, max_length=-(-bytes_max * 4 // 3))


CredentialIdText = Annotated[str, _base64(CREDENTIAL_BYTES_MAX)]
_ClientData = Annotated[
    str, _base64(CLIENT_DATA_BYTES_MAX), Field(validation_alias="clientDataJSON")
]


class _Answered(Wanted):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class AssertionResponse(_Answered):
    """What the authenticator has signed."""

    client_data: _ClientData
    authenticator_data: Annotated[
        str, _base64(AUTHENTICATOR_DATA_BYTES_MAX), Field(validation_alias="authenticatorData")
    ]
    signature: Annotated[str, _base64(SIGNATURE_BYTES_MAX)]


class PasskeyAnswer(_Answered):
    """A passkey's answer to a challenge."""

    id: CredentialIdText
    response: AssertionResponse

    def assertion(self) -> Assertion:
        """The same in bytes."""
        found = self.response
        return Assertion(
            credential_id=base64url_to_bytes(self.id),
            client_data=base64url_to_bytes(found.client_data),
            authenticator_data=base64url_to_bytes(found.authenticator_data),
            signature=base64url_to_bytes(found.signature),
        )


class AttestationResponse(_Answered):
    """How the authenticator presents a new passkey."""

    client_data: _ClientData
    attestation: Annotated[
        str, _base64(ATTESTATION_BYTES_MAX), Field(validation_alias="attestationObject")
    ]


class NewCredential(_Answered):
    """A new passkey."""

    id: CredentialIdText
    response: AttestationResponse

    def registration(self) -> Registration:
        """The same in bytes."""
        return Registration(
            credential_id=base64url_to_bytes(self.id),
            client_data=base64url_to_bytes(self.response.client_data),
            attestation=base64url_to_bytes(self.response.attestation),
        )


class Word(Wanted):
    """What takes the payer's word: the PIN, or a passkey's. ``passkey: "ask"`` carries nothing out
    and is answered with what the passkey has to sign for exactly this content; the same content
    then goes with the answer."""

    pin: PinText | None = None
    passkey: Literal["ask"] | PasskeyAnswer | None = None


class ByWord(Word):
    """As ``Word``, in a request that itself holds all that the payer confirms."""

    KIND: ClassVar[str]
    AMOUNT: ClassVar[str] = "amount_minor"
    """Which term is what it costs."""

    def terms(self) -> dict[str, Any]:
        """All but the word."""
        return self.model_dump(exclude=set(_WORD))

    def deed(self, payer_id: str) -> Deed:
        """What the payer confirms."""
        terms = {"payer_id": payer_id, **self.terms()}
        return Deed(kind=self.KIND, terms=terms, amount_minor=terms.get(self.AMOUNT) or 0)


CheckWord = Callable[[str, ByWord], Awaitable[None]]
"""Raises ``CallerError`` unless the payer (the id) has given the word that a request needs."""


class PasskeyOffer(Wanted):
    """``POST /wallet/v1/passkeys/offers``: what a new passkey is called. It takes the PIN."""

    name: PasskeyName
    pin: PinText


class NewPasskey(Wanted):
    """``POST /wallet/v1/passkeys``: the browser's answer to the offer of that name."""

    name: PasskeyName
    credential: NewCredential


class PasskeyNamed(Wanted):
    """``POST /wallet/v1/passkeys/{credential_id}/name``."""

    name: PasskeyName
