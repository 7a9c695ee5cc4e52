"""The hub's settings: safe defaults, one file, the environment above it, clear mistakes."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.config import Settings, load
from protocol.errors import CallerError


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "hub.toml"
    file.write_text(text)
    return file


def test_defaults_are_safe_on_one_machine(tmp_path: Path) -> None:
    settings = load(write(tmp_path, '[backend]\nurl = "https://127.0.0.1:8444"\n'))
    assert settings.mqtt.mode == "embedded"
    assert {settings.mqtt.host, settings.coap.host, settings.http.host} == {"127.0.0.1"}
    assert not settings.fault_control


def test_the_environment_stands_above_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TILLWAY_HUB_MQTT__PORT", "2883")
    text = '[backend]\nurl = "https://h:1"\n[mqtt]\nport = 1\nmode = "external"\n'
    settings = load(write(tmp_path, text))
    assert (settings.mqtt.port, settings.mqtt.mode) == (2883, "external")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[backend]\nurl = "http://h:1"\n', "backend.url"),
        ('[backend]\nurl = "https://h:1"\n[http]\nhost = "0.0.0.0"\n', "http.host"),
        ('[backend]\nurl = "https://h:1"\n[mqtt]\nport = 70000\n', "mqtt.port"),
        ('surprise = 1\n[backend]\nurl = "https://h:1"\n', "surprise"),
        ("", "backend"),
        ("not toml", "hub.toml"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(CallerError, match="config_invalid") as caught:
        load(write(tmp_path, text))
    assert named in caught.value.detail


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="no such file"):
        load(tmp_path / "none.toml")


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = load(write(tmp_path, '[backend]\nurl = "https://h:1"\n'))
    with pytest.raises(ValidationError):
        settings.fault_control = True  # type: ignore[misc]


def test_a_passphrase_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("secret")
    file.chmod(0o644)
    settings = Settings(state_dir=tmp_path, backend={"url": "https://h:1"})
    with pytest.raises(CallerError, match="readable by others"):
        settings.passphrase()
    file.chmod(0o600)
    assert settings.passphrase() == b"secret"
