"""The arithmetic of API v3's suite WECHATPAY2-SM2-WITH-SM3, and of AEAD_SM4_GCM.

Rule 1: a signature is SM2 with SM3 (GB/T 32918.2-2016) under the user id 1234567812345678, the
        ASN.1 form of r and s, in base64 on one line.
Rule 2: a sensitive field is SM2's encryption (GB/T 32918.4-2016) in the order C1 C3 C2, the ASN.1
        form of GM/T 0009 §7.2.
Rule 3: a sealed resource is SM4-GCM; its key is the first 16 bytes of SM3 over the APIv3 key.
"""

import base64
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from backend.merchant_api.limits import CERTIFICATE_DAYS, PARSED_KEYS_MAX
from protocol.crypto import SigningKey, VerifyKey, generate, sm2_x509, sm3
from protocol.crypto.libcrypto import Sm2PrivateKey, Sm2PublicKey, UnavailableError
from protocol.errors import CallerError, OperatingError

SUITE = "WECHATPAY2-SM2-WITH-SM3"
AEAD = "AEAD_SM4_GCM"
_KEY_BYTES = 16
_ISSUER = "Tillway merchant interface"


def make_key() -> SigningKey:
    """A new pair."""
    return generate("SM2-SM3")


def read_private(stored: bytes) -> SigningKey:
    """What ``SigningKey.private_bytes`` gave."""
    return SigningKey.from_private("SM2-SM3", stored)


def read_request(der: str) -> VerifyKey:
    """The key that a certificate request (PKCS #10, DER in base64) asks for and proves;
    ``field_invalid`` for anything but SM2."""
    try:
        return sm2_x509.read_request(base64.b64decode(der, validate=True))
    except ValueError:
        raise CallerError("field_invalid", "csr") from None


def issue(
    public: VerifyKey, *, subject: str, serial: int, issuer_key: SigningKey, now_ms: int
) -> str:
    """A certificate for five years, PEM."""
    begin = datetime.fromtimestamp(now_ms // 1000, UTC)
    return sm2_x509.issue(
        public,
        subject=subject,
        issuer=_ISSUER,
        serial=serial,
        not_before=begin - timedelta(days=1),
        not_after=begin + timedelta(days=CERTIFICATE_DAYS),
        issuer_key=issuer_key,
    )


@lru_cache(maxsize=PARSED_KEYS_MAX)
def certificate_key(pem: str) -> VerifyKey:
    """The public key of a certificate of ours."""
    return sm2_x509.certificate_key(pem)


def public_pem(key: SigningKey) -> str:
    """SubjectPublicKeyInfo, PEM."""
    return sm2_x509.public_pem(key.public)


def sign(key: SigningKey, message: bytes) -> str:
    """A signature, base64."""
    return base64.b64encode(sm2_x509.signature_der(key.sign(message))).decode("ascii")


def is_signed(key: VerifyKey, signature: str, message: bytes) -> bool:
    """Whether the signature is this key's over exactly these bytes."""
    try:
        raw = sm2_x509.signature_raw(base64.b64decode(signature, validate=True))
    except ValueError:
        return False
    return raw is not None and key.verify(raw, message)


def seal_resource(api_v3_key: str, *, nonce: str, associated: str, plain: bytes) -> str:
    """A resource for a merchant, base64."""
    algorithm = algorithms.SM4(sm3(api_v3_key.encode("ascii"))[:_KEY_BYTES])
    encryptor = Cipher(algorithm, modes.GCM(nonce.encode("ascii"))).encryptor()
    encryptor.authenticate_additional_data(associated.encode())
    sealed = encryptor.update(plain) + encryptor.finalize() + encryptor.tag
    return base64.b64encode(sealed).decode("ascii")


def open_field(key: SigningKey, text: str) -> str:
    """A sensitive field that a merchant encrypted for this platform key; ``field_invalid`` for
    anything else."""
    try:
        plain = Sm2PrivateKey(key.private_bytes()).decrypt(base64.b64decode(text, validate=True))
        if plain is None:
            raise CallerError("field_invalid", "encrypted field")
        return plain.decode("utf-8")
    except ValueError:
        raise CallerError("field_invalid", "encrypted field") from None
    except UnavailableError as error:
        raise OperatingError("internal", str(error)) from error


def close_field(key: VerifyKey, text: str) -> str:
    """A sensitive field for the holder of this key."""
    try:
        sealed = Sm2PublicKey(key.public).encrypt(text.encode())
    except UnavailableError as error:
        raise OperatingError("internal", str(error)) from error
    return base64.b64encode(sealed).decode("ascii")
