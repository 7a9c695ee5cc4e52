"""What payers and pages ask of passkeys, as async calls.

Rule: adding a passkey takes the PIN (``offer`` is called by who has checked it): the challenge that
the new one answers is the proof of it.
"""

import hashlib
from typing import Any

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
)
from webauthn.helpers import bytes_to_base64url, options_to_json_dict
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorAttachment,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from backend.db.tables import Row
from backend.passkeys.limits import CHALLENGE_LIFE_MS, CREDENTIAL_BYTES_MAX, NONCE_BYTES
from backend.passkeys.model import ALGORITHMS, Assertion, Deed, Registration, Site
from backend.passkeys.repository import PasskeyRepository
from backend.passkeys.schemas import PasskeyAnswer
from backend.passkeys.service import (
    AddPasskey,
    DrawChallenge,
    HearPasskey,
    RemovePasskey,
    RenamePasskey,
)
from backend.payments.services import Services
from protocol.errors import CallerError

_ADDING = "passkey"
_HANDLE_CONTEXT = b"tillway-passkey-handle-v1"
_VERIFIED = UserVerificationRequirement.REQUIRED


class PasskeyAskedError(Exception):
    """Nothing is carried out: the call asked what a passkey has to sign, and ``options`` is the
    answer (``PublicKeyCredentialRequestOptionsJSON``)."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__()
        self.options = options


class PasskeyDesk:
    """One per program."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._passkeys = PasskeyRepository(services.reader)

    @property
    def site(self) -> Site:
        """Where passkeys are taken."""
        return self._services.rules.wallet.site

    async def of_payer(self, payer_id: str) -> list[dict[str, Any]]:
        """A payer's passkeys, the oldest first."""
        rows: list[Row] = await self._services.run_read(lambda: self._passkeys.of_payer(payer_id))
        return [_shown(row) for row in rows]

    async def take_word(self, payer_id: str, deed: Deed, answer: str | PasskeyAnswer) -> None:
        """The payer's word on a deed by a passkey: ``PasskeyAskedError`` for who asks for the
        challenge, ``pin_required`` for much money."""
        if deed.amount_minor > self._services.rules.wallet.consent_minor:
            raise CallerError("pin_required", "above the limit of a consent")
        assertion = await self.assertion(payer_id, deed, answer)
        command = HearPasskey(
            payer_id=payer_id, text=deed.text, assertion=assertion, site=self.site
        )
        await self._services.submit(command)

    async def assertion(self, payer_id: str, deed: Deed, answer: str | PasskeyAnswer) -> Assertion:
        """An answer that is not judged yet; ``PasskeyAskedError`` for who asks."""
        if isinstance(answer, PasskeyAnswer):
            return answer.assertion()
        raise PasskeyAskedError(await self._asked(payer_id, deed))

    async def _asked(self, payer_id: str, deed: Deed) -> dict[str, Any]:
        rp_id = self.site.rp_id
        challenge, known = await self._draw(payer_id, deed, is_adding=False)
        options = generate_authentication_options(
            rp_id=rp_id,
            challenge=challenge,
            timeout=CHALLENGE_LIFE_MS,
            allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
            user_verification=_VERIFIED,
        )
        return options_to_json_dict(options)

    async def offer(self, payer_id: str, name: str, *, payer_name: str) -> dict[str, Any]:
        """How a browser makes a new passkey (``PublicKeyCredentialCreationOptionsJSON``)."""
        rp_id = self.site.rp_id
        challenge, known = await self._draw(payer_id, _adding(payer_id, name), is_adding=True)
        options = generate_registration_options(
            rp_id=rp_id,
            rp_name="Tillway",
            user_id=hashlib.sha256(_HANDLE_CONTEXT + payer_id.encode()).digest(),
            user_name=payer_name,
            user_display_name=payer_name,
            challenge=challenge,
            timeout=CHALLENGE_LIFE_MS,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                authenticator_attachment=AuthenticatorAttachment.PLATFORM,
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=_VERIFIED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
            supported_pub_key_algs=ALGORITHMS,
        )
        return options_to_json_dict(options)

    async def add(self, payer_id: str, name: str, registration: Registration) -> dict[str, Any]:
        """Keep what the browser has made."""
        command = AddPasskey(
            payer_id=payer_id,
            name=name,
            text=_adding(payer_id, name).text,
            registration=registration,
            site=self.site,
        )
        return _shown(await self._services.submit(command))

    async def rename(self, payer_id: str, credential_id: str, name: str) -> dict[str, Any]:
        """Call one something else."""
        command = RenamePasskey(
            payer_id=payer_id, credential_id=_bytes_of(credential_id), name=name
        )
        return _shown(await self._services.submit(command))

    async def remove(self, payer_id: str, credential_id: str) -> None:
        """Remove one; it gives no word any more. Safe to repeat."""
        command = RemovePasskey(payer_id=payer_id, credential_id=_bytes_of(credential_id))
        await self._services.submit(command)

    async def _draw(
        self, payer_id: str, deed: Deed, *, is_adding: bool
    ) -> tuple[bytes, list[bytes]]:
        command = DrawChallenge(
            payer_id=payer_id,
            text=deed.text,
            nonce=self._services.entropy.token_bytes(NONCE_BYTES),
            is_adding=is_adding,
        )
        drawn: tuple[bytes, list[bytes]] = await self._services.submit(command)
        return drawn


def _adding(payer_id: str, name: str) -> Deed:
    return Deed(kind=_ADDING, terms={"payer_id": payer_id, "name": name})


def _shown(row: Row) -> dict[str, Any]:
    names = ("name", "created_at_ms", "used_at_ms")
    return {"id": bytes_to_base64url(row["credential_id"])} | {name: row[name] for name in names}


def _bytes_of(credential_id: str) -> bytes:
    if len(credential_id) > 2 * CREDENTIAL_BYTES_MAX:
        raise CallerError("passkey_unknown")
    try:
        return base64url_to_bytes(credential_id)
    except ValueError:
        raise CallerError("passkey_unknown") from None
