"""The certificate of an external MQTT broker, which is a server and nothing else.

Rule 1: a broker makes its key itself; the CA sees its certificate request only.
Rule 2: a broker is no device: the registry does not know it, and it signs nothing.
"""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from backend.identity.ca import CertificateAuthority, Holder
from protocol.crypto.tls_keys import UNREADABLE, pem_chain
from protocol.errors import CallerError

BROKER = "broker"


def certify_broker(
    ca: CertificateAuthority, csr_pem: bytes, *, name: str, host_names: tuple[str, ...], now_ms: int
) -> bytes:
    """The broker's certificate (PEM), good for these host names and addresses.

    ``CallerError("field_invalid")`` for a request that is none, and without a host name.
    """
    if not host_names:
        raise CallerError("field_invalid", "host names")
    try:
        csr = x509.load_pem_x509_csr(csr_pem).public_bytes(Encoding.DER)
    except UNREADABLE:
        raise CallerError("field_invalid", "certificate request") from None
    return pem_chain((ca.issue(csr, Holder(BROKER, name, host_names), now_ms=now_ms),))
