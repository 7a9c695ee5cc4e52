"""Found an installation: its CAs, and the backend's own identity."""

from backend.identity.ca import CertificateAuthority, Holder
from backend.identity.sm_authority import SmAuthority
from protocol.crypto import sm2_x509
from protocol.crypto.keys import generate
from protocol.crypto.sealing import seal
from protocol.crypto.tls_keys import TlsKey, pem_chain
from protocol.identity import SM_CA, SM_CHAIN, SM_KEY, Facts, pack_identity

CA_CERTIFICATE, CA_KEY, IDENTITY_DIRECTORY = "ca/ca.crt", "ca/ca.key", "identity"
SM_CA_CERTIFICATE, SM_CA_KEY = "ca/sm-ca.crt", "ca/sm-ca.key"
BACKEND_NAME = "backend"
_SM_SUITE = "SM2-SM3"


def found(
    *, name: str, host_names: tuple[str, ...], suite: str, passphrase: bytes, now_ms: int
) -> dict[str, bytes]:
    """The files of a new installation by their path below the state directory.

    ``ca/ca.crt``, ``ca/ca.key`` and ``identity/…`` (see :mod:`protocol.identity`), and those of
    :func:`found_sm`; every private key in them is sealed with the passphrase.
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
        **found_sm(name=name, host_names=host_names, passphrase=passphrase, now_ms=now_ms),
        CA_CERTIFICATE: ca.certificate_pem,
        CA_KEY: ca.sealed_key(passphrase),
        **{f"{IDENTITY_DIRECTORY}/{file}": content for file, content in identity.items()},
    }


def found_sm(
    *, name: str, host_names: tuple[str, ...], passphrase: bytes, now_ms: int
) -> dict[str, bytes]:
    """The SM2 CA and the backend's SM2 certificate, for one that has none: the CA's certificate
    last, which says that the others are there."""
    ca, key = SmAuthority.create(f"{name} SM2 CA", now_ms=now_ms), generate(_SM_SUITE)
    holder = Holder("backend", BACKEND_NAME, host_names)
    leaf = ca.issue(sm2_x509.request(key), holder, now_ms=now_ms)
    return {
        SM_CA_KEY: ca.sealed_key(passphrase),
        f"{IDENTITY_DIRECTORY}/{SM_KEY}": seal(key, passphrase),
        f"{IDENTITY_DIRECTORY}/{SM_CHAIN}": pem_chain((leaf, ca.certificate_der)),
        f"{IDENTITY_DIRECTORY}/{SM_CA}": ca.certificate_pem,
        SM_CA_CERTIFICATE: ca.certificate_pem,
    }
