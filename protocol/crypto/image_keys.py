"""The public keys that firmware images are signed for, from PEM files as ``imgtool`` writes them.

ECDSA signs header, body and protected TLVs with SHA-256, in DER; Ed25519 signs their SHA-256.
"""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from protocol.crypto.hashes import sha256
from protocol.errors import CallerError
from protocol.framing.mcuboot import ImageKey, TlvType


class EcdsaImageKey:
    """ECDSA over P-256."""

    signature_type = int(TlvType.ECDSA)

    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        self._key = key
        self.key_hash = _key_hash(key)

    def verify(self, signature: bytes, covered: bytes) -> bool:
        """As ``ImageKey.verify``."""
        try:
            self._key.verify(signature, covered, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


class Ed25519ImageKey:
    """Ed25519 over the digest."""

    signature_type = int(TlvType.ED25519)

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self.key_hash = _key_hash(key)

    def verify(self, signature: bytes, covered: bytes) -> bool:
        """As ``ImageKey.verify``."""
        try:
            self._key.verify(signature, sha256(covered))
        except InvalidSignature:
            return False
        return True


def image_key_from_pem(pem: bytes) -> ImageKey:
    """The public key of a PEM file; ``CallerError("config_invalid")`` for anything else."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CallerError("config_invalid", "no public key in PEM form") from None
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return EcdsaImageKey(key)
    if isinstance(key, Ed25519PublicKey):
        return Ed25519ImageKey(key)
    raise CallerError("config_invalid", "an image key is P-256 or Ed25519")


def _key_hash(key: ec.EllipticCurvePublicKey | Ed25519PublicKey) -> bytes:
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
