"""The gateway's authority: a root, the gateway's own certificate, those of sellers' programs.

Its key and certificates lie in the institution's directory, readable by their owner only.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from backend.channels.alipay.certificates import CertificateNumbers, number_of, root_number_of
from backend.sandbox.alipay.limits import CERTIFICATE_DAYS, RSA_BITS
from backend.sandbox.institution.state_files import write_private
from protocol.errors import CallerError

AUTHORITY = "authority.pem"
"""The root's key, its certificate, the gateway's."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who vouches for whom."""

    key: RSAPrivateKey = field(repr=False)
    root: x509.Certificate
    certificate: x509.Certificate
    """The gateway's."""

    @property
    def numbers(self) -> CertificateNumbers:
        """What names the root and the gateway's certificate; no application's."""
        alipay = number_of(self.certificate)
        return CertificateNumbers(app="", root=root_number_of([self.root]), alipay=alipay)

    def issue(self, app_id: str, public_key: RSAPublicKey) -> x509.Certificate:
        """An application's certificate."""
        return _certificate(app_id, public_key, self.key, self.root.not_valid_before_utc)

    def told(self) -> dict[str, str]:
        """What a seller in certificate mode must have beside its own."""
        return {
            "alipay_certificate": self.certificate.public_bytes(Encoding.PEM).decode(),
            "root_certificate": self.root.public_bytes(Encoding.PEM).decode(),
        }


def own_authority(directory: Path, key: RSAPrivateKey, now_ms: int) -> Authority:
    """The authority of a directory, made when first asked for; ``key`` is the gateway's."""
    path = directory / AUTHORITY
    if not path.exists():
        made = make_authority(key, now_ms)
        content = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for one in (made.root, made.certificate):
            content += one.public_bytes(Encoding.PEM)
        write_private(path, content)
    content = path.read_bytes()
    found = load_pem_private_key(content, password=None)
    root, certificate = x509.load_pem_x509_certificates(content)
    if not isinstance(found, RSAPrivateKey):
        raise CallerError("config_invalid", f"{AUTHORITY} holds no RSA key")
    return Authority(found, root, certificate)


def make_authority(key: RSAPrivateKey, now_ms: int) -> Authority:
    """A root with a key of its own, and the gateway's certificate."""
    since = datetime.fromtimestamp(now_ms // 1000, UTC) - timedelta(days=1)
    root_key = generate_private_key(65537, RSA_BITS)
    root = _certificate("root", root_key.public_key(), root_key, since)
    return Authority(root_key, root, _certificate("gateway", key.public_key(), root_key, since))


def _certificate(
    name: str, public_key: RSAPublicKey, root_key: RSAPrivateKey, since: datetime
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name("root"))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.BasicConstraints(ca=name == "root", path_length=None), critical=True)
    )
    return builder.sign(root_key, SHA256())


def _name(common_name: str) -> x509.Name:
    """In the order in which Alipay's certificates have theirs."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tillway sandbox"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Alipay"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
