"""Where the institutions are: by URL or by their address file, and by their key always."""

from pathlib import Path

import pytest

from backend.channels.address import Address, address_text
from backend.channels.signed_http import key_text
from backend.config import Settings, load
from protocol.crypto.keys import generate
from protocol.errors import CallerError, OperatingError

KEY = generate("ES256")


def configured(tmp_path: Path, lines: str) -> Settings:
    file = tmp_path / "backend.toml"
    file.write_text(f'state_dir = "{tmp_path}"\n[institutions.netsunion]\n{lines}')
    return load(file)


def test_without_a_word_there_is_no_institution(tmp_path: Path) -> None:
    found = Settings(state_dir=tmp_path).institutions
    assert set(found.model_dump().values()) == {None}


def test_an_institution_is_found_at_its_url(tmp_path: Path) -> None:
    lines = f'url = "http://127.0.0.1:81"\nkey = "{key_text(KEY.public)}"'
    found = configured(tmp_path, lines).institutions.netsunion
    assert found is not None
    assert (found.find(), found.peer) == ("http://127.0.0.1:81", KEY.public)


def test_an_institution_that_comes_back_on_other_ports_is_found_there(tmp_path: Path) -> None:
    place = tmp_path / "netsunion" / "address.json"
    lines = f'address = "{place}"\nkey = "{key_text(KEY.public)}"'
    found = configured(tmp_path, lines).institutions.netsunion
    assert found is not None
    with pytest.raises(OperatingError):
        found.find()
    place.parent.mkdir()
    for port in (81, 82):
        address = Address("netsunion", KEY.public, ports={"http": port, "tcp": port + 10})
        place.write_bytes(address_text(address))
        assert found.find() == f"http://127.0.0.1:{port}"
        assert found.find_line("tcp") == ("127.0.0.1", port + 10)
    place.write_bytes(address_text(Address("netsunion", KEY.public)))
    with pytest.raises(OperatingError):
        found.find()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("", "institutions.netsunion.key"),
        ('url = "http://a"\nkey = "nonsense"', "institutions.netsunion.key"),
        (f'key = "{key_text(KEY.public)}"', "either url or address"),
        (f'url = "http://a"\naddress = "address.json"\nkey = "{key_text(KEY.public)}"', "either"),
        (f'address = "other.json"\nkey = "{key_text(KEY.public)}"', "address.json"),
        (f'url = "http://a"\nkey = "{key_text(KEY.public)}"\nnonsense = 1', "nonsense"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, lines: str, says: str) -> None:
    with pytest.raises(CallerError) as caught:
        configured(tmp_path, lines)
    assert caught.value.code == "config_invalid"
    assert says in (caught.value.detail or "")


def test_the_environment_may_name_one_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = f'{{"fund": {{"url": "http://127.0.0.1:7", "key": "{key_text(KEY.public)}"}}}}'
    monkeypatch.setenv("TILLWAY_BACKEND_INSTITUTIONS", said)
    found = Settings(state_dir=tmp_path).institutions
    assert found.fund is not None
    assert found.fund.find() == "http://127.0.0.1:7"
