"""TLS over bytes: any cut of the stream, what the wire shows, and what a broken peer gets."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL._util import lib

from protocol.errors import CallerError
from tests.kit.tls_ends import HOST, Ends
from tests.kit.tls_wire import TLS_1_3, TLS_AES_128_GCM_SHA256, X25519_MLKEM768, Agreed, agreed
from transport import contexts, limits
from transport.machine import TlsError, TlsMachine


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Ends:
    return Ends(tmp_path_factory.mktemp("tls"))


def open_both(ends: Ends) -> tuple[TlsMachine, TlsMachine]:
    far, near = ends.machines()
    for _ in range(3):
        far.receive(near.outgoing())
        near.receive(far.outgoing())
    assert far.is_open
    assert near.is_open
    return far, near


def test_the_wire_shows_tls_1_3_and_the_hybrid_group(ends: Ends) -> None:
    far, near = ends.machines()
    far.receive(near.outgoing())
    wire = far.outgoing()
    assert agreed(wire) == Agreed(TLS_1_3, TLS_AES_128_GCM_SHA256, X25519_MLKEM768)
    assert b"hub-1" not in wire, "TLS 1.3 hides the certificates"


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


def test_a_greeting_without_end_is_cut_off(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transport.machine.GREETING_BYTES_MAX", 1_000)
    far, near = ends.machines()
    hello = near.outgoing()
    assert far.receive(hello[:600]) == b""
    with pytest.raises(TlsError, match="without end"):
        far.receive(hello[600:1200])
    assert 10 * len(hello) < limits.GREETING_BYTES_MAX


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
    lacking = replace(contexts.P256, **{field: ("TLS_OF_TOMORROW",)})  # type: ignore[arg-type]
    monkeypatch.setattr(contexts, "P256", lacking)
    for make in (contexts.ServerTls, contexts.ClientTls):
        with pytest.raises(CallerError, match=r"tls_profile p256: OpenSSL .* TLS_OF_TOMORROW"):
            make(ends.hub)
