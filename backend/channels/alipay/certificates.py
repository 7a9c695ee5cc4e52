"""Certificate mode: how certificates are named on the wire, and whom we trust. Pure.

Rule 1: a certificate's number is the MD5, in hexadecimal, of its issuer (``CN=…,OU=…,O=…,C=…``, as
        the certificate has it from the last attribute to the first) and its serial in decimal.
        A root file's is that of its RSA certificates, joined by ``_``.
Rule 2: Alipay's key counts only if its certificate leads to one of the configured roots.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from protocol.errors import CallerError

_RSA = "1.2.840.113549.1.1."
"""How the object identifiers of signatures by RSA begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateNumbers:
    """What names the certificates in requests and answers."""

    app: str
    root: str
    alipay: str


def number_of(certificate: x509.Certificate) -> str:
    """A certificate's number."""
    issuer = reversed(list(certificate.issuer))
    parts = [f"{one.rfc4514_attribute_name}={one.value!s}" for one in issuer]
    text = ",".join(parts) + str(certificate.serial_number)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def root_number_of(roots: Sequence[x509.Certificate]) -> str:
    """The number of a file of roots."""
    by_rsa = [one for one in roots if one.signature_algorithm_oid.dotted_string.startswith(_RSA)]
    return "_".join(number_of(one) for one in by_rsa)


def trusted_key(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> RSAPublicKey:
    """The key of the first certificate, which the others (if any) lead from to a root;
    ``config_invalid`` where they do not."""
    for number, certificate in enumerate(chain):
        key = chain[0].public_key()
        if any(_issued(certificate, root) for root in roots) and isinstance(key, RSAPublicKey):
            return key
        if not any(_issued(certificate, issuer) for issuer in chain[number + 1 : number + 2]):
            break
    raise CallerError("config_invalid", "a certificate that leads to no root")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
