"""Signatures, hashes and sealed keys.

    key = generate("SM2-SM3")            key.public.verify(key.sign(message), message)
    sealed = seal(key, passphrase)       key = unseal(sealed, passphrase)

The one place in ``protocol`` that draws randomness, and only libcrypto's: for new keys, salts and
nonces, which no caller could supply more safely.
"""

from protocol.crypto.hashes import sha256, sm3
from protocol.crypto.keys import SigningKey, VerifyKey, generate, kid_of
from protocol.crypto.sealing import seal, unseal
from protocol.crypto.sm2 import sm2_backend
from protocol.crypto.suites import BY_COSE_ALG, DEFAULT_SUITE, SUITES, Suite, suite_named

__all__ = [
    "BY_COSE_ALG",
    "DEFAULT_SUITE",
    "SUITES",
    "SigningKey",
    "Suite",
    "VerifyKey",
    "generate",
    "kid_of",
    "seal",
    "sha256",
    "sm2_backend",
    "sm3",
    "suite_named",
    "unseal",
]
