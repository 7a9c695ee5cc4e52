"""Two ends of TLS with certificates of one CA, made in a directory."""

from pathlib import Path
from typing import Any

from backend.identity.ca import CertificateAuthority, Holder
from backend.identity.sm_authority import SmAuthority
from protocol.crypto import generate, seal, sm2_x509
from protocol.crypto.tls_keys import TlsKey, pem_chain
from protocol.identity import SmTls, TlsFiles, TlsProfileName
from tillway.enroll import _now_ms
from transport.contexts import ClientTls, ServerTls
from transport.machine import TlsMachine

PASSPHRASE = b"a passphrase for tests"
HOST = "127.0.0.1"
DAY_MS = 86_400_000


def tls_files(
    directory: Path, ca: CertificateAuthority, holder: Holder, *, age_days: int = 0
) -> TlsFiles:
    """A certificate and its key."""
    key = TlsKey()
    leaf = ca.issue(key.request(), holder, now_ms=_now_ms() - age_days * DAY_MS)
    chain, sealed = directory / f"{holder.name}.crt", directory / f"{holder.name}.key"
    chain.write_bytes(pem_chain((leaf, ca.certificate_der)))
    sealed.write_bytes(key.seal(PASSPHRASE))
    return TlsFiles(chain, sealed, PASSPHRASE, ca.certificate_pem.decode())


def sm_tls(ca: SmAuthority, holder: Holder, *, age_days: int = 0) -> SmTls:
    """An SM2 certificate and its key."""
    key = generate("SM2-SM3")
    leaf = ca.issue(sm2_x509.request(key), holder, now_ms=_now_ms() - age_days * DAY_MS)
    chain = pem_chain((leaf, ca.certificate_der))
    return SmTls(chain, seal(key, PASSPHRASE), PASSPHRASE, ca.certificate_pem.decode())


class Ends:
    """A hub and a terminal that believe each other, in one of the profiles."""

    def __init__(self, directory: Path, profile: TlsProfileName = "p256") -> None:
        self.directory, self.profile = directory, profile
        self.ca: Any = (
            SmAuthority.create("Test CA", now_ms=_now_ms())
            if profile == "sm"
            else CertificateAuthority.create("Test CA", now_ms=_now_ms())
        )
        self.hub = self.issue(Holder("hub", "hub-1", (HOST, "localhost")))
        self.till = self.issue(Holder("terminal", "till-1"))
        self.server, self.client = ServerTls(self.hub), ClientTls(self.till)

    def issue(self, holder: Holder, *, age_days: int = 0) -> TlsFiles | SmTls:
        """A certificate and its key."""
        if self.profile == "sm":
            return sm_tls(self.ca, holder, age_days=age_days)
        return tls_files(self.directory, self.ca, holder, age_days=age_days)

    def machines(self) -> tuple[TlsMachine, TlsMachine]:
        """The server's end and the client's, which has begun."""
        near = self.client.machine(HOST)
        near.start()
        return self.server.machine(), near
