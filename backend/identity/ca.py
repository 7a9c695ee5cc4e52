"""The certificate authority of one installation: a P-256 root and the leaves it issues.

Rule 1: of a request (CSR) only the public key is used; names and rights come from the operator.
Rule 2: a profile fixes what a certificate is good for; nobody can ask for more.
Rule 3: certificates prove a name. Whether that name may still act is the registry's word, asked
        at every message, so there is no revocation list to distribute. (An external broker does
        not ask it; see docs/runbook/broker.md.)
RFC 5280 §4.2 (extensions), RFC 5480 (P-256 keys).
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from backend.identity.limits import (
    BACKDATE_MINUTES,
    LEAF_VALID_DAYS,
    NAME_CHARS_MAX,
    NAMES_MAX,
    ROOT_VALID_DAYS,
)
from protocol.crypto.tls_keys import UNREADABLE
from protocol.enrolment_code import fingerprint_of
from protocol.errors import CallerError
from protocol.tls import URI_SCHEME
from protocol.topics import is_name

_Key = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
Extension = tuple[x509.ExtensionType, bool]
_CLIENT, _SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


@dataclass(frozen=True, slots=True)
class Profile:
    """What certificates of one kind of holder are good for."""

    usages: tuple[x509.ObjectIdentifier, ...]

    @property
    def is_server(self) -> bool:
        """Whether host names may stand in the certificate."""
        return _SERVER in self.usages


PROFILES: dict[str, Profile] = {
    "terminal": Profile((_CLIENT,)),
    "thing": Profile((_CLIENT,)),
    "hub": Profile((_CLIENT, _SERVER)),
    "backend": Profile((_SERVER,)),
    "broker": Profile((_SERVER,)),
    "operator": Profile((_CLIENT,)),
    "merchant": Profile((_CLIENT,)),
}


@dataclass(frozen=True, slots=True)
class Holder:
    """Who gets a certificate. ``names`` are host names and addresses, for servers only."""

    kind: str
    name: str
    names: tuple[str, ...] = ()


class CertificateAuthority:
    """A root key and its certificate."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self.certificate = certificate

    @classmethod
    def create(cls, name: str, *, now_ms: int) -> "CertificateAuthority":
        """A new root."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        number = x509.random_serial_number()
        builder = _builder(subject, subject, key.public_key(), now_ms, ROOT_VALID_DAYS, number)
        for extension, is_critical in root_extensions(_key_id(key.public_key())):
            builder = builder.add_extension(extension, is_critical)
        return cls(key, builder.sign(key, SHA256()))

    @classmethod
    def load(
        cls, certificate_pem: bytes, key_pem: bytes, passphrase: bytes
    ) -> "CertificateAuthority":
        """A root from its files; ``CallerError("key_unsealable")`` for a wrong passphrase."""
        try:
            key = load_pem_private_key(key_pem, passphrase)
            certificate = x509.load_pem_x509_certificate(certificate_pem)
        except (ValueError, TypeError):
            raise CallerError("key_unsealable", "CA") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise CallerError("config_invalid", "CA key")
        if key.public_key() != certificate.public_key():
            raise CallerError("config_invalid", "CA key and certificate differ")
        return cls(key, certificate)

    def sealed_key(self, passphrase: bytes) -> bytes:
        """The root's private key, encrypted PKCS#8 PEM."""
        return self._key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
        )

    @property
    def certificate_der(self) -> bytes:
        """What ``GET /enroll/v1/ca`` answers."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def certificate_pem(self) -> bytes:
        """What programs trust."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """What printed codes carry."""
        return fingerprint_of(self.certificate_der)

    def issue(self, csr_der: bytes, holder: Holder, *, now_ms: int) -> bytes:
        """The holder's certificate (DER) for the key that signed the request."""
        return self.issue_for_key(key_of_request(csr_der), holder, now_ms=now_ms)

    def issue_for_key(
        self, key: ec.EllipticCurvePublicKey, holder: Holder, *, now_ms: int
    ) -> bytes:
        """The holder's certificate (DER) for a P-256 key."""
        return self._leaf(key, holder, now_ms=now_ms)

    def issue_for_program(
        self, key: rsa.RSAPublicKey, mchid: str, *, serial: int, days: int, now_ms: int
    ) -> str:
        """A merchant number's API certificate (PEM), for calls that its connection proves, too."""
        issued = self._leaf(key, Holder("merchant", mchid), now_ms=now_ms, serial=serial, days=days)
        return x509.load_der_x509_certificate(issued).public_bytes(Encoding.PEM).decode("ascii")

    def _leaf(
        self,
        key: _Key,
        holder: Holder,
        *,
        now_ms: int,
        serial: int | None = None,
        days: int = LEAF_VALID_DAYS,
    ) -> bytes:
        root_id = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        extensions = leaf_extensions(holder, _key_id(key), root_id.value)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, holder.name)])
        number = x509.random_serial_number() if serial is None else serial
        builder = _builder(subject, self.certificate.subject, key, now_ms, days, number)
        for extension, is_critical in extensions:
            builder = builder.add_extension(extension, is_critical)
        return builder.sign(self._key, SHA256()).public_bytes(Encoding.DER)

    def holder_of(self, certificate_der: bytes) -> Holder:
        """Whom we issued a certificate to, even if it has expired since.

        ``CallerError("identity_mismatch")`` for one that is not ours.
        """
        try:
            certificate = x509.load_der_x509_certificate(certificate_der)
            certificate.verify_directly_issued_by(self.certificate)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except UNREADABLE:
            raise CallerError("identity_mismatch", "certificate") from None
        uris = names.value.get_values_for_type(x509.UniformResourceIdentifier)
        hosts = names.value.get_values_for_type(x509.DNSName)
        addresses = names.value.get_values_for_type(x509.IPAddress)
        match [uri.split(":") for uri in uris]:
            case [[prefix, kind, name]] if prefix == URI_SCHEME:
                return Holder(kind, name, (*hosts, *map(str, addresses)))
        raise CallerError("identity_mismatch", "certificate")


def key_of_request(csr_der: bytes) -> ec.EllipticCurvePublicKey:
    """The P-256 key that signed a request; ``CallerError("field_invalid")`` for anything else."""
    try:
        request = x509.load_der_x509_csr(csr_der)
        key = request.public_key()
        is_signed = request.is_signature_valid
    except UNREADABLE:
        raise CallerError("field_invalid", "certificate request") from None
    if not is_signed or not isinstance(key, ec.EllipticCurvePublicKey):
        raise CallerError("field_invalid", "certificate request")
    if not isinstance(key.curve, ec.SECP256R1):
        raise CallerError("field_invalid", "certificate request")
    return key


def root_extensions(key_id: x509.SubjectKeyIdentifier) -> tuple[Extension, ...]:
    """What stands in a root's certificate, each with whether it is critical."""
    return (
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (_key_usage(is_ca=True), True),
        (key_id, False),
    )


def leaf_extensions(
    holder: Holder, key_id: x509.SubjectKeyIdentifier, root_id: x509.SubjectKeyIdentifier
) -> tuple[Extension, ...]:
    """What stands in a holder's; ``CallerError("field_invalid")`` for what nobody may become."""
    profile = PROFILES.get(holder.kind)
    if profile is None or not is_name(holder.name):
        raise CallerError("field_invalid", "holder")
    if holder.names and not profile.is_server:
        raise CallerError("field_invalid", "host names are for servers")
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_id)
    return (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(is_ca=False), True),
        (x509.ExtendedKeyUsage(profile.usages), False),
        (_subject_names(holder), False),
        (key_id, False),
        (authority, False),
    )


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Host names and addresses that may stand in a server's certificate."""
    if len(names) > NAMES_MAX or not all(
        0 < len(name) <= NAME_CHARS_MAX and name.isascii() and "*" not in name for name in names
    ):
        raise CallerError("field_invalid", "host names")
    return tuple(names)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: _Key, now_ms: int, days: int, serial: int
) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(now_ms // 1000, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(now - timedelta(minutes=BACKDATE_MINUTES))
        .not_valid_after(now + timedelta(days=days))
    )


def _subject_names(holder: Holder) -> x509.SubjectAlternativeName:
    uri = x509.UniformResourceIdentifier(f"{URI_SCHEME}:{holder.kind}:{holder.name}")
    return x509.SubjectAlternativeName([uri, *map(_host, check_names(holder.names))])


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_id(key: _Key) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key)


def _key_usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
