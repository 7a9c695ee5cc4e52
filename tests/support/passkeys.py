"""A phone's authenticator as a program: it makes passkeys and answers challenges, also wrongly."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from backend.passkeys.model import Deed, Site
from backend.passkeys.schemas import NewCredential
from backend.passkeys.service import AddPasskey, DrawChallenge
from tests.support.shop import Shop

ORIGIN = "https://pay.example"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey of one person."""

    credential_id: bytes
    rp_id: str = "pay.example"
    origin: str = ORIGIN
    flags: int = PRESENT | VERIFIED
    count: int = 0
    client: dict[str, Any] = field(default_factory=dict)
    """What the browser says otherwise in its client data."""
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to an offer."""
        point = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)})
        made = bytes(16) + len(self.credential_id).to_bytes(2) + self.credential_id + cose
        data = self._data(ATTESTED) + made
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(
            clientDataJSON=self._client("webauthn.create", options),
            attestationObject=attestation,
        )

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to a challenge."""
        self.count += 1
        client, data = self._client("webauthn.get", options), self._data()
        signed = data + hashlib.sha256(client).digest()
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature)

    def add(self, shop: Shop, payer_id: str) -> None:
        """Take it into a wallet whose payer has given the PIN."""
        site = Site((self.origin,))
        text = Deed(kind="passkey", terms={}).text
        draw = DrawChallenge(payer_id=payer_id, text=text, nonce=bytes(32), is_adding=True)
        challenge, _ = shop.do(draw)
        made = self.make({"challenge": bytes_to_base64url(challenge)})
        registration = NewCredential.model_validate(made).registration()
        shop.do(
            AddPasskey(
                payer_id=payer_id, name="phone", text=text, registration=registration, site=site
            )
        )

    def _answer(self, **response: bytes) -> dict[str, Any]:
        shown = {name: bytes_to_base64url(value) for name, value in response.items()}
        told = bytes_to_base64url(self.credential_id)
        return {"id": told, "rawId": told, "type": "public-key", "response": shown}

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        assert base64url_to_bytes(options["challenge"])
        return json.dumps(said | self.client).encode()

    def _data(self, more: int = 0) -> bytes:
        rp = hashlib.sha256(self.rp_id.encode()).digest()
        return rp + bytes([self.flags | more]) + self.count.to_bytes(4)
