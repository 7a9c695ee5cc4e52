"""SM2 certificates beside the P-256 ones: by joining, by renewal, and in an older installation."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.identity.ca import Holder
from backend.identity.sm_authority import SmAuthority
from protocol.crypto import generate, sm2_x509
from protocol.crypto.tls_keys import TlsKey
from protocol.errors import CallerError
from protocol.identity import ALL_FILE_NAMES, SM_FILE_NAMES, Identity, read_identity
from protocol.messages.enrolment import JoinRequest, RotateRequest
from protocol.tls import Peer, peer_of
from tests.kit.enrolment_desk import PASSPHRASE, SUITE, Desk
from tillway import enroll
from tillway import join as joining
from tillway.private_files import read_files
from transport.contexts import ClientTls, ServerTls

NOW_MS = enroll._now_ms()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "desk")
    yield made
    made.close()


def enrol(desk: Desk, state: Path, **grant: object) -> Identity:
    code = desk.code(**grant)
    return joining.join(state, url=desk.url, code=code, suite=SUITE, passphrase=PASSPHRASE)


def names_met(server: Identity, client: Identity) -> tuple[Peer, Peer]:
    """Whom two machines see that speak the profile ``sm``: the server's peer, the client's."""
    far = ServerTls(server.tls_of("sm")).machine()
    near = ClientTls(client.tls_of("sm")).machine("127.0.0.1")
    near.start()
    for _ in range(3):
        far.receive(near.outgoing())
        near.receive(far.outgoing())
    assert far.is_open
    return peer_of(far.peer.getpeercert()), peer_of(near.peer.getpeercert())


def test_a_machine_joins_with_both_certificates_and_renews_both(desk: Desk, tmp_path: Path) -> None:
    state = tmp_path / "t"
    joined = enrol(desk, state)
    met = (Peer("terminal", "t-1"), Peer("backend", "backend"))
    assert names_met(desk.identity, joined) == met
    before = read_files(state / "identity", SM_FILE_NAMES)
    assert all(b"BEGIN PRIVATE KEY" not in content for content in before.values())
    renewed = joining.rotate(state, suite=SUITE, passphrase=PASSPHRASE, now_ms=enroll._now_ms)
    after = read_files(state / "identity", SM_FILE_NAMES)
    assert [name for name in SM_FILE_NAMES if before[name] != after[name]] == ["sm.key", "sm.crt"]
    assert names_met(desk.identity, renewed) == met
    assert not (state / "identity" / "sm-request.csr").exists()
    assert PASSPHRASE.decode() not in repr(renewed.sm)


def test_a_hub_s_sm2_certificate_is_for_its_host_names(desk: Desk, tmp_path: Path) -> None:
    hub = enrol(desk, tmp_path / "h", tid="h-1", kind="hub", names=("127.0.0.1",))
    till = enrol(desk, tmp_path / "t")
    assert names_met(hub, till) == (Peer("terminal", "t-1"), Peer("hub", "h-1"))


def test_an_older_installation_is_told_what_to_do_and_then_has_both(
    desk: Desk, tmp_path: Path
) -> None:
    state = tmp_path / "t"
    sm_ca, desk.service = desk.service.sm_ca, replace(desk.service, sm_ca=None)
    old = enrol(desk, state)
    with pytest.raises(CallerError, match="tls_profile sm: t-1 has no SM2 certificate; 'tillway"):
        old.tls_of("sm")
    assert old.tls_of("p256") is old.tls
    desk.service = replace(desk.service, sm_ca=sm_ca)
    new = joining.rotate(state, suite=SUITE, passphrase=PASSPHRASE, now_ms=enroll._now_ms)
    assert names_met(desk.identity, new)[0] == Peer("terminal", "t-1")


def test_the_command_adds_an_sm2_ca_to_an_installation_once(tmp_path: Path) -> None:
    state = tmp_path / "backend"
    (tmp_path / "p").write_bytes(PASSPHRASE)
    (tmp_path / "p").chmod(0o600)
    words = ["--state", str(state), "--host", "127.0.0.1", "--passphrase-file", str(tmp_path / "p")]
    assert CliRunner().invoke(enroll.app, ["sm", *words]).exit_code != 0
    assert CliRunner().invoke(enroll.app, ["init", *words, "--suite", SUITE]).exit_code == 0
    again = CliRunner().invoke(enroll.app, ["sm", *words])
    assert isinstance(again.exception, CallerError)
    for name in ("ca/sm-ca.crt", "ca/sm-ca.key", *(f"identity/{one}" for one in SM_FILE_NAMES)):
        (state / name).unlink()
    done = CliRunner().invoke(enroll.app, ["sm", *words])
    assert done.exit_code == 0, done.output
    directory = state / "identity"
    backend = read_identity(read_files(directory, ALL_FILE_NAMES), PASSPHRASE, directory)
    ServerTls(backend.tls_of("sm"))
    ca, key = ((state / "ca" / name).read_bytes() for name in ("sm-ca.crt", "sm-ca.key"))
    SmAuthority.load(ca, key, PASSPHRASE)
    with pytest.raises(CallerError, match="config_invalid"):
        SmAuthority.load(SmAuthority.create("x", now_ms=NOW_MS).certificate_pem, key, PASSPHRASE)


def test_an_sm2_request_is_part_of_what_the_machine_proves(desk: Desk) -> None:
    code, key, csr = desk.code(), generate(SUITE), TlsKey().request()
    asked = sm2_x509.request(generate("SM2-SM3"))
    other = sm2_x509.request(generate("SM2-SM3"))
    join = JoinRequest.signed(code, csr, key, sm_csr=asked)
    assert JoinRequest.from_bytes(join.to_bytes()) == join
    rotate = RotateRequest.signed(
        "t-1", at_ms=NOW_MS, csr=csr, key=key, certificate=b"c", sm_csr=asked
    )
    assert RotateRequest.from_bytes(rotate.to_bytes()) == rotate
    for request in (join, rotate):
        assert request.is_proven()
        for swapped in (other, b""):
            assert not replace(request, sm_csr=swapped).is_proven()


@pytest.mark.parametrize("csr", [b"nonsense", TlsKey().request()])
def test_a_request_that_is_none_of_sm2_gets_nothing(csr: bytes) -> None:
    ca = SmAuthority.create("x", now_ms=NOW_MS)
    with pytest.raises(CallerError, match="field_invalid"):
        ca.issue(csr, Holder("terminal", "t-1"), now_ms=NOW_MS)


@pytest.mark.parametrize("holder", [Holder("king", "t-1"), Holder("terminal", "t-1", ("a.b",))])
def test_a_holder_that_fits_no_profile_gets_nothing(holder: Holder) -> None:
    ca = SmAuthority.create("x", now_ms=NOW_MS)
    with pytest.raises(CallerError, match="field_invalid"):
        ca.issue(sm2_x509.request(generate("SM2-SM3")), holder, now_ms=NOW_MS)
