"""Secrets of the merchant interface at rest: AES-256-GCM under a key of the installation's master.

Rule: what is sealed is bound to its place; moved to another row, it does not open.
"""

import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocol.clock import Entropy
from protocol.errors import CallerError

_SEALS, _OPENIDS = b"tillway merchant interface secrets 1", b"tillway openids 1"
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals and opens; and names payers to merchants."""

    _key: bytes = field(repr=False)
    openid_key: bytes = field(repr=False)

    @classmethod
    def of(cls, master: bytes) -> "Vault":
        """The vault of an installation."""
        return cls(
            hmac.digest(master, _SEALS, hashlib.sha256),
            hmac.digest(master, _OPENIDS, hashlib.sha256),
        )

    def seal(self, secret: bytes, *, place: str, entropy: Entropy) -> bytes:
        """What may be stored at that place."""
        nonce = entropy.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._key).encrypt(nonce, secret, place.encode())

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """The secret; ``key_unsealable`` where it was sealed elsewhere or by another master."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self._key).decrypt(nonce, rest, place.encode())
        except (InvalidTag, ValueError):
            raise CallerError("key_unsealable", place) from None
