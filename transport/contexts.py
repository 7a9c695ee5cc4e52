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

from protocol.crypto import sm2_x509
from protocol.crypto.tls_keys import TlsKey
from protocol.errors import CallerError
from protocol.identity import SmTls, TlsFiles
from transport.machine import TlsMachine
from transport.profiles import P256, SM, Profile
from transport.sockets import TlsSocket

Keys = TlsFiles | SmTls
_X509_STRICT = 0x20
"""X509_V_FLAG_X509_STRICT: RFC 5280 to the letter."""
_NO_PARTIAL_WILDCARDS = 0x4
_SERVER_CHOOSES = SSL.OP_CIPHER_SERVER_PREFERENCE


class ServerTls:
    """For listening."""

    def __init__(self, keys: Keys) -> None:
        """The keys' kind is the profile. ``CallerError("config_invalid")`` for a certificate that
        is none, or an OpenSSL that lacks something."""
        self._context = _context(keys)
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

    def __init__(self, keys: Keys) -> None:
        """As :class:`ServerTls`."""
        self._context = _context(keys)
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


def has(profile: Profile) -> bool:
    """Whether the OpenSSL that we would use has all of a profile."""
    try:
        _agree_on(SSL.Context(SSL.TLS_METHOD), profile)
    except CallerError:
        return False
    return True


def _context(keys: Keys) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET)
    # A line that says nothing keeps no buffers: half of what a silent device costs.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    if isinstance(keys, SmTls):
        _agree_on(context, SM)
        _show_sm(context, keys)
    else:
        _agree_on(context, P256)
        _show_p256(context, keys)
    _believe(context, keys.ca_pem)
    return context


def _show_p256(context: SSL.Context, files: TlsFiles) -> None:
    try:
        key = TlsKey.unseal(files.key.read_bytes(), files.passphrase)
        context.use_certificate(x509.load_pem_x509_certificate(files.chain.read_bytes()))
        context.use_privatekey(key.private)
        context.check_privatekey()
    except (OSError, ValueError, SSL.Error, CallerError) as error:
        raise CallerError("config_invalid", f"TLS identity in {files.chain.parent}") from error


def _show_sm(context: SSL.Context, keys: SmTls) -> None:
    """``cryptography`` has no SM2 key, and pyOpenSSL takes no other for a context any more."""
    from OpenSSL._util import lib

    try:
        context.use_certificate(x509.load_pem_x509_certificate(keys.chain_pem))
        pem = sm2_x509.private_pem(keys.key()).encode("ascii")
        key = cast(Any, crypto.load_privatekey(crypto.FILETYPE_PEM, pem))
        lib.SSL_CTX_use_PrivateKey(cast(Any, context)._context, key._pkey)  # noqa: SLF001
        context.check_privatekey()
    except (ValueError, SSL.Error, crypto.Error, CallerError) as error:
        raise CallerError("config_invalid", "TLS identity: SM2 certificate and key") from error


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
