"""Short secrets (symmetric keys) wrapped for the owner of a key pair.

SM2-SM3 wraps by SM2's public-key encryption (GB/T 32918.4-2016) in the system's libcrypto; ES256
by an ephemeral Diffie-Hellman on P-256, HKDF-SHA-256 and AES-256-GCM (ECIES as in SEC 1 §5.1).
A wrapped secret proves nothing about who wrapped it: whatever carries it is signed.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.crypto.libcrypto import Sm2PrivateKey, Sm2PublicKey, UnavailableError
from protocol.crypto.limits import (
    EC_PUBLIC_KEY_BYTES,
    SM2_CIPHER_EXTRA_BYTES_MAX,
    WRAPPED_SECRET_BYTES_MAX,
)
from protocol.errors import CallerError, OperatingError

_CURVE = ec.SECP256R1()
_NONCE = bytes(12)
"""A key made by one exchange seals one text."""


def wrap(secret: bytes, receiver: VerifyKey) -> bytes:
    """The secret, readable by the receiver only; ``config_invalid`` for a suite that cannot."""
    if not 0 < len(secret) <= WRAPPED_SECRET_BYTES_MAX:
        raise CallerError("field_invalid", "a wrapped secret has 1 to 64 bytes")
    match receiver.suite.name:
        case "SM2-SM3":
            try:
                return Sm2PublicKey(receiver.public).encrypt(secret)
            except UnavailableError as error:
                raise OperatingError("internal", str(error)) from error
        case "ES256":
            ephemeral = ec.generate_private_key(_CURVE)
            public = ephemeral.public_key().public_bytes(
                Encoding.X962, PublicFormat.UncompressedPoint
            )
            peer = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, receiver.public)
            key = _derive(ephemeral.exchange(ec.ECDH(), peer), public + receiver.public)
            return public + AESGCM(key).encrypt(_NONCE, secret, None)
    raise CallerError("config_invalid", f"{receiver.suite.name} wraps no keys")


def unwrap(wrapped: bytes, key: SigningKey) -> bytes:
    """Open :func:`wrap`; ``key_unsealable`` for anything that was not wrapped for this key."""
    if len(wrapped) > WRAPPED_SECRET_BYTES_MAX + SM2_CIPHER_EXTRA_BYTES_MAX:
        raise CallerError("key_unsealable", "too long")
    match key.suite.name:
        case "SM2-SM3":
            try:
                secret = Sm2PrivateKey(key.private_bytes()).decrypt(wrapped)
            except UnavailableError as error:
                raise OperatingError("internal", str(error)) from error
        case "ES256":
            secret = _open_es256(wrapped, key)
        case _:
            raise CallerError("config_invalid", f"{key.suite.name} wraps no keys")
    if not secret:
        raise CallerError("key_unsealable", "wrapped for another key, or damaged")
    return secret


def _open_es256(wrapped: bytes, key: SigningKey) -> bytes | None:
    public, sealed = wrapped[:EC_PUBLIC_KEY_BYTES], wrapped[EC_PUBLIC_KEY_BYTES:]
    private = ec.derive_private_key(int.from_bytes(key.private_bytes(), "big"), _CURVE)
    try:
        peer = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, public)
        shared = private.exchange(ec.ECDH(), peer)
        return AESGCM(_derive(shared, public + key.public.public)).decrypt(_NONCE, sealed, None)
    except (ValueError, InvalidTag):
        return None


def _derive(shared: bytes, parties: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=parties).derive(shared)
