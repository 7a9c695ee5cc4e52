"""A merchant's program of the suite SM2 with SM3. Its arithmetic is ``gmssl``'s, not ours."""

from functools import cache
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from gmssl.sm2 import CryptSM2
from pyasn1.codec.der.decoder import decode

from protocol.crypto import SigningKey, generate, sm2_x509
from tests.support.merchant_caller import Caller


@cache
def a_sm2_key() -> SigningKey:
    """The merchant's: one for all tests of a process."""
    return generate("SM2-SM3")


def gmssl_of(public: bytes, private: bytes = b"") -> CryptSM2:
    """``gmssl``'s engine for C1 C3 C2; its keys are set as they are, since it strips leading 04."""
    engine = CryptSM2(private_key=private.hex(), public_key="", mode=1)
    engine.public_key = public[1:].hex()
    return engine


def platform_key(pem: str) -> bytes:
    """``04 x y`` of a certificate."""
    return sm2_x509.certificate_key(pem).public


def decrypted(sealed: bytes) -> bytes:
    """A sensitive field of an answer: the sequence of x, y, hash and text, opened by gmssl."""
    whole = decode(sealed)[0]
    x, y, digest, text = (whole[place] for place in range(4))
    point = int(x).to_bytes(32, "big") + int(y).to_bytes(32, "big")
    key = a_sm2_key()
    engine = gmssl_of(key.public.public, key.private_bytes())
    plain: bytes = engine.decrypt(point + bytes(digest) + bytes(text))
    return plain


class Sm2Caller(Caller):
    """Signs and checks by SM2."""

    suite: ClassVar[str] = "sm2"
    scheme: ClassVar[str] = "WECHATPAY2-SM2-WITH-SM3"

    @classmethod
    def csr(cls) -> bytes:
        return sm2_x509.request(a_sm2_key(), common_name="shop")

    def sign(self, message: bytes) -> bytes:
        key = a_sm2_key()
        engine = gmssl_of(key.public.public, key.private_bytes())
        raw = bytes.fromhex(engine.sign_with_sm3(message))
        return sm2_x509.signature_der(raw)

    def verify(self, pem: str, signature: bytes, message: bytes) -> None:
        r, s = decode_dss_signature(signature)
        assert gmssl_of(platform_key(pem)).verify_with_sm3(f"{r:064x}{s:064x}", message)
