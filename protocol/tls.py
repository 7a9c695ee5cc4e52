"""TLS between our own programs: 1.3 only, both sides show a certificate of our CA.

A certificate says who (common name and ``tillway:<kind>:<name>`` in the SAN) and, for servers,
at which host names. A client checks the host name *and* may ask for the kind, since all
certificates come from one CA: a terminal's must not pass for the backend's.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from protocol.errors import CallerError
from protocol.identity import TlsFiles
from protocol.topics import is_name

URI_SCHEME = "tillway"
PeerKind = Literal["terminal", "thing", "hub", "backend", "operator", "merchant"]


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom a verified certificate belongs to."""

    kind: str
    name: str


class ShowsCertificate(Protocol):
    """The end of a TLS connection that can say whom its peer proved to be."""

    def getpeercert(self) -> Mapping[str, Any] | None:
        """As :meth:`ssl.SSLObject.getpeercert`."""
        ...


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """For ports that everybody may reach: the backend's public one, and the chargers' at a hub. Who
    has a certificate of ours shows it; a route that is for such peers only asks :func:`peer_of`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _trust(context, files.ca_pem)
    context.verify_mode = ssl.CERT_OPTIONAL
    try:
        context.load_cert_chain(files.chain, files.key, password=files.passphrase)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise CallerError("config_invalid", f"TLS identity in {files.chain.parent}") from error
    return context


def joining_context(ca_pem: str) -> ssl.SSLContext:
    """For a machine that has no certificate yet but knows the CA by its code's fingerprint."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _trust(context, ca_pem)
    return context


def peer_of(certificate: Mapping[str, Any] | None) -> Peer:
    """Who the peer is, from ``getpeercert()`` of a verified connection.

    ``CallerError("identity_mismatch")`` without a certificate, or when SAN and name disagree.
    """
    for scheme, value in (certificate or {}).get("subjectAltName", ()):
        match value.split(":") if scheme == "URI" else ():
            case [str(prefix), str(kind), str(name)] if prefix == URI_SCHEME and is_name(name):
                if common_name(certificate) == name:
                    return Peer(kind, name)
    raise CallerError("identity_mismatch", "certificate")


def require_peer(certificate: Mapping[str, Any] | None, kind: PeerKind) -> Peer:
    """The peer, if it is of this kind; else ``CallerError("identity_mismatch")``."""
    peer = peer_of(certificate)
    if peer.kind != kind:
        raise CallerError("identity_mismatch", f"a {peer.kind}, not a {kind}")
    return peer


def common_name(certificate: Mapping[str, Any] | None) -> str | None:
    """The subject's one common name, from ``getpeercert()``."""
    names = [
        value
        for relative in (certificate or {}).get("subject", ())
        for key, value in relative
        if key == "commonName"
    ]
    return names[0] if len(names) == 1 else None


def host_names(certificate: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The host names and addresses in a certificate, from ``getpeercert()``."""
    names = (certificate or {}).get("subjectAltName", ())
    return tuple(value for scheme, value in names if scheme in {"DNS", "IP Address"})


def _trust(context: ssl.SSLContext, ca_pem: str) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        context.load_verify_locations(cadata=ca_pem)
    except (ssl.SSLError, ValueError) as error:
        raise CallerError("config_invalid", "CA certificate") from error
