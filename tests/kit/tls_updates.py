"""Records of TLS 1.3 that a library does not send when told: requests for new keys, one after the
other (RFC 8446 §4.6.3, §5.2, §7.1-7.3), of TLS_AES_128_GCM_SHA256. Written without any TLS library.
"""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

APPLICATION_DATA, HANDSHAKE = 23, 22
KEY_UPDATE, UPDATE_REQUESTED = 24, 1
_KEY_BYTES, _IV_BYTES, _TAG_BYTES, _SECRET_BYTES = 16, 12, 16, 32
SECRET_OF_CLIENT = b"CLIENT_TRAFFIC_SECRET_0"


class Updater:
    """A client that has said nothing since its handshake. ``keylog``: what OpenSSL tells of it."""

    def __init__(self, keylog: list[bytes]) -> None:
        [line] = [line for line in keylog if line.startswith(SECRET_OF_CLIENT)]
        self._secret = bytes.fromhex(line.split()[2].decode("ascii"))

    def requests(self, count: int) -> bytes:
        """So many requests for new keys, each under the keys of the one before."""
        message = bytes([KEY_UPDATE, 0, 0, 1, UPDATE_REQUESTED, HANDSHAKE])
        wire = b""
        for _ in range(count):
            wire += self._record(message)
            self._secret = self._expanded(b"traffic upd", _SECRET_BYTES)
        return wire

    def words(self, text: bytes) -> bytes:
        """Something said, after a request; each is said under number 0, so once."""
        return self._record(text + bytes([APPLICATION_DATA]))

    def _record(self, inner: bytes) -> bytes:
        """The first record under these keys: its number, which the nonce is mixed with, is 0."""
        head = bytes([APPLICATION_DATA, 3, 3]) + (len(inner) + _TAG_BYTES).to_bytes(2, "big")
        key, iv = self._expanded(b"key", _KEY_BYTES), self._expanded(b"iv", _IV_BYTES)
        return head + AESGCM(key).encrypt(iv, inner, head)

    def _expanded(self, label: bytes, size: int) -> bytes:
        name = b"tls13 " + label
        info = size.to_bytes(2, "big") + bytes([len(name)]) + name + b"\0"
        return HKDFExpand(algorithm=SHA256(), length=size, info=info).derive(self._secret)
