"""The SM2 root of an installation, and the certificates it issues for lines of the profile ``sm``.

Rule 1: as :mod:`backend.identity.ca`, whose profiles and names it issues for: the same holder gets
        both certificates at once, so each says the same.
Rule 2: it proves names on lines between our programs only. Browsers and shops know no SM2; what
        they reach shows the P-256 certificate.
GM/T 0015; RFC 8998 §3.2.3: the signature's user id is the usual one.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509

from backend.identity.ca import Extension, Holder, leaf_extensions, root_extensions
from backend.identity.limits import BACKDATE_MINUTES, LEAF_VALID_DAYS, ROOT_VALID_DAYS
from protocol.crypto import generate, seal, sm2_x509, unseal
from protocol.crypto.hashes import sm3
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.crypto.tls_keys import der_of_pem
from protocol.errors import CallerError

_SUITE = "SM2-SM3"
_KEY_ID_BYTES = 20


class SmAuthority:
    """A root key and its certificate."""

    def __init__(self, key: SigningKey, certificate_pem: bytes) -> None:
        self._key = key
        self.certificate_pem = certificate_pem
        self.certificate_der = der_of_pem(certificate_pem)
        self._name = common_name(certificate_pem)

    @classmethod
    def create(cls, name: str, *, now_ms: int) -> "SmAuthority":
        """A new root."""
        key = generate(_SUITE)
        extensions = root_extensions(_key_id(key.public))
        names = (name, name)
        return cls(key, _issue(key, key.public, names, extensions, ROOT_VALID_DAYS, now_ms))

    @classmethod
    def load(cls, certificate_pem: bytes, sealed_key: bytes, passphrase: bytes) -> "SmAuthority":
        """A root from its files; ``CallerError("key_unsealable")`` for a wrong passphrase."""
        key = unseal(sealed_key, passphrase)
        if sm2_x509.certificate_key(certificate_pem.decode("ascii", "replace")) != key.public:
            raise CallerError("config_invalid", "SM2 CA key and certificate differ")
        return cls(key, certificate_pem)

    def sealed_key(self, passphrase: bytes) -> bytes:
        """The root's private key, sealed."""
        return seal(self._key, passphrase)

    def issue(self, csr_der: bytes, holder: Holder, *, now_ms: int) -> bytes:
        """The holder's certificate (DER) for the SM2 key that proved itself in the request."""
        public = sm2_x509.read_request(csr_der)
        extensions = leaf_extensions(holder, _key_id(public), _key_id(self._key.public))
        names = (holder.name, self._name)
        return der_of_pem(_issue(self._key, public, names, extensions, LEAF_VALID_DAYS, now_ms))


def common_name(certificate_pem: bytes) -> str:
    """The subject's name in a certificate."""
    subject = x509.load_pem_x509_certificate(certificate_pem).subject
    return str(subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def _issue(
    issuer_key: SigningKey,
    public: VerifyKey,
    names: tuple[str, str],
    extensions: Sequence[Extension],
    days: int,
    now_ms: int,
) -> bytes:
    now = datetime.fromtimestamp(now_ms // 1000, UTC)
    return sm2_x509.issue(
        public,
        subject=names[0],
        issuer=names[1],
        serial=x509.random_serial_number(),
        not_before=now - timedelta(minutes=BACKDATE_MINUTES),
        not_after=now + timedelta(days=days),
        issuer_key=issuer_key,
        extensions=[x509.Extension(value.oid, critical, value) for value, critical in extensions],
    ).encode("ascii")


def _key_id(key: VerifyKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier(sm3(key.public)[:_KEY_ID_BYTES])
