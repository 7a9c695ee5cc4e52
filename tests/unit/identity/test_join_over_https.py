"""``tillway enroll`` against a real HTTPS server on the loopback."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.identity.limits import LEAF_VALID_DAYS
from protocol.clock import DAY_MS
from protocol.enrolment_code import PrintedCode, read_code
from protocol.errors import CallerError, OperatingError
from protocol.introduction import Introduction, open_introduction
from tests.kit.enrolment_desk import PASSPHRASE, SUITE, Desk
from tillway import enroll
from tillway import join as joining
from tillway.demo.ports import lasting_port
from tillway.private_files import passphrase_in


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "desk")
    yield made
    made.close()


def enrol(desk: Desk, state: Path, code: PrintedCode, **changes: Any) -> Any:
    wishes = {"url": desk.url, "code": code, "suite": SUITE, "passphrase": PASSPHRASE, **changes}
    return joining.join(state, **wishes)


def test_a_machine_joins_and_its_directory_says_who_it_is(desk: Desk, tmp_path: Path) -> None:
    state = tmp_path / "t"
    identity = enrol(desk, state, desk.code(hub_urls=("mqtts://127.0.0.1:8883",)))
    assert (identity.name, identity.store, identity.facts.kind) == ("t-1", "s-1", "terminal")
    assert identity.facts.hub_urls == ("mqtts://127.0.0.1:8883",)
    assert identity.facts.backend_url == desk.url
    assert desk.registry.devices["t-1"].key == identity.signing_key.public
    for file in (state / "identity").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        assert b"BEGIN PRIVATE KEY" not in file.read_bytes()
    assert not (state / "identity/request.csr").exists()
    assert joining.read_directory(state / "identity", PASSPHRASE).facts == identity.facts


def test_a_machine_that_has_an_identity_keeps_it(desk: Desk, tmp_path: Path) -> None:
    enrol(desk, tmp_path / "t", desk.code())
    with pytest.raises(CallerError, match="identity_exists"):
        enrol(desk, tmp_path / "t", desk.code(tid="t-2"))


def test_a_lost_answer_is_asked_for_again_with_the_same_keys(desk: Desk, tmp_path: Path) -> None:
    code = desk.code()
    desk.drops_answers = 1
    with pytest.raises(OperatingError, match="server_unreachable"):
        enrol(desk, tmp_path / "t", code)
    registered = desk.registry.devices["t-1"].key
    assert enrol(desk, tmp_path / "t", code).signing_key.public == registered


def test_a_hub_keeps_the_backend_s_word_for_its_key(desk: Desk, tmp_path: Path) -> None:
    hub = enrol(desk, tmp_path / "h", desk.code(tid="h-1", kind="hub"))
    word = open_introduction(hub.facts.introduction, hub.facts.backend_keys[0])
    assert word == Introduction("h-1", "s-1", hub.public)
    assert enrol(desk, tmp_path / "t", desk.code()).facts.introduction == b""


def test_a_used_code_is_refused_over_the_wire_with_its_error(desk: Desk, tmp_path: Path) -> None:
    code = desk.code()
    enrol(desk, tmp_path / "t", code)
    with pytest.raises(CallerError, match="enrol_code_invalid"):
        enrol(desk, tmp_path / "u", code)
    assert not (tmp_path / "u/identity").exists()


def test_a_server_of_another_ca_never_hears_the_code(desk: Desk, tmp_path: Path) -> None:
    other = Desk(tmp_path / "other")
    try:
        with pytest.raises(CallerError, match="enrol_code_elsewhere"):
            enrol(desk, tmp_path / "t", desk.code(), url=other.url)
    finally:
        other.close()
    assert not (tmp_path / "t").exists()
    assert other.registry.codes == {}


def test_a_mistyped_code_is_told_as_that(desk: Desk, tmp_path: Path) -> None:
    right = desk.code().text()
    last = "0" if right[-1] != "0" else "1"
    first = "0" if right[0] != "0" else "1"
    for mistyped, code in (
        (right[:-1] + last, "enrol_code_elsewhere"),
        (first + right[1:], "enrol_code_invalid"),
        (right[:-1], "enrol_code_invalid"),
    ):
        with pytest.raises(CallerError, match=code):
            enrol(desk, tmp_path / "t", read_code(mistyped))
    enrol(desk, tmp_path / "t", read_code(right.lower().replace("0", "o")))


def test_a_server_that_shows_our_ca_without_its_key_never_hears_the_code(
    desk: Desk, tmp_path: Path
) -> None:
    thief = Desk(tmp_path / "thief")
    heard: list[bytes] = []

    def answer(method: str, path: str, body: bytes, token: str) -> bytes:
        heard.append(body)
        return desk.service.ca.certificate_der

    thief.answer = answer  # type: ignore[method-assign]
    try:
        with pytest.raises(CallerError, match="identity_mismatch"):
            enrol(desk, tmp_path / "t", desk.code(), url=thief.url)
    finally:
        thief.close()
    assert heard == [b""]  # the question for the CA, nothing else


def test_keys_are_renewed_and_the_old_identity_is_put_aside(desk: Desk, tmp_path: Path) -> None:
    state = tmp_path / "t"
    before = enrol(desk, state, desk.code(hub_urls=("mqtts://127.0.0.1:8883",)))
    after = joining.rotate(state, suite="ES256", passphrase=PASSPHRASE, now_ms=enroll._now_ms)
    assert after.signing_key.kid != before.signing_key.kid
    assert desk.registry.devices["t-1"].key == after.signing_key.public
    assert after.facts.hub_urls == before.facts.hub_urls
    assert (state / "identity").readlink() == Path("identity.b")
    old = joining.read_directory(state / "identity.a", PASSPHRASE)
    assert old.signing_key.kid == before.signing_key.kid


def test_a_machine_that_was_off_for_longer_than_its_certificate_lives_gets_another(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, issue = tmp_path / "t", desk.service.ca.issue

    def issue_then(*words: Any, now_ms: int, **options: Any) -> bytes:
        return issue(*words, now_ms=now_ms - (LEAF_VALID_DAYS + 1) * DAY_MS, **options)

    with monkeypatch.context() as then:
        then.setattr(desk.service.ca, "issue", issue_then)
        before = enrol(desk, state, desk.code())
    assert joining.days_left(state, now_ms=enroll._now_ms()) < 0
    after = joining.rotate(state, suite=SUITE, passphrase=PASSPHRASE, now_ms=enroll._now_ms)
    assert joining.days_left(state, now_ms=enroll._now_ms()) == LEAF_VALID_DAYS - 1
    assert after.signing_key.kid != before.signing_key.kid
    assert desk.registry.devices["t-1"].key == after.signing_key.public


def test_a_lost_answer_to_a_rotation_is_asked_for_again(desk: Desk, tmp_path: Path) -> None:
    state = tmp_path / "t"
    enrol(desk, state, desk.code())
    desk.drops_answers = 1

    def rotate() -> Any:
        return joining.rotate(state, suite=SUITE, passphrase=PASSPHRASE, now_ms=enroll._now_ms)

    with pytest.raises(OperatingError):
        rotate()
    registered = desk.registry.devices["t-1"].key
    assert rotate().signing_key.public == registered


def test_a_backend_that_is_not_there_is_an_operating_error(desk: Desk, tmp_path: Path) -> None:
    url = f"https://127.0.0.1:{lasting_port()}"
    with pytest.raises(OperatingError, match="server_unreachable"):
        enrol(desk, tmp_path / "t", desk.code(), url=url)
    with pytest.raises(CallerError, match="config_invalid"):
        enrol(desk, tmp_path / "t", desk.code(), url=desk.url.replace("https", "http"))


# The command line


def tillway(*words: object, **options: Any) -> str:
    result = CliRunner().invoke(enroll.app, [str(word) for word in words], **options)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_the_commands_found_an_installation(tmp_path: Path) -> None:
    state = tmp_path / "backend"
    said = tillway("init", "--state", state, "--host", "127.0.0.1", "--suite", SUITE)
    assert said.startswith("CA ")
    assert (state / "passphrase").stat().st_mode & 0o777 == 0o600
    passphrase = passphrase_in(state / "passphrase")
    assert joining.read_directory(state / "identity", passphrase).facts.kind == "backend"
    with pytest.raises(CallerError, match="exists already"):
        tillway("init", "--state", state, "--host", "127.0.0.1")


def test_the_commands_enrol_rotate_and_stop_a_terminal(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("sesame\n")
    line = ("--url", desk.url, "--ca", desk.ca_file, "--token-file", tmp_path / "token")
    where = ("--device", "t-7", "--kind", "terminal", "--store", "s-1")
    code = tillway("code", *where, *line).strip()
    assert read_code(code).names_ca(desk.service.ca.certificate_der)
    mine = ("--state", tmp_path / "t", "--suite", SUITE)
    assert code not in tillway("join", *mine, "--url", desk.url, input=code + "\n")
    assert "t-7" in desk.registry.devices
    assert tillway("rotate", *mine).startswith("terminal t-7 of store s-1")
    key = desk.registry.devices["t-7"].key
    assert tillway("rotate", *mine, "--before-days", "30").endswith(" days more\n")
    assert desk.registry.devices["t-7"].key == key
    assert tillway("rotate", *mine, "--before-days", "397").startswith("terminal t-7")
    assert desk.registry.devices["t-7"].key != key
    assert tillway("suspend", "t-7", *line, "--reason", "lost") == "t-7 suspended\n"
    tillway("resume", "t-7", *line)
    tillway("revoke", "t-7", *line)
    paths = [path.removeprefix("/operator/v1/") for path, _, _ in desk.operator_calls]
    stopped = [f"devices/t-7/{command}" for command in ("suspend", "resume", "revoke")]
    assert paths == ["enrolment-codes", *stopped]
    assert desk.operator_calls[1][2] == {"reason": "lost"}


def test_a_wrong_token_is_not_authorized(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("guess")
    line = ("--url", desk.url, "--ca", desk.ca_file, "--token-file", tmp_path / "token")
    with pytest.raises(CallerError, match="not_authorized"):
        tillway("revoke", "t-1", *line)


def test_a_passphrase_that_others_can_read_is_refused(tmp_path: Path) -> None:
    made = passphrase_in(tmp_path / "p", create=True)
    assert passphrase_in(tmp_path / "p", create=True) == made
    (tmp_path / "p").chmod(0o644)
    with pytest.raises(CallerError, match="others"):
        passphrase_in(tmp_path / "p")
    with pytest.raises(CallerError, match="no passphrase"):
        passphrase_in(tmp_path / "q")
