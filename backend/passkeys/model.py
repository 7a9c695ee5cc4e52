"""What a payer's fingerprint or face confirms, and whether a passkey's answer holds. Pure.

Rule 1: a challenge is the digest of a random number and of the exact text that is confirmed. The
        passkey signs it, so its answer is good for that text alone, whoever carries it.
Rule 2: the person must have been verified (finger, face or the device's own lock) in one of our
        pages, and a passkey's counter never falls: a copy of it is found out.
Rule 3: what is refused has the code of its first reason; of signatures and encodings WebAuthn's
        library is the judge (W3C WebAuthn level 3, 7.1 and 7.2).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    bytes_to_base64url,
    parse_attestation_object,
    parse_authenticator_data,
    parse_client_data_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationCredential,
)

from backend.passkeys.limits import ORIGINS_MAX
from protocol import cbor
from protocol.errors import CallerError

ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
"""ES256, and RS256 for the older chips of Windows machines."""
_CONTEXT = b"tillway-passkey-v1"
_LOCAL = "localhost"
_NAME = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_NAME}\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Site:
    """The addresses (``https://pay.example``) where the wallet takes passkeys; none by default. The
    first one's host is what passkeys are bound to; the others are the same host or below it.
    ``ValueError`` for an address that no browser would let ask for one."""

    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.origins) > ORIGINS_MAX:
            raise ValueError("too many origins")
        for origin in self.origins:
            if not _is_origin(origin):
                raise ValueError(f"not an origin with a name: {origin}")
            host = urlsplit(origin).hostname or ""
            if host != self.rp_id and not host.endswith(f".{self.rp_id}"):
                raise ValueError(f"not below {self.rp_id}: {origin}")

    @property
    def rp_id(self) -> str:
        """What browsers call the relying party; ``passkey_address`` where there is none."""
        if not self.origins:
            raise CallerError("passkey_address", "no address is configured")
        return urlsplit(self.origins[0]).hostname or ""

    def is_at(self, host: str) -> bool:
        """Whether a page that was asked for at this host (and port) may use a passkey."""
        return any(urlsplit(origin).netloc == host.lower() for origin in self.origins)


NOWHERE = Site()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a payer confirms: its kind and all its terms, as plain values. ``amount_minor`` is what
    it costs, 0 for nothing."""

    kind: str
    terms: Mapping[str, Any]
    amount_minor: int = 0

    @property
    def text(self) -> bytes:
        """The exact text, in deterministic CBOR."""
        return cbor.encode({"deed": self.kind, "terms": dict(self.terms)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A passkey's answer to a challenge."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A new passkey, as its authenticator presents it."""

    credential_id: bytes
    client_data: bytes
    attestation: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """What is kept of a passkey: its public key (COSE) and how far it has counted."""

    public_key: bytes
    sign_count: int


def challenge_of(nonce: bytes, text: bytes) -> bytes:
    """What is signed in place of the text (rule 1)."""
    return hashlib.sha256(_CONTEXT + nonce + text).digest()


def challenge_in(client_data: bytes) -> bytes:
    """The challenge that an answer is to; ``passkey_invalid`` for what is no answer."""
    return _client(client_data).challenge


def check_assertion(assertion: Assertion, *, challenge: bytes, key: KnownKey, site: Site) -> int:
    """The passkey's new count, if the answer holds."""
    _check_page(_client(assertion.client_data), site)
    found = _parsed(assertion.authenticator_data)
    _check_person(found, site)
    if (found.sign_count or key.sign_count) and found.sign_count <= key.sign_count:
        raise CallerError("passkey_counter", f"{found.sign_count} after {key.sign_count}")
    credential = AuthenticationCredential(
        id=bytes_to_base64url(assertion.credential_id),
        raw_id=assertion.credential_id,
        response=AuthenticatorAssertionResponse(
            client_data_json=assertion.client_data,
            authenticator_data=assertion.authenticator_data,
            signature=assertion.signature,
        ),
    )
    try:
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=list(site.origins),
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except Exception as error:  # noqa: BLE001  # the library's, of bytes from outside
        raise CallerError("passkey_invalid", type(error).__name__) from None
    return verified.new_sign_count


def check_registration(registration: Registration, *, challenge: bytes, site: Site) -> KnownKey:
    """What to keep of a new passkey, if its presentation holds."""
    _check_page(_client(registration.client_data), site)
    credential = RegistrationCredential(
        id=bytes_to_base64url(registration.credential_id),
        raw_id=registration.credential_id,
        response=AuthenticatorAttestationResponse(
            client_data_json=registration.client_data,
            attestation_object=registration.attestation,
        ),
    )
    try:
        data = parse_attestation_object(registration.attestation).auth_data
    except Exception as error:  # noqa: BLE001  # the library's, of bytes from outside
        raise CallerError("passkey_invalid", type(error).__name__) from None
    _check_person(data, site)
    try:
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=list(site.origins),
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except Exception as error:  # noqa: BLE001  # the library's, of bytes from outside
        raise CallerError("passkey_invalid", type(error).__name__) from None
    if verified.credential_id != registration.credential_id:
        raise CallerError("passkey_invalid", "another credential's id")
    return KnownKey(public_key=verified.credential_public_key, sign_count=verified.sign_count)


def _client(client_data: bytes) -> CollectedClientData:
    try:
        return parse_client_data_json(client_data)
    except Exception as error:  # noqa: BLE001  # the library's, of bytes from outside
        raise CallerError("passkey_invalid", type(error).__name__) from None


def _parsed(authenticator_data: bytes) -> AuthenticatorData:
    try:
        return parse_authenticator_data(authenticator_data)
    except Exception as error:  # noqa: BLE001  # the library's, of bytes from outside
        raise CallerError("passkey_invalid", type(error).__name__) from None


def _check_page(client: CollectedClientData, site: Site) -> None:
    """A page within another site's page is another site's."""
    if client.origin not in site.origins or client.cross_origin:
        raise CallerError("passkey_origin", str(client.origin)[:64])


def _check_person(data: AuthenticatorData, site: Site) -> None:
    if data.rp_id_hash != hashlib.sha256(site.rp_id.encode()).digest():
        raise CallerError("passkey_origin", "another relying party")
    if not (data.flags.up and data.flags.uv):
        raise CallerError("passkey_unverified")


def _is_origin(origin: str) -> bool:
    """``https`` and a name, or this very machine; no path, no address in numbers."""
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    netloc = host if port is None else f"{host}:{port}"
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host == _LOCAL)
    return is_safe and origin == f"{parts.scheme}://{netloc}" and _DOMAIN(host) is not None
