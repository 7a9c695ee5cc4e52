"""Certificates of our CA under OpenSSL's eyes, and handshakes in memory."""

import shutil
import ssl
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from typer.testing import CliRunner

from backend.identity.broker import certify_broker
from backend.identity.ca import CertificateAuthority, Holder
from backend.identity.founding import found
from protocol.crypto import generate, seal
from protocol.crypto.tls_keys import TlsKey, pem_chain
from protocol.errors import CallerError
from protocol.identity import FILE_NAMES, Facts, Identity, pack_identity, read_identity
from protocol.tls import (
    Peer,
    host_names,
    joining_context,
    peer_of,
    require_peer,
    server_context,
)
from tests.kit.foreign_tls import client_context
from tillway.enroll import _now_ms
from tillway.enroll import app as enroll_app
from tillway.private_files import write_files
from transport.contexts import ClientTls, ServerTls
from transport.machine import TlsError, TlsMachine

NOW_MS = _now_ms()
PASSPHRASE = b"a passphrase for tests"
CA = CertificateAuthority.create("Test CA", now_ms=NOW_MS)
OTHER_CA = CertificateAuthority.create("Test CA", now_ms=NOW_MS)


def identity(
    directory: Path,
    kind: str,
    name: str,
    *,
    names: tuple[str, ...] = (),
    ca: CertificateAuthority = CA,
    now_ms: int = NOW_MS,
) -> Identity:
    key, tls_key = generate("Ed25519"), TlsKey()
    certificate = ca.issue(tls_key.request(), Holder(kind, name, names), now_ms=now_ms)
    files = pack_identity(
        Facts(name, kind, "s-1", (key.public,)),
        signing_key=seal(key, PASSPHRASE),
        tls_key=tls_key.seal(PASSPHRASE),
        chain=(certificate, ca.certificate_der),
    )
    write_files(directory, files)
    return read_identity(files, PASSPHRASE, directory)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    directory = tmp_path_factory.mktemp("backend")
    return identity(directory, "backend", "backend", names=("127.0.0.1", "localhost"))


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return identity(tmp_path_factory.mktemp("terminal"), "terminal", "t-1")


def shake(
    server: ServerTls, client: ClientTls, host: str = "127.0.0.1"
) -> tuple[TlsMachine, TlsMachine]:
    """A handshake of two ends of ours; both, having exchanged a byte."""
    far, near = server.machine(), client.machine(host)
    near.start()
    for _ in range(3):
        far.receive(near.outgoing())
        near.receive(far.outgoing())
    far.send(b"!")
    assert near.receive(far.outgoing()) == b"!"
    return far, near


def shake_foreign(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> ssl.SSLObject:
    """A handshake of Python's own TLS; the client's end."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=host)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    greet(near.do_handshake, far.do_handshake)
    return near


def shake_with(server: ServerTls, client: ssl.SSLContext) -> tuple[TlsMachine, ssl.SSLObject]:
    """A handshake of our server with a client on Python's own TLS."""
    to_client, from_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near, far = (
        client.wrap_bio(to_client, from_client, server_hostname="127.0.0.1"),
        server.machine(),
    )

    def answer() -> None:
        try:
            far.receive(from_client.read())
        finally:
            to_client.write(far.outgoing())

    greet(near.do_handshake, answer)
    assert far.is_open
    return far, near


def greet(*ends: Callable[[], None]) -> None:
    for _ in range(4):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end()


def test_both_sides_meet_over_tls_1_3_and_know_each_other(
    backend: Identity, terminal: Identity
) -> None:
    far, near = shake(ServerTls(backend.tls), ClientTls(terminal.tls))
    assert far.agreed == near.agreed == ("TLS_AES_128_GCM_SHA256", "X25519MLKEM768")
    assert peer_of(far.peer.getpeercert()) == Peer("terminal", "t-1")
    assert require_peer(near.peer.getpeercert(), "backend").name == "backend"
    assert host_names(near.peer.getpeercert()) == ("localhost", "127.0.0.1")


def test_a_client_on_an_older_openssl_meets_us_over_the_classical_half(
    backend: Identity, terminal: Identity
) -> None:
    far, near = shake_with(ServerTls(backend.tls), client_context(terminal.tls))
    assert near.version() == "TLSv1.3"
    assert far.agreed[1] in {"x25519", "X25519", "X25519MLKEM768"}
    assert peer_of(far.peer.getpeercert()) == Peer("terminal", "t-1")


def test_a_terminal_does_not_pass_for_the_backend(
    backend: Identity, terminal: Identity, tmp_path: Path
) -> None:
    hub = identity(tmp_path, "hub", "h-1", names=("127.0.0.1",))
    _, near = shake(ServerTls(hub.tls), ClientTls(terminal.tls))
    with pytest.raises(CallerError, match="a hub, not a backend"):
        require_peer(near.peer.getpeercert(), "backend")
    with pytest.raises(TlsError):  # no server may show a certificate without that usage
        shake(ServerTls(terminal.tls), ClientTls(backend.tls))


def test_a_backend_s_certificate_is_no_client_s(backend: Identity) -> None:
    with pytest.raises(TlsError, match="certificate verify failed"):
        shake(ServerTls(backend.tls), ClientTls(backend.tls))


def test_a_client_without_a_certificate_is_refused_where_one_is_required(backend: Identity) -> None:
    with pytest.raises(TlsError, match="did not return a certificate"):
        shake_with(ServerTls(backend.tls), joining_context(backend.tls.ca_pem))


def test_a_joining_machine_reaches_the_public_port_as_nobody(backend: Identity) -> None:
    client = joining_context(backend.tls.ca_pem)
    near = shake_foreign(server_context(backend.tls), client, "127.0.0.1")
    assert require_peer(near.getpeercert(), "backend").name == "backend"


def test_a_certificate_of_another_ca_is_refused_by_either_side(
    backend: Identity, terminal: Identity, tmp_path: Path
) -> None:
    stranger = identity(tmp_path / "t", "terminal", "t-1", ca=OTHER_CA)
    impostor = identity(tmp_path / "b", "backend", "backend", names=("127.0.0.1",), ca=OTHER_CA)
    with pytest.raises(TlsError):
        shake(ServerTls(backend.tls), ClientTls(stranger.tls))
    with pytest.raises(TlsError, match="certificate verify failed"):
        shake(ServerTls(impostor.tls), ClientTls(terminal.tls))
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.load_verify_locations(cadata=OTHER_CA.certificate_pem.decode())
    trusting.load_cert_chain(stranger.tls.chain, stranger.tls.key, password=PASSPHRASE)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    with pytest.raises(TlsError):  # the client trusts anybody; our server still does not
        shake_with(ServerTls(backend.tls), trusting)


def test_the_host_name_is_checked(backend: Identity, terminal: Identity) -> None:
    shake(ServerTls(backend.tls), ClientTls(terminal.tls), "localhost")
    for host in ("127.0.0.2", "::1", "example.com", "host.localhost", "local"):
        with pytest.raises(TlsError, match="certificate verify failed"):
            shake(ServerTls(backend.tls), ClientTls(terminal.tls), host)


def test_tls_1_2_is_refused(backend: Identity, terminal: Identity) -> None:
    old = client_context(terminal.tls)
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(TlsError, match="unsupported protocol"):
        shake_with(ServerTls(backend.tls), old)


def test_an_expired_certificate_is_refused(backend: Identity, tmp_path: Path) -> None:
    years_ago = NOW_MS - 3 * 365 * 86_400_000
    old_ca = CertificateAuthority.create("Test CA", now_ms=years_ago)
    server = identity(tmp_path / "b", "backend", "backend", names=("127.0.0.1",), ca=old_ca)
    late = identity(tmp_path / "t", "terminal", "t-1", ca=old_ca, now_ms=years_ago)
    with pytest.raises(TlsError):
        shake(ServerTls(server.tls), ClientTls(late.tls))
    fresh = identity(tmp_path / "f", "terminal", "t-1", ca=old_ca)
    shake(ServerTls(server.tls), ClientTls(fresh.tls))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
@pytest.mark.parametrize(
    ("kind", "purpose", "is_good"),
    [
        ("terminal", "sslclient", True),
        ("terminal", "sslserver", False),
        ("hub", "sslclient", True),
        ("hub", "sslserver", True),
        ("backend", "sslserver", True),
        ("backend", "sslclient", False),
    ],
)
def test_openssl_accepts_a_chain_for_its_purpose_only(
    tmp_path: Path, kind: str, purpose: str, is_good: bool
) -> None:
    made = identity(tmp_path, kind, "n-1", names=() if kind == "terminal" else ("localhost",))
    checked = subprocess.run(
        [
            *("openssl", "verify", "-x509_strict", "-purpose", purpose),
            *("-CAfile", str(tmp_path / "ca.crt"), str(made.tls.chain)),
        ],
        check=False,
        capture_output=True,
    )
    assert (checked.returncode == 0) is is_good, checked.stderr


def test_a_founded_installation_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    files = found(
        name="Shop",
        host_names=("localhost",),
        suite="SM2-SM3",
        passphrase=PASSPHRASE,
        now_ms=NOW_MS,
    )
    assert not any(b"BEGIN PRIVATE KEY" in content for content in files.values())
    ca = CertificateAuthority.load(files["ca/ca.crt"], files["ca/ca.key"], PASSPHRASE)
    write_files(tmp_path, files)
    own = {name: files[f"identity/{name}"] for name in FILE_NAMES}
    backend = read_identity(own, PASSPHRASE, tmp_path / "identity")
    assert backend.backend_key(backend.signing_key.kid) == backend.signing_key.public
    assert ca.holder_of(x509_der(backend)) == Holder("backend", "backend", ("localhost",))
    assert (tmp_path / "ca/ca.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(CallerError, match="key_unsealable"):
        CertificateAuthority.load(files["ca/ca.crt"], files["ca/ca.key"], b"another one")
    with pytest.raises(CallerError, match="key_unsealable"):
        read_identity(own, b"another one", tmp_path / "identity")
    with pytest.raises(CallerError, match="differ"):
        CertificateAuthority.load(CA.certificate_pem, files["ca/ca.key"], PASSPHRASE)


def x509_der(of: Identity) -> bytes:
    return x509.load_pem_x509_certificate(of.tls.chain.read_bytes()).public_bytes(Encoding.DER)


def test_a_damaged_identity_directory_is_a_wrong_configuration(tmp_path: Path) -> None:
    good = dict.fromkeys(FILE_NAMES, b"")
    for files in ({}, good, {**good, "identity.cbor": b"\xa1\x01\x02"}):
        with pytest.raises(CallerError, match="config_invalid"):
            read_identity(files, PASSPHRASE, tmp_path)


def test_tls_files_that_do_not_open_are_a_wrong_configuration(terminal: Identity) -> None:
    from dataclasses import replace

    for wrong in (
        replace(terminal.tls, passphrase=b"another one"),
        replace(terminal.tls, ca_pem="nonsense"),
        replace(terminal.tls, chain=Path("nowhere")),
    ):
        with pytest.raises(CallerError, match="config_invalid"):
            ClientTls(wrong)
    assert "a passphrase" not in repr(terminal.tls)


@pytest.mark.parametrize(
    ("names", "common_name"),
    [
        ((), "t-1"),
        ((("URI", "tillway:terminal:t-1"),), None),
        ((("URI", "tillway:terminal:t-1"),), "t-2"),
        ((("DNS", "tillway:terminal:t-1"),), "t-1"),
        ((("URI", "other:terminal:t-1"),), "t-1"),
        ((("URI", "tillway:terminal"),), "t-1"),
    ],
)
def test_a_certificate_that_does_not_say_who_is_nobody_s(
    names: tuple[tuple[str, str], ...], common_name: str | None
) -> None:
    subject = ((("commonName", common_name),),) if common_name else ()
    for certificate in ({"subjectAltName": names, "subject": subject}, {}, None):
        with pytest.raises(CallerError, match="identity_mismatch"):
            peer_of(certificate)


def test_a_chain_that_is_no_certificate_is_malformed() -> None:
    with pytest.raises(CallerError, match="envelope_malformed"):
        pem_chain((b"nonsense",))


def test_a_certificate_or_request_of_a_version_that_there_is_not_is_refused() -> None:
    """``cryptography`` has an error of its own for it."""
    later = CA.certificate_der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09", 1)
    with pytest.raises(CallerError, match="envelope_malformed"):
        pem_chain((later,))
    with pytest.raises(CallerError, match="identity_mismatch"):
        CA.holder_of(later)
    request = TlsKey().request().replace(b"\x02\x01\x00", b"\x02\x01\x09", 1)
    with pytest.raises(CallerError, match="field_invalid"):
        CA.issue(request, Holder("terminal", "t-1"), now_ms=NOW_MS)


def test_a_broker_gets_a_servers_certificate_for_the_key_that_openssl_made(
    tmp_path: Path,
) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    state, key, csr, out = (tmp_path / name for name in ("state", "b.key", "b.csr", "b.pem"))
    files = found(
        name="Shop", host_names=("localhost",), suite="Ed25519", passphrase=PASSPHRASE,
        now_ms=NOW_MS,
    )  # fmt: skip
    write_files(state, {**files, "passphrase": PASSPHRASE})
    subprocess.run(
        [openssl, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", "/CN=backend", "-keyout", key, "-out", csr],
        check=True, capture_output=True,
    )  # fmt: skip
    arguments = ["broker", "--state", state, "--csr", csr, "--out", out, "--host", "broker.shop"]
    done = CliRunner().invoke(enroll_app, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    certificate = x509.load_pem_x509_certificate(out.read_bytes())
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(out, key)
    client = joining_context(files["ca/ca.crt"].decode())
    shown = shake_foreign(server, client, "broker.shop").getpeercert()
    assert peer_of(shown) == Peer("broker", "broker"), "not the name that it asked for"


def test_a_broker_needs_a_host_name_and_a_request() -> None:
    for csr, hosts in ((b"no request", ("broker.shop",)), (b"", ())):
        with pytest.raises(CallerError, match="field_invalid"):
            certify_broker(CA, csr, name="broker", host_names=hosts, now_ms=NOW_MS)
