"""Two ends of TLS with certificates of one CA, made in a directory."""

from pathlib import Path

from backend.identity.ca import CertificateAuthority, Holder
from protocol.crypto.tls_keys import TlsKey, pem_chain
from protocol.identity import TlsFiles
from tillway.enroll import _now_ms
from transport.contexts import ClientTls, ServerTls
from transport.machine import TlsMachine

PASSPHRASE = b"a passphrase for tests"
HOST = "127.0.0.1"


def tls_files(directory: Path, ca: CertificateAuthority, holder: Holder) -> TlsFiles:
    """A certificate and its key."""
    key = TlsKey()
    leaf = ca.issue(key.request(), holder, now_ms=_now_ms())
    chain, sealed = directory / f"{holder.name}.crt", directory / f"{holder.name}.key"
    chain.write_bytes(pem_chain((leaf, ca.certificate_der)))
    sealed.write_bytes(key.seal(PASSPHRASE))
    return TlsFiles(chain, sealed, PASSPHRASE, ca.certificate_pem.decode())


class Ends:
    """A hub and a terminal that believe each other."""

    def __init__(self, directory: Path) -> None:
        self.ca = CertificateAuthority.create("Test CA", now_ms=_now_ms())
        self.hub = tls_files(directory, self.ca, Holder("hub", "hub-1", (HOST, "localhost")))
        self.till = tls_files(directory, self.ca, Holder("terminal", "till-1"))
        self.server, self.client = ServerTls(self.hub), ClientTls(self.till)

    def machines(self) -> tuple[TlsMachine, TlsMachine]:
        """The server's end and the client's, which has begun."""
        near = self.client.machine(HOST)
        near.start()
        return self.server.machine(), near
