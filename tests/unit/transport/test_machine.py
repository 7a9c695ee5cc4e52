"""TLS over bytes: any cut of the stream, what the wire shows, and what a broken peer gets."""

import shutil
import ssl
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL
from OpenSSL._util import lib

from backend.identity.ca import Holder
from protocol.errors import CallerError
from protocol.identity import SmTls, TlsFiles
from protocol.tls import Peer, peer_of
from tests.kit.foreign_tls import client_context
from tests.kit.tls_ends import HOST, Ends
from tests.kit.tls_updates import Updater
from tests.kit.tls_wire import (
    CURVE_SM2_MLKEM768,
    TLS_1_3,
    TLS_AES_128_GCM_SHA256,
    TLS_SM4_GCM_SM3,
    X25519_MLKEM768,
    Agreed,
    agreed,
)
from transport import contexts, limits
from transport.contexts import ClientTls, ServerTls
from transport.machine import TlsError, TlsMachine

SHOWN = {
    "p256": Agreed(TLS_1_3, TLS_AES_128_GCM_SHA256, X25519_MLKEM768),
    "sm": Agreed(TLS_1_3, TLS_SM4_GCM_SM3, CURVE_SM2_MLKEM768),
}


@pytest.fixture(scope="module", params=SHOWN)
def ends(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ends:
    return Ends(tmp_path_factory.mktemp("tls"), request.param)


def open_both(ends: Ends) -> tuple[TlsMachine, TlsMachine]:
    far, near = ends.machines()
    for _ in range(3):
        far.receive(near.outgoing())
        near.receive(far.outgoing())
    assert far.is_open
    assert near.is_open
    return far, near


def test_the_wire_shows_tls_1_3_the_suite_and_the_hybrid_group(ends: Ends) -> None:
    far, near = ends.machines()
    far.receive(near.outgoing())
    wire = far.outgoing()
    assert agreed(wire) == SHOWN[ends.profile]
    assert b"hub-1" not in wire, "TLS 1.3 hides the certificates"


def test_each_end_knows_the_other(ends: Ends) -> None:
    far, near = open_both(ends)
    assert peer_of(far.peer.getpeercert()) == Peer("terminal", "till-1")
    assert peer_of(near.peer.getpeercert()) == Peer("hub", "hub-1")


def test_another_name_another_root_or_another_usage_is_refused(ends: Ends, tmp_path: Path) -> None:
    strangers = Ends(tmp_path, ends.profile)
    asking = ClientTls(ends.hub)
    for server, client, host in (
        (ends.server, ends.client, "elsewhere.example"),
        (ends.server, strangers.client, HOST),
        (strangers.server, ends.client, HOST),
        (ServerTls(ends.till), asking, HOST),
    ):
        far, near = server.machine(), client.machine(host)
        near.start()
        with pytest.raises(TlsError):
            exchange(far, near)
        assert not (far.is_open and near.is_open)


def test_a_refusal_says_what_is_wrong_with_the_certificate(ends: Ends, tmp_path: Path) -> None:
    strangers = Ends(tmp_path, ends.profile)
    old = Holder("hub", "hub-old", (HOST,))
    for server, host, said in (
        (ends.server, "127.0.0.2", "IP address mismatch"),
        (ends.server, "elsewhere.example", "hostname mismatch"),
        (strangers.server, HOST, "self-signed certificate in certificate chain"),
        (ServerTls(ends.issue(old, age_days=400)), HOST, "certificate has expired"),
    ):
        far, near = server.machine(), ends.client.machine(host)
        near.start()
        with pytest.raises(TlsError, match=f"^certificate verify failed: {said}$"):
            exchange(far, near)


def exchange(far: TlsMachine, near: TlsMachine) -> None:
    for _ in range(3):
        far.receive(near.outgoing())
        near.receive(far.outgoing())


def test_the_profiles_never_meet(tmp_path: Path) -> None:
    old, new = Ends(tmp_path), Ends(tmp_path, "sm")
    for server, client in ((old.server, new.client), (new.server, old.client)):
        far, near = server.machine(), client.machine(HOST)
        near.start()
        with pytest.raises(TlsError):
            exchange(far, near)
        assert not far.is_open


def test_a_client_on_the_system_s_openssl_is_refused_by_the_sm_profile(tmp_path: Path) -> None:
    old, new = Ends(tmp_path), Ends(tmp_path, "sm")
    context = client_context(cast(TlsFiles, old.till))
    to_client, from_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = context.wrap_bio(to_client, from_client, server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    with pytest.raises(TlsError, match="no shared cipher"):
        new.server.machine().receive(from_client.read())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
def test_another_openssl_takes_the_sm2_certificates_for_what_they_are(tmp_path: Path) -> None:
    ends = Ends(tmp_path, "sm")
    keys = cast(SmTls, ends.hub)
    (tmp_path / "ca.pem").write_text(keys.ca_pem)
    (tmp_path / "leaf.pem").write_bytes(keys.chain_pem)
    said = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-vfyopt", "distid:1234567812345678", "-purpose",
         "sslserver", "-CAfile", tmp_path / "ca.pem", "-verify_hostname", "localhost",
         tmp_path / "leaf.pem"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    shown = subprocess.run(
        ["openssl", "x509", "-in", tmp_path / "leaf.pem", "-noout", "-text"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for word in ("SM2-with-SM3", "ASN1 OID: SM2", "URI:tillway:hub:hub-1", "IP Address:127.0.0.1"):
        assert word in shown


@given(st.lists(st.integers(1, 700), max_size=20), st.binary(min_size=1, max_size=40_000))
def test_any_cut_of_the_stream_gives_the_same_words(
    ends: Ends, cuts: list[int], words: bytes
) -> None:
    far, near = ends.machines()
    said = b""
    for source, target in ((near, far), (far, near), (near, far)):
        stream = source.outgoing()
        for size in [*cuts, len(stream)]:
            said += target.receive(stream[:size])
            stream = stream[size:]
    near.send(words)
    stream = near.outgoing()
    while stream:
        size = cuts.pop() if cuts else len(stream)
        said += far.receive(stream[:size])
        stream = stream[size:]
    assert said == words


def test_a_goodbye_is_told_from_a_cut(ends: Ends) -> None:
    far, near = open_both(ends)
    near.send(b"last words")
    near.end()
    assert far.receive(near.outgoing()) == b"last words"
    assert far.is_ended
    assert far.receive(b"more") == b""


@pytest.mark.parametrize("at", [0, 3, 5, 20, -1])
def test_a_flipped_bit_ends_everything(ends: Ends, at: int) -> None:
    far, near = open_both(ends)
    near.send(b"amount 1.00")
    wire = bytearray(near.outgoing())
    wire[at] ^= 1
    with pytest.raises(TlsError):
        far.receive(bytes(wire) + bytes(300))
    assert far.outgoing(), "an alert says why"


@pytest.mark.parametrize("words", [b"GET / HTTP/1.1\r\n\r\n", bytes(100), b"\x16\x03\x01\xff\xff"])
def test_who_does_not_speak_tls_is_told_so_or_waited_for(ends: Ends, words: bytes) -> None:
    far = ends.server.machine()
    try:
        assert far.receive(words) == b""
    except TlsError:
        return
    assert not far.is_open


@given(st.lists(st.binary(max_size=600), max_size=8))
def test_arbitrary_bytes_never_open_a_line_nor_crash_it(ends: Ends, chunks: list[bytes]) -> None:
    far, near = ends.machines()
    for machine in (far, near):
        with suppress(TlsError):
            for chunk in chunks:
                assert machine.receive(chunk) == b""
        assert not machine.is_open


def test_a_greeting_without_end_is_cut_off(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transport.machine.GREETING_BYTES_MAX", 1_000)
    far, near = ends.machines()
    hello = near.outgoing()
    assert far.receive(hello[:600]) == b""
    with pytest.raises(TlsError, match="without end"):
        far.receive(hello[600:1200])
    assert 10 * len(hello) < limits.GREETING_BYTES_MAX


def a_client_that_updates(tmp_path: Path) -> tuple[TlsMachine, Updater]:
    ends, keylog = Ends(tmp_path), list[bytes]()
    ends.client._context.set_keylog_callback(lambda _, line: keylog.append(line))
    far, _ = open_both(ends)
    return far, Updater(keylog)


def test_new_keys_are_given_to_who_asks_now_and_then(tmp_path: Path) -> None:
    far, client = a_client_that_updates(tmp_path)
    assert far.receive(client.requests(2)) == b""
    answer = len(far.outgoing())  # the last one's goes out with the next words
    assert answer > 0
    assert far.receive(client.requests(100) + client.words(b"still here")) == b"still here"
    assert len(far.outgoing()) == 100 * answer


def test_who_asks_for_new_keys_without_end_and_never_reads_is_cut_off(tmp_path: Path) -> None:
    far, client = a_client_that_updates(tmp_path)
    for _ in range(limits.ANSWERS_BYTES_MAX // 4_096):
        far.receive(client.requests(100))
    with pytest.raises(TlsError, match="key updates without end"):
        far.receive(client.requests(limits.ANSWERS_BYTES_MAX // 20))
    assert len(far.outgoing()) <= limits.ANSWERS_BYTES_MAX


def test_openssl_is_asked_for_words_only_where_it_may_have_some(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    far, near = open_both(ends)
    near.receive(far.outgoing())
    asked, ask = list[int](), SSL.Connection.bio_read

    def counted(connection: SSL.Connection, size: int) -> bytes:
        asked.append(size)
        return ask(connection, size)

    monkeypatch.setattr(SSL.Connection, "bio_read", counted)
    near.send(b"amount 1.00")
    said = near.outgoing()
    assert said
    assert near.outgoing() == b""
    assert len(asked) == 1, "what is said is fetched once"
    assert far.receive(said) == b"amount 1.00"
    assert far.outgoing() == b""
    assert len(asked) == 2, "reading may bring an answer: asked once, and not again"


def test_a_session_is_not_resumed(ends: Ends) -> None:
    _, near = open_both(ends)
    session = near._connection.get_session()
    far, again = ends.server.machine(), ends.client.machine(HOST)
    if session is not None:
        again._connection.set_session(session)
    again.start()
    for _ in range(3):
        far.receive(again.outgoing())
        again.receive(far.outgoing())
    assert lib.SSL_session_reused(far._connection._ssl) == 0
    assert far.is_open


@pytest.mark.parametrize("field", ["suites", "groups", "signatures"])
def test_what_openssl_does_not_have_is_refused_and_named(
    ends: Ends, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    name = ends.profile.upper()
    whole = getattr(contexts, name)
    lacking = replace(whole, **{field: ("TLS_OF_TOMORROW",)})
    assert contexts.has(whole)
    assert not contexts.has(lacking)
    monkeypatch.setattr(contexts, name, lacking)
    said = rf"tls_profile {ends.profile}: OpenSSL .* TLS_OF_TOMORROW"
    for make in (contexts.ServerTls, contexts.ClientTls):
        with pytest.raises(CallerError, match=said):
            make(ends.hub)
