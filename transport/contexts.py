"""What an end of a line needs to speak TLS: its profile, its keys, whom it believes.

Rule 1: both ends show a certificate of our CA; a client also checks the server's host name.
Rule 2: what OpenSSL does not have is refused here, before anything listens or connects; nothing
        weaker takes its place.
Rule 3: no session is kept, so every connection shows its certificate again.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any, cast

from cryptography import x509
from OpenSSL import SSL, crypto

from protocol.crypto.tls_keys import TlsKey
from protocol.errors import CallerError
from protocol.identity import TlsFiles
from transport.machine import TlsMachine
from transport.profiles import P256, Profile
from transport.sockets import TlsSocket

_X509_STRICT = 0x20
"""X509_V_FLAG_X509_STRICT: RFC 5280 to the letter."""
_NO_PARTIAL_WILDCARDS = 0x4
_SERVER_CHOOSES = SSL.OP_CIPHER_SERVER_PREFERENCE


class ServerTls:
    """For listening."""

    def __init__(self, files: TlsFiles) -> None:
        """``CallerError("config_invalid")`` for a bad certificate, or an OpenSSL too old."""
        self.profile = P256
        self._context = _context(files, self.profile)
        self._context.set_options(_SERVER_CHOOSES)
        self._context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)

    def machine(self) -> TlsMachine:
        """The server's end of one connection."""
        connection = SSL.Connection(self._context)
        connection.set_accept_state()
        return TlsMachine(connection)


class ClientTls:
    """For connecting. Blocking sockets take it for an :class:`ssl.SSLContext`."""

    check_hostname = True

    def __init__(self, files: TlsFiles) -> None:
        """As :class:`ServerTls`."""
        self.profile = P256
        self._context = _context(files, self.profile)
        self._context.set_verify(SSL.VERIFY_PEER)

    def machine(self, host: str) -> TlsMachine:
        """The client's end of one connection, to the server that is certified for ``host``."""
        connection = SSL.Connection(self._context)
        connection.set_connect_state()
        _expect(connection, host)
        return TlsMachine(connection)

    def wrap_socket(
        self, sock: socket.socket, *, server_hostname: str, do_handshake_on_connect: bool = True
    ) -> TlsSocket:
        """A connected socket, with TLS."""
        wrapped = TlsSocket(sock, self.machine(server_hostname))
        if do_handshake_on_connect:
            wrapped.do_handshake()
        return wrapped


def _context(files: TlsFiles, profile: Profile) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    _agree_on(context, profile)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET)
    _believe(context, files.ca_pem)
    try:
        key = TlsKey.unseal(files.key.read_bytes(), files.passphrase)
        context.use_certificate(x509.load_pem_x509_certificate(files.chain.read_bytes()))
        context.use_privatekey(key.private)
        context.check_privatekey()
    except (OSError, ValueError, SSL.Error, CallerError) as error:
        raise CallerError("config_invalid", f"TLS identity in {files.chain.parent}") from error
    return context


def _agree_on(context: SSL.Context, profile: Profile) -> None:
    """Allow what the profile names. pyOpenSSL has no name yet for two of OpenSSL's calls."""
    from OpenSSL._util import lib

    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    raw = cast(Any, context)._context  # noqa: SLF001
    lists: tuple[tuple[tuple[str, ...], Callable[[Any, bytes], int]], ...] = (
        (profile.suites, lib.SSL_CTX_set_ciphersuites),
        (profile.groups, lib.SSL_CTX_set1_curves_list),
        (profile.signatures, lib.SSL_CTX_set1_sigalgs_list),
    )
    for names, allow in lists:
        if allow(raw, ":".join(names).encode("ascii")) != 1:
            lib.ERR_clear_error()
            version = SSL.OpenSSL_version(SSL.OPENSSL_VERSION).decode("ascii", "replace")
            raise CallerError(
                "config_invalid",
                f"tls_profile {profile.name}: {version} has not all of {', '.join(names)}",
            )


def _believe(context: SSL.Context, ca_pem: str) -> None:
    store = context.get_cert_store()
    assert store is not None, "every context has one"
    try:
        ca = x509.load_pem_x509_certificate(ca_pem.encode("ascii"))
        store.add_cert(crypto.X509.from_cryptography(ca))
    except (ValueError, crypto.Error) as error:
        raise CallerError("config_invalid", "CA certificate") from error
    store.set_flags(_X509_STRICT)


def _expect(connection: SSL.Connection, host: str) -> None:
    """Let OpenSSL check the name in the certificate (RFC 9525), and say it (RFC 6066 §3)."""
    from OpenSSL._util import lib

    param = lib.SSL_get0_param(cast(Any, connection)._ssl)  # noqa: SLF001
    try:
        address = ipaddress.ip_address(host).packed
    except ValueError:
        name = host.encode("idna")
        lib.X509_VERIFY_PARAM_set_hostflags(param, _NO_PARTIAL_WILDCARDS)
        is_set = lib.X509_VERIFY_PARAM_set1_host(param, name, len(name))
        connection.set_tlsext_host_name(name)
    else:
        is_set = lib.X509_VERIFY_PARAM_set1_ip(param, address, len(address))
    assert is_set == 1, "OpenSSL takes every name and address"
