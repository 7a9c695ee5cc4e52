"""P-256 keys for TLS certificates: made on the machine that keeps them, encrypted at rest."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from protocol.errors import CallerError

UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    InvalidSignature,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
)
"""What ``cryptography`` raises for a certificate or a request that it cannot read or prove."""


class TlsKey:
    """A P-256 private key that will be certified."""

    __slots__ = ("_key",)

    def __init__(self, key: ec.EllipticCurvePrivateKey | None = None) -> None:
        self._key = key or ec.generate_private_key(ec.SECP256R1())

    @classmethod
    def unseal(cls, pem: bytes, passphrase: bytes) -> "TlsKey":
        """Read :meth:`seal`; ``CallerError("key_unsealable")`` for anything else."""
        try:
            key = load_pem_private_key(pem, passphrase)
        except (ValueError, TypeError):
            raise CallerError("key_unsealable", "TLS key") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise CallerError("key_unsealable", "TLS key")
        return cls(key)

    def seal(self, passphrase: bytes) -> bytes:
        """Encrypted PKCS#8 PEM, which OpenSSL opens itself."""
        encryption = BestAvailableEncryption(passphrase)
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)

    @property
    def private(self) -> ec.EllipticCurvePrivateKey:
        """The key to show the certificate with."""
        return self._key

    @property
    def public(self) -> ec.EllipticCurvePublicKey:
        """The key to certify."""
        return self._key.public_key()

    def request(self) -> bytes:
        """A certificate request (PKCS#10, DER). It names nobody: the CA knows whom it grants."""
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        return builder.sign(self._key, SHA256()).public_bytes(Encoding.DER)


def pem_chain(chain: tuple[bytes, ...]) -> bytes:
    """DER certificates as one PEM file; ``CallerError("envelope_malformed")`` if one is none."""
    try:
        loaded = [x509.load_der_x509_certificate(certificate) for certificate in chain]
    except UNREADABLE:
        raise CallerError("envelope_malformed", "certificate") from None
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in loaded)


def der_of_pem(pem: bytes) -> bytes:
    """The first certificate of a PEM file, DER; ``CallerError("config_invalid")`` if none."""
    try:
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    except UNREADABLE:
        raise CallerError("config_invalid", "certificate") from None
