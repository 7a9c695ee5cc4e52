"""The arithmetic of API v3's suite WECHATPAY2-SHA256-RSA2048, and of AEAD_AES_256_GCM.

Rule 1: a signature is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2) over the very bytes that
        are sent, in base64 on one line.
Rule 2: a sensitive field is RSAES-OAEP with SHA-1 and MGF1 with SHA-1 (RFC 8017 §7.1).
Rule 3: a sealed resource is AES-256-GCM under the merchant's APIv3 key: its 32 ASCII bytes are the
        key, the nonce is 12 ASCII characters, the tag stands behind the ciphertext.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

from backend.merchant_api.limits import CERTIFICATE_DAYS, KEY_BITS, PARSED_KEYS_MAX
from protocol.crypto.tls_keys import UNREADABLE
from protocol.errors import CallerError

SUITE = "WECHATPAY2-SHA256-RSA2048"
AEAD = "AEAD_AES_256_GCM"
SERIAL_BYTES = 20
NONCE_CHARS = 12
_EXPONENT = 65_537
_SERIAL_TOP = 1 << 158
_OAEP = padding.OAEP(mgf=padding.MGF1(SHA1()), algorithm=SHA1(), label=None)  # noqa: S303


def make_key() -> rsa.RSAPrivateKey:
    """A new pair. Slow: not on the event loop."""
    return rsa.generate_private_key(_EXPONENT, KEY_BITS)


def private_bytes(key: rsa.RSAPrivateKey) -> bytes:
    """PKCS #8, DER, not encrypted: only to be sealed."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def read_private(der: bytes) -> rsa.RSAPrivateKey:
    """What ``private_bytes`` wrote, sealed since: it opens as it was written or not at all, so its
    primes, whose proof costs a hundred signatures, are not proven again."""
    key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def public_pem(key: rsa.RSAPublicKey) -> str:
    """SubjectPublicKeyInfo, PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def serial_number(random_bytes: bytes) -> int:
    """A serial of 40 hex digits whose first is none of 0 to 3: no client loses a zero of it."""
    return int.from_bytes(random_bytes[:SERIAL_BYTES], "big") % _SERIAL_TOP | _SERIAL_TOP


def serial_text(number: int) -> str:
    """A serial as the interface writes it."""
    return f"{number:X}"


def same_serial(left: str, right: str) -> bool:
    """Whether two texts name one certificate: programs differ in case and in leading zeros."""
    try:
        return int(left, 16) == int(right, 16)
    except ValueError:
        return False


def read_request(der: str) -> rsa.RSAPublicKey:
    """The key that a certificate request (PKCS #10, DER in base64) asks for and proves;
    ``field_invalid`` for anything but RSA of the suite's length."""
    try:
        wanted = x509.load_der_x509_csr(base64.b64decode(der, validate=True))
        is_proven = wanted.is_signature_valid
    except UNREADABLE:
        raise CallerError("field_invalid", "csr") from None
    key = wanted.public_key()
    if not is_proven or not isinstance(key, rsa.RSAPublicKey) or key.key_size != KEY_BITS:
        raise CallerError("field_invalid", "csr: RSA of 2048 bits")
    return key


def issue(
    public: rsa.RSAPublicKey,
    *,
    subject: str,
    serial: int,
    issuer_key: rsa.RSAPrivateKey,
    now_ms: int,
) -> str:
    """A certificate for five years, PEM."""
    begin = datetime.fromtimestamp(now_ms // 1000, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name("Tillway merchant interface"))
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(begin - timedelta(days=1))
        .not_valid_after(begin + timedelta(days=CERTIFICATE_DAYS))
        .sign(issuer_key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


@lru_cache(maxsize=PARSED_KEYS_MAX)
def certificate_key(pem: str) -> rsa.RSAPublicKey:
    """The public key of a certificate of ours."""
    key = x509.load_pem_x509_certificate(pem.encode("ascii")).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def sign(key: rsa.RSAPrivateKey, message: bytes) -> str:
    """A signature, base64."""
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), SHA256())).decode("ascii")


def is_signed(key: rsa.RSAPublicKey, signature: str, message: bytes) -> bool:
    """Whether the signature is this key's over exactly these bytes."""
    try:
        key.verify(
            base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), SHA256()
        )
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def seal_resource(api_v3_key: str, *, nonce: str, associated: str, plain: bytes) -> str:
    """A resource for a merchant, base64."""
    sealed = AESGCM(api_v3_key.encode("ascii")).encrypt(
        nonce.encode("ascii"), plain, associated.encode()
    )
    return base64.b64encode(sealed).decode("ascii")


def open_field(key: rsa.RSAPrivateKey, text: str) -> str:
    """A sensitive field that a merchant encrypted for this platform key; ``field_invalid`` for
    anything else."""
    try:
        return key.decrypt(base64.b64decode(text, validate=True), _OAEP).decode("utf-8")
    except (ValueError, binascii.Error):
        raise CallerError("field_invalid", "encrypted field") from None


def close_field(key: rsa.RSAPublicKey, text: str) -> str:
    """A sensitive field for the holder of this key."""
    return base64.b64encode(key.encrypt(text.encode(), _OAEP)).decode("ascii")


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
