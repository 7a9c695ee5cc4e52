"""The digital envelope: a fresh symmetric key a message, wrapped for its receiver.

SM2-SM3 institutions seal with SM4-GCM, ES256 ones with AES-128-GCM. Each field is sealed with its
path as associated data and a counter as nonce: the key serves one message, so no nonce repeats.
An institution here has one key pair for signing and for envelopes.
"""

import base64
import binascii
from ssl import RAND_bytes
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, algorithms, modes

from backend.channels.epcc.limits import SEALED_TEXT_BYTES_MAX
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.crypto.wrapping import unwrap, wrap
from protocol.errors import CallerError

KEY_BYTES: Final = 16
_NONCE_BYTES, _TAG_BYTES = 12, 16


class Sealer:
    """Seals the fields of one message for one receiver."""

    def __init__(self, receiver: VerifyKey) -> None:
        self._receiver = receiver
        self._key = RAND_bytes(KEY_BYTES)
        self._algorithm = _algorithm(receiver.suite.name, self._key)
        self._count = 0

    def seal(self, text: str, path: str) -> str:
        """A field's sealed text."""
        nonce = self._count.to_bytes(_NONCE_BYTES, "big")
        self._count += 1
        encryptor = Cipher(self._algorithm, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(path.encode())
        sealed = encryptor.update(text.encode()) + encryptor.finalize() + encryptor.tag
        return base64.b64encode(nonce + sealed).decode()

    def envelope(self) -> tuple[str, str]:
        """``NcrptnSN`` and ``DgtlEnvlp``; both empty if nothing was sealed."""
        if not self._count:
            return "", ""
        wrapped = wrap(self._key, self._receiver)
        return self._receiver.kid.hex(), base64.b64encode(wrapped).decode()


class Opener:
    """Opens the sealed fields of one message with the receiver's own key."""

    def __init__(self, key: SigningKey, *, serial: str, envelope: str) -> None:
        if serial != key.kid.hex():
            raise CallerError("file_rejected", "NcrptnSN: sealed for another key")
        try:
            secret = unwrap(base64.b64decode(envelope, validate=True), key)
        except binascii.Error:
            raise CallerError("file_rejected", "DgtlEnvlp: not base64") from None
        except CallerError:
            raise CallerError("file_rejected", "DgtlEnvlp: not for our key") from None
        if len(secret) != KEY_BYTES:
            raise CallerError("file_rejected", "DgtlEnvlp: a key of another length")
        self._algorithm = _algorithm(key.suite.name, secret)

    def open(self, text: str, path: str) -> str:
        """A field's clear text."""
        try:
            raw = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise CallerError("file_rejected", f"{path}: not base64") from None
        nonce, body, tag = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:-_TAG_BYTES], raw[-_TAG_BYTES:]
        if len(raw) < _NONCE_BYTES + _TAG_BYTES or len(body) > SEALED_TEXT_BYTES_MAX:
            raise CallerError("file_rejected", f"{path}: sealed text of a wrong length")
        decryptor = Cipher(self._algorithm, modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(path.encode())
        try:
            return (decryptor.update(body) + decryptor.finalize()).decode()
        except (InvalidTag, UnicodeDecodeError):
            raise CallerError("file_rejected", f"{path}: sealed text was changed") from None


def _algorithm(suite: str, key: bytes) -> CipherAlgorithm:
    return algorithms.SM4(key) if suite == "SM2-SM3" else algorithms.AES(key)
