"""TLS as a machine over bytes: bytes of the line in, bytes to send and plaintext out. No socket.

Rule 1: what :meth:`TlsMachine.receive` takes it turns into plaintext at once and gives back whole;
        it keeps no more than an unfinished record. What it answers by itself is bounded.
Rule 2: after ``TlsError`` the machine has at most an alert to send.
"""

from typing import Any, cast

from cryptography import x509
from OpenSSL import SSL

from transport.limits import ANSWERS_BYTES_MAX, GREETING_BYTES_MAX, RECORD_BYTES_MAX

_OUTGOING_BYTES = 64 * 1024
_NOT_VERIFIED = "certificate verify failed"


class TlsError(ConnectionError):
    """The peer broke the protocol, or showed what we do not accept. The text says what."""


class PeerCertificate:
    """A verified peer's certificate, asked for as :class:`ssl.SSLObject` is asked."""

    __slots__ = ("_certificate",)

    def __init__(self, certificate: x509.Certificate | None) -> None:
        self._certificate = certificate

    def getpeercert(self) -> dict[str, Any] | None:
        """Subject and alternative names, in the shape of :meth:`ssl.SSLObject.getpeercert`."""
        if self._certificate is None:
            return None
        common = self._certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return {
            "subject": tuple((("commonName", str(name.value)),) for name in common),
            "subjectAltName": tuple(_alternatives(self._certificate)),
        }


class TlsMachine:
    """One end of one connection."""

    __slots__ = (
        "_answers_bytes", "_connection", "_greeting_bytes", "_has_spoken", "_waiting",
        "is_ended", "is_open",
    )  # fmt: skip

    def __init__(self, connection: SSL.Connection) -> None:
        """``connection`` has no socket, and knows which end it is."""
        self._connection = connection
        self._greeting_bytes = 0
        self._answers_bytes = 0
        self._has_spoken = False
        """Whether OpenSSL may have words for the peer: to ask it in vain costs an exception."""
        self._waiting = b""
        self.is_open = False
        """Whether the handshake is done and the peer is whom we accept."""
        self.is_ended = False
        """Whether the peer has said that it sends no more (close_notify)."""

    def start(self) -> None:
        """Begin the handshake; a client then has bytes to send."""
        self._has_spoken = True
        self._greet()

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the line; the plaintext that they complete. ``TlsError`` ends the
        machine."""
        if self.is_ended or not data:
            return b""
        self._waiting += self._encrypted()
        self._connection.bio_write(data)
        self._has_spoken = True
        was_open = self.is_open
        if not was_open and not self._is_greeted(len(data)):
            return b""
        plain = self._read()
        if was_open:
            self._waiting += self._answers()
        return plain

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt plaintext; ``outgoing`` then has the bytes. Only while the machine is open."""
        self._has_spoken = True
        try:
            self._connection.sendall(data)
        except SSL.Error as error:
            raise _broken(self._connection, error) from None

    def end(self) -> None:
        """Say that nothing more will come (close_notify)."""
        if not self.is_open:
            return
        self._has_spoken = True
        try:
            self._connection.shutdown()
        except SSL.Error:
            return  # It is broken already, and has nothing to say.

    def outgoing(self) -> bytes:
        """What must be sent now, once."""
        encrypted = self._encrypted()
        if not self._waiting:
            return encrypted
        waiting, self._waiting = self._waiting, b""
        return waiting + encrypted

    @property
    def peer(self) -> PeerCertificate:
        """The certificate that the peer proved."""
        return PeerCertificate(self._connection.get_peer_certificate(as_cryptography=True))

    @property
    def agreed(self) -> tuple[str, str]:
        """The cipher suite and the group that both agreed on."""
        connection = self._connection
        return connection.get_cipher_name() or "", connection.get_group_name() or ""

    def _is_greeted(self, more_bytes: int) -> bool:
        self._greeting_bytes += more_bytes
        self._greet()
        if not self.is_open and self._greeting_bytes > GREETING_BYTES_MAX:
            raise TlsError("a greeting without end")
        return self.is_open

    def _answers(self) -> bytes:
        """What OpenSSL says to what was read; ``TlsError`` where that has no end."""
        answers = self._encrypted()
        self._answers_bytes += len(answers)
        if self._answers_bytes > ANSWERS_BYTES_MAX:
            raise TlsError("key updates without end")
        return answers

    def _greet(self) -> None:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error as error:
            raise _broken(self._connection, error) from None
        self.is_open = True

    def _encrypted(self) -> bytes:
        if not self._has_spoken:
            return b""
        self._has_spoken = False
        parts = []
        try:
            while True:
                part = self._connection.bio_read(_OUTGOING_BYTES)
                parts.append(part)
                if len(part) < _OUTGOING_BYTES:
                    break
        except SSL.WantReadError:
            pass
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _read(self) -> bytes:
        parts = []
        try:
            while True:
                parts.append(self._connection.recv(RECORD_BYTES_MAX))
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.is_ended = True
        except SSL.Error as error:
            raise _broken(self._connection, error) from None
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _broken(connection: SSL.Connection, error: SSL.Error) -> TlsError:
    """OpenSSL's last words for it, which are the nearest to the cause; for a certificate that does
    not hold also what is wrong with it."""
    reasons = [reason for _, _, reason in error.args[0]] if error.args else []
    text = reasons[-1] if reasons else type(error).__name__
    if text == _NOT_VERIFIED:
        text = f"{text}: {_objection(connection)}"
    return TlsError(text)


def _objection(connection: SSL.Connection) -> str:
    """What OpenSSL found in the peer's certificate. pyOpenSSL has no name yet for these calls."""
    from OpenSSL._util import ffi, lib

    found = lib.SSL_get_verify_result(cast(Any, connection)._ssl)  # noqa: SLF001
    return str(ffi.string(lib.X509_verify_cert_error_string(found)).decode("ascii", "replace"))


def _alternatives(certificate: x509.Certificate) -> list[tuple[str, str]]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    uris = found.get_values_for_type(x509.UniformResourceIdentifier)
    hosts = found.get_values_for_type(x509.DNSName)
    addresses = found.get_values_for_type(x509.IPAddress)
    return [
        *(("URI", uri) for uri in uris),
        *(("DNS", host) for host in hosts),
        *(("IP Address", str(address)) for address in addresses),
    ]
