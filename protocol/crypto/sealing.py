"""Private keys at rest: scrypt (RFC 7914) makes a key of a passphrase, an AEAD seals.

A sealed key is the CBOR array ``[header, nonce, ciphertext]``; ``header`` is the CBOR map
``{1: version, 2: suite, 3: cipher, 4: log2 N, 5: r, 6: p, 7: salt, 8: public key}`` as bytes and
is authenticated with the ciphertext.
"""

from dataclasses import dataclass
from ssl import RAND_bytes

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from protocol import cbor
from protocol.crypto.keys import SigningKey
from protocol.crypto.limits import (
    PASSPHRASE_BYTES_MAX,
    PASSPHRASE_BYTES_MIN,
    SCRYPT_LOG2_N,
    SCRYPT_LOG2_N_MAX,
    SCRYPT_P,
    SCRYPT_R,
    SEALED_KEY_BYTES_MAX,
)
from protocol.errors import CallerError

VERSION = 1
_SALT_BYTES, _NONCE_BYTES, _TAG_BYTES = 16, 12, 16


@dataclass(frozen=True, slots=True)
class _Aead:
    algorithm: type[algorithms.AES] | type[algorithms.SM4]
    key_bytes: int

    def cipher(self, key: bytes) -> CipherAlgorithm:
        return self.algorithm(key)


_CIPHERS = {
    "AES-256-GCM": _Aead(algorithms.AES, 32),
    "SM4-GCM": _Aead(algorithms.SM4, 16),
}


def seal(key: SigningKey, passphrase: bytes, *, cipher: str = "AES-256-GCM") -> bytes:
    """The key, readable only with the passphrase (``AES-256-GCM`` or ``SM4-GCM``)."""
    _check_passphrase(passphrase)
    salt, nonce = RAND_bytes(_SALT_BYTES), RAND_bytes(_NONCE_BYTES)
    fields = {
        1: VERSION,
        2: key.suite.name,
        3: cipher,
        4: SCRYPT_LOG2_N,
        5: SCRYPT_R,
        6: SCRYPT_P,
        7: salt,
        8: key.public.public,
    }
    header = cbor2.dumps(fields, canonical=True)
    aead = _CIPHERS[cipher]
    wrapping = _derive(passphrase, salt, SCRYPT_LOG2_N, aead.key_bytes)
    encryptor = Cipher(aead.cipher(wrapping), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(header)
    sealed = encryptor.update(key.private_bytes()) + encryptor.finalize() + encryptor.tag
    return cbor2.dumps([header, nonce, sealed], canonical=True)


def unseal(sealed: bytes, passphrase: bytes) -> SigningKey:
    """Open :func:`seal`. ``key_unsealable`` for a wrong passphrase and for damage alike."""
    _check_passphrase(passphrase)
    header, nonce, body = _split(sealed)
    fields = _read_header(header)
    aead, salt, log2_n = _CIPHERS[fields.cipher], fields.salt, fields.log2_n
    wrapping = _derive(passphrase, salt, log2_n, aead.key_bytes)
    mode = modes.GCM(nonce, body[-_TAG_BYTES:])
    decryptor = Cipher(aead.cipher(wrapping), mode).decryptor()
    decryptor.authenticate_additional_data(header)
    try:
        private = decryptor.update(body[:-_TAG_BYTES]) + decryptor.finalize()
    except InvalidTag:
        raise CallerError("key_unsealable") from None
    return SigningKey.from_private(fields.suite, private, expected_public=fields.public)


@dataclass(frozen=True, slots=True)
class _Header:
    suite: str
    cipher: str
    log2_n: int
    salt: bytes
    public: bytes


def _split(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    if len(sealed) > SEALED_KEY_BYTES_MAX:
        raise CallerError("key_unsealable", "too long")
    parts = _decode(sealed)
    if not isinstance(parts, list) or len(parts) != 3:
        raise CallerError("key_unsealable", "not a sealed key")
    header, nonce, body = parts
    if not all(isinstance(part, bytes) for part in parts):
        raise CallerError("key_unsealable", "not a sealed key")
    if len(nonce) != _NONCE_BYTES or len(body) <= _TAG_BYTES:
        raise CallerError("key_unsealable", "not a sealed key")
    return header, nonce, body


def _read_header(header: bytes) -> _Header:
    fields = _decode(header)
    if not isinstance(fields, dict) or not cbor.is_version(fields.get(1), VERSION):
        raise CallerError("key_unsealable", "unknown version")
    suite, cipher, log2_n, salt, public = (fields.get(label) for label in (2, 3, 4, 7, 8))
    if not isinstance(cipher, str) or cipher not in _CIPHERS:
        raise CallerError("key_unsealable", "unknown parameters")
    if (fields.get(5), fields.get(6)) != (SCRYPT_R, SCRYPT_P):
        raise CallerError("key_unsealable", "unknown parameters")
    if type(log2_n) is not int or not SCRYPT_LOG2_N <= log2_n <= SCRYPT_LOG2_N_MAX:
        raise CallerError("key_unsealable", "unknown parameters")
    if not (isinstance(suite, str) and isinstance(salt, bytes) and isinstance(public, bytes)):
        raise CallerError("key_unsealable", "not a sealed key")
    return _Header(suite, cipher, log2_n, salt, public)


def _decode(encoded: bytes) -> object:
    try:
        decoded: object = cbor.decode(encoded, bytes_max=SEALED_KEY_BYTES_MAX)
    except CallerError:
        raise CallerError("key_unsealable", "not a sealed key") from None
    return decoded


def _derive(passphrase: bytes, salt: bytes, log2_n: int, length: int) -> bytes:
    kdf = Scrypt(salt=salt, length=length, n=1 << log2_n, r=SCRYPT_R, p=SCRYPT_P)
    return kdf.derive(passphrase)


def _check_passphrase(passphrase: bytes) -> None:
    if not PASSPHRASE_BYTES_MIN <= len(passphrase) <= PASSPHRASE_BYTES_MAX:
        raise CallerError("config_invalid", "a passphrase has 8 to 1000 bytes")
