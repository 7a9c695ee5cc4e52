"""Found an installation: its CA, and the backend's own identity."""

from backend.identity.ca import CertificateAuthority, Holder
from protocol.crypto.keys import generate
from protocol.crypto.sealing import seal
from protocol.crypto.tls_keys import TlsKey
from protocol.identity import Facts, pack_identity

CA_CERTIFICATE, CA_KEY, IDENTITY_DIRECTORY = "ca/ca.crt", "ca/ca.key", "identity"
BACKEND_NAME = "backend"


def found(
    *, name: str, host_names: tuple[str, ...], suite: str, passphrase: bytes, now_ms: int
) -> dict[str, bytes]:
    """The files of a new installation by their path below the state directory.

    ``ca/ca.crt``, ``ca/ca.key`` and ``identity/…`` (see :mod:`protocol.identity`); every private
    key in them is sealed with the passphrase.
    """
    ca = CertificateAuthority.create(f"{name} CA", now_ms=now_ms)
    tls_key, signing_key = TlsKey(), generate(suite)
    holder = Holder("backend", BACKEND_NAME, host_names)
    certificate = ca.issue(tls_key.request(), holder, now_ms=now_ms)
    facts = Facts(BACKEND_NAME, "backend", "", backend_keys=(signing_key.public,))
    identity = pack_identity(
        facts,
        signing_key=seal(signing_key, passphrase),
        tls_key=tls_key.seal(passphrase),
        chain=(certificate, ca.certificate_der),
    )
    return {
        CA_CERTIFICATE: ca.certificate_pem,
        CA_KEY: ca.sealed_key(passphrase),
        **{f"{IDENTITY_DIRECTORY}/{file}": content for file, content in identity.items()},
    }
