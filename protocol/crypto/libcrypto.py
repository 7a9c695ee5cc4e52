"""The system's libcrypto through ctypes: SM2 keys, signing and verifying of 32-byte digests,
and wrapping of short keys.

Rule 1: every context made is freed in the call that made it; a key is freed with its object.
Rule 2: pointers never leave this module; a failed call leaves no entry on OpenSSL's error queue,
        which Python's own ``ssl`` shares.
Rule 3: ctypes releases the interpreter's lock, and an EVP_PKEY that is only read may be used by
        many threads (openssl-threads(7)), so keys are shared and contexts are not.
"""

import ctypes
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_void_p
from functools import cache

from protocol.crypto.limits import DER_SIGNATURE_BYTES_MAX, SM2_CIPHER_EXTRA_BYTES_MAX

# Named versions first: ctypes.util.find_library would start a compiler or ldconfig.
LIBRARY_NAMES = ("libcrypto.so.3", "libcrypto.so.4", "libcrypto.so.1.1", "libcrypto.3.dylib")

# RFC 5480 §2.1 and GM/T 0006: id-ecPublicKey with the curve 1.2.156.10197.1.301.
_ALGORITHM = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
_SPKI_HEAD = bytes.fromhex("3059") + _ALGORITHM + bytes.fromhex("034200")
# PKCS#8 around an ECPrivateKey (RFC 5915) without the optional public key.
_PKCS8_HEAD = bytes.fromhex("3041020100") + _ALGORITHM + bytes.fromhex("042730250201010420")

_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "d2i_PUBKEY": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "d2i_AutoPrivateKey": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "i2d_PUBKEY": (c_int, [c_void_p, POINTER(c_char_p)]),
    "EVP_PKEY_free": (None, [c_void_p]),
    "EVP_PKEY_CTX_new": (c_void_p, [c_void_p, c_void_p]),
    "EVP_PKEY_CTX_free": (None, [c_void_p]),
    "EVP_PKEY_sign_init": (c_int, [c_void_p]),
    "EVP_PKEY_verify_init": (c_int, [c_void_p]),
    "EVP_PKEY_sign": (c_int, [c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t]),
    "EVP_PKEY_verify": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "EVP_PKEY_encrypt_init": (c_int, [c_void_p]),
    "EVP_PKEY_decrypt_init": (c_int, [c_void_p]),
    "EVP_PKEY_encrypt": (c_int, [c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t]),
    "EVP_PKEY_decrypt": (c_int, [c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t]),
    "ERR_clear_error": (None, []),
    "OpenSSL_version": (c_char_p, [c_int]),
}


class UnavailableError(Exception):
    """This machine's libcrypto cannot do what was asked."""


@cache
def library() -> ctypes.CDLL:
    """The system's libcrypto with its functions declared; raises :class:`UnavailableError`."""
    for name in LIBRARY_NAMES:
        try:
            found = ctypes.CDLL(name)
            for function, (result, arguments) in _SIGNATURES.items():
                declared = getattr(found, function)
                declared.restype, declared.argtypes = result, arguments
        except (OSError, AttributeError):
            continue
        return found
    raise UnavailableError("no libcrypto of OpenSSL 3 or later was found")


def version() -> str:
    """What the library calls itself, for ``tillway doctor``."""
    text: bytes = library().OpenSSL_version(0)
    return text.decode("ascii", "replace")


class Sm2PublicKey:
    """An SM2 public key inside libcrypto."""

    __slots__ = ("__weakref__", "_free", "_pointer")

    def __init__(self, public: bytes) -> None:
        """Take ``04 x y``; :class:`UnavailableError` when the library does not take the key."""
        lib = library()
        self._pointer = _decode(lib.d2i_PUBKEY, _SPKI_HEAD + public)
        self._free = weakref.finalize(self, lib.EVP_PKEY_free, self._pointer)

    def verify(self, der: bytes, digest: bytes) -> bool:
        """Whether a strict DER signature of a 32-byte digest is good."""
        lib = library()
        with _context(self._pointer) as context:
            if lib.EVP_PKEY_verify_init(context) != 1:
                lib.ERR_clear_error()
                raise UnavailableError("libcrypto cannot verify SM2 signatures")
            if lib.EVP_PKEY_verify(context, der, len(der), digest, len(digest)) == 1:
                return True
        lib.ERR_clear_error()
        return False

    def encrypt(self, plain: bytes) -> bytes:
        """A short text for the key's owner (GB/T 32918.4), in the DER form of GM/T 0009 §7.2."""
        lib = library()
        with _context(self._pointer) as context:
            if lib.EVP_PKEY_encrypt_init(context) == 1:
                found = _transformed(lib.EVP_PKEY_encrypt, context, plain)
                if found is not None:
                    return found
        raise UnavailableError("libcrypto cannot encrypt with SM2")


class Sm2PrivateKey:
    """An SM2 private key inside libcrypto."""

    __slots__ = ("__weakref__", "_free", "_pointer")

    def __init__(self, private: bytes) -> None:
        """Take 32 bytes already checked to be in 1…n-2 (with n-1, libcrypto signs for ever)."""
        lib = library()
        self._pointer = _decode(lib.d2i_AutoPrivateKey, _PKCS8_HEAD + private)
        self._free = weakref.finalize(self, lib.EVP_PKEY_free, self._pointer)

    def public(self) -> bytes:
        """``04 x y``, computed by the library."""
        buffer = ctypes.create_string_buffer(len(_SPKI_HEAD) + 65)
        cursor = ctypes.cast(buffer, c_char_p)
        lib = library()
        if lib.i2d_PUBKEY(self._pointer, None) != len(buffer):
            lib.ERR_clear_error()
            raise UnavailableError("libcrypto encodes SM2 keys in another form")
        lib.i2d_PUBKEY(self._pointer, byref(cursor))
        return buffer.raw[len(_SPKI_HEAD) :]

    def sign(self, digest: bytes) -> bytes:
        """The DER signature of a 32-byte digest; the nonce comes from the library."""
        lib = library()
        buffer = ctypes.create_string_buffer(DER_SIGNATURE_BYTES_MAX)
        length = c_size_t(DER_SIGNATURE_BYTES_MAX)
        with _context(self._pointer) as context:
            done = lib.EVP_PKEY_sign_init(context) == 1 and (
                lib.EVP_PKEY_sign(context, buffer, byref(length), digest, len(digest)) == 1
            )
        if not done:
            lib.ERR_clear_error()
            raise UnavailableError("libcrypto could not make an SM2 signature")
        return buffer.raw[: length.value]

    def decrypt(self, sealed: bytes) -> bytes | None:
        """Open :meth:`Sm2PublicKey.encrypt`; None for anything that is not for this key."""
        lib = library()
        with _context(self._pointer) as context:
            if lib.EVP_PKEY_decrypt_init(context) != 1:
                lib.ERR_clear_error()
                raise UnavailableError("libcrypto cannot decrypt with SM2")
            return _transformed(lib.EVP_PKEY_decrypt, context, sealed)


def _transformed(step: "ctypes._FuncPointer", context: int, text: bytes) -> bytes | None:
    buffer = ctypes.create_string_buffer(len(text) + SM2_CIPHER_EXTRA_BYTES_MAX)
    length = c_size_t(len(buffer))
    if step(context, buffer, byref(length), text, len(text)) != 1:
        library().ERR_clear_error()
        return None
    return buffer.raw[: length.value]


def _decode(decoder: "ctypes._FuncPointer", der: bytes) -> int:
    cursor = c_char_p(der)
    pointer: int | None = decoder(None, byref(cursor), len(der))
    if not pointer:
        library().ERR_clear_error()
        raise UnavailableError("libcrypto does not take this SM2 key")
    return pointer


@contextmanager
def _context(key: int) -> Iterator[int]:
    lib = library()
    context: int | None = lib.EVP_PKEY_CTX_new(key, None)
    if not context:
        lib.ERR_clear_error()
        raise UnavailableError("libcrypto is out of memory")
    try:
        yield context
    finally:
        lib.EVP_PKEY_CTX_free(context)
