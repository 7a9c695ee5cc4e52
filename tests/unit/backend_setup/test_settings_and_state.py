"""Settings say what is wrong without showing it; the state directory is private and made once."""

from functools import partial
from pathlib import Path

import pytest

from backend import state
from backend.clock import OffsetClock
from backend.config import Settings, load
from backend.limits import CLOCK_ADVANCE_MS_MAX
from protocol.errors import CallerError
from tests.support.backend import NOW_MS, CountingEntropy, StepClock, settings_in


def refusal(file: Path | None) -> CallerError:
    with pytest.raises(CallerError) as refused:
        load(file)
    assert refused.value.code == "config_invalid"
    return refused.value


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "backend.toml"


def test_the_file_counts_and_the_environment_counts_more(
    toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml.write_text("public_port = 1111\nhub_port = 2222\n")
    monkeypatch.setenv("TILLWAY_BACKEND_HUB_PORT", "3333")
    found = load(toml)
    assert (found.public_port, found.hub_port, found.listen_host) == (1111, 3333, "127.0.0.1")


def test_the_environment_names_a_table_s_keys_with_two_underscores(
    toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml.write_text("[merchant_api]\nrefund_gap_s = 7\nshare_after_s = 8\n")
    monkeypatch.setenv("TILLWAY_BACKEND_MERCHANT_API__SANDBOX", "true")
    monkeypatch.setenv("TILLWAY_BACKEND_MERCHANT_API__REFUND_GAP_S", "0")
    found = load(toml).merchant_api
    assert (found.sandbox, found.refund_gap_s, found.share_after_s) == (True, 0, 8)
    monkeypatch.setenv("TILLWAY_BACKEND_MERCHANT_API__SANDBOXES", "true")
    assert "merchant_api.sandboxes" in refusal(toml).detail


def test_defaults_are_safe(tmp_path: Path) -> None:
    found = settings_in(tmp_path)
    assert found.listen_host == "127.0.0.1"
    assert not found.clock_control
    assert not found.callbacks_to_private_addresses


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 1", "colour"),
        ("public_port = 70000", "public_port"),
        ("x = [", "backend.toml"),
        ('signing_suite = "RSA"', "signing_suite"),
    ],
)
def test_a_wrong_setting_is_named(toml: Path, text: str, named: str) -> None:
    toml.write_text(text)
    assert named in refusal(toml).detail


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.toml").detail


def test_a_passphrase_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("some words")
    file.chmod(0o644)
    with pytest.raises(CallerError, match="others"):
        Settings(passphrase_file=file).passphrase()


def test_the_broker_s_password_comes_from_its_file_and_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("p@ss/wörd\n")
    file.chmod(0o600)
    url = "amqps://tillway:outdated@mq.example:5671/shop?cafile=/ca.pem"
    found = Settings(queue_url=url, queue_password_file=file)
    address = "amqps://tillway:p%40ss%2Fw%C3%B6rd@mq.example:5671/shop?cafile=/ca.pem"
    assert found.queue_address() == address
    assert "outdated" not in repr(found)
    assert Settings(queue_url=url).queue_address() == url
    assert Settings().queue_address() == ""
    file.chmod(0o640)
    with pytest.raises(CallerError, match="others"):
        found.queue_address()


@pytest.mark.parametrize("url", ["http://secret@mq.example", "amqp:secret", "secret"])
def test_a_broker_s_address_of_another_kind_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("TILLWAY_BACKEND_QUEUE_URL", url)
    detail = refusal(None).detail
    assert "queue_url" in detail
    assert "secret" not in detail


def made_anew(directory: Path) -> tuple[Settings, str]:
    """A state directory that no other test has seen, and the operator token."""
    settings = settings_in(directory)
    return settings, state.initialise(settings, entropy=CountingEntropy(), now_ms=NOW_MS)


def test_the_state_directory_is_private_and_made_once(tmp_path: Path) -> None:
    settings, token = made_anew(tmp_path)
    files = [path for path in settings.state_dir.rglob("*") if path.is_file()]
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    assert all(token.encode() not in path.read_bytes() for path in files)
    with pytest.raises(CallerError, match="initialised already"):
        state.initialise(settings, entropy=CountingEntropy(), now_ms=0)


@pytest.mark.parametrize("suite", ["ES256", "Ed25519"])
def test_our_signing_key_is_of_the_suite_that_is_set(tmp_path: Path, suite: str) -> None:
    settings = settings_in(tmp_path, signing_suite=suite)
    state.initialise(settings, entropy=CountingEntropy(), now_ms=NOW_MS)
    assert state.read(settings).identity.signing_key.suite.name == suite


def test_an_interrupted_init_is_completed(tmp_path: Path) -> None:
    settings, _ = made_anew(tmp_path)
    layout = state.Layout(settings.state_dir)
    before = layout.ca_certificate.read_bytes()
    layout.operator_digest.unlink()
    layout.code_key.unlink()
    state.initialise(settings, entropy=CountingEntropy(), now_ms=0)
    assert layout.ca_certificate.read_bytes() == before
    assert len(state.read(settings).code_master_key) == 32


def test_a_new_operator_token_ends_the_old_one(tmp_path: Path) -> None:
    settings, old = made_anew(tmp_path)
    entropy = CountingEntropy()
    entropy.token_bytes(1)
    new = state.renew_operator_token(settings, entropy=entropy)
    while new == old:
        new = state.renew_operator_token(settings, entropy=entropy)
    assert state.read(settings).operator_digest == state.digest(new) != state.digest(old)


def test_nothing_runs_before_init(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="init"):
        state.read(settings_in(tmp_path))


def test_the_clock_goes_forward_only_and_not_too_far() -> None:
    clock = OffsetClock(StepClock(1000))
    assert clock.advance(500) == clock.now_ms() == 1500
    for advance_ms in (-1, CLOCK_ADVANCE_MS_MAX + 1):
        with pytest.raises(CallerError):
            clock.advance(advance_ms)
    assert clock.now_ms() == 1500


def test_the_next_run_s_clock_is_as_far_ahead_as_it_was_put(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert state.clock_ahead_ms(settings) == 0
    keep = partial(state.keep_clock_ahead, settings)
    OffsetClock(StepClock(1000), keep=keep).advance(500)
    again = OffsetClock(StepClock(2000), ahead_ms=state.clock_ahead_ms(settings), keep=keep)
    assert again.now_ms() == 2500
    again.advance(50)
    assert state.clock_ahead_ms(settings) == again.ahead_ms() == 550
    (settings.state_dir / "clock.ahead").write_text("soon")
    with pytest.raises(CallerError, match="config_invalid"):
        state.clock_ahead_ms(settings)


@pytest.mark.parametrize("rates", ["fee_rate_bps = 10", "fee_bps_min = 61", "fee_bps_max = 59"])
def test_the_rate_of_new_merchants_lies_in_the_bounds(tmp_path: Path, rates: str) -> None:
    file = tmp_path / "backend.toml"
    file.write_text(rates)
    with pytest.raises(CallerError) as refused:
        load(file)
    assert refused.value.code == "config_invalid"
    assert "fee_bps_min" in refused.value.detail
