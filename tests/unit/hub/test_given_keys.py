"""The book of given OSCORE keys: numbers that never come again, and no secret on the disk."""

import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import aiocoap
import pytest
from aiocoap import error
from typer.testing import CliRunner

from hub.cli import app
from hub.coap import given_context, given_keys
from hub.coap.given_context import GivenContext
from hub.coap.given_keys import GivenKey, KeyBook, libcoap_text
from hub.coap.limits import NUMBER_BLOCK
from protocol.errors import CallerError, OperatingError

PASSPHRASE = b"a passphrase for tests"


@contextmanager
def opened(place: Path, passphrase: bytes = PASSPHRASE) -> Iterator[KeyBook]:
    with closing(KeyBook(place / "keys.db", lambda: passphrase)) as book:
        yield book


def never(*_: aiocoap.Message) -> None:
    raise AssertionError


def test_a_device_has_one_key_and_what_was_taken_is_never_valid_again(tmp_path: Path) -> None:
    with opened(tmp_path) as book, opened(tmp_path) as another:
        first = book.give("vend-1", now_ms=1)
        other = another.give("vend-2", now_ms=2)
        assert another.valid(first.device_id) == first
        second = another.give("vend-1", now_ms=3)
        assert book.valid(first.device_id) is None
        assert book.valid(second.device_id) == second
        assert book.valid(other.device_id) == other
        book.take("vend-1", now_ms=4)
        assert another.valid(second.device_id) is None
        assert [(key.number, key.taken_at_ms) for key in another.listed()] == [
            (1, 3),
            (2, None),
            (3, 4),
        ]
        with pytest.raises(CallerError, match="no key"):
            another.take("vend-1", now_ms=5)
        with pytest.raises(CallerError) as refused:
            book.give("no device/at all", now_ms=6)
        assert refused.value.code == "field_invalid"


def test_no_more_keys_are_valid_than_there_is_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given_keys, "GIVEN_KEYS_MAX", 2)
    with opened(tmp_path) as book:
        book.give("vend-1", now_ms=1)
        book.give("vend-2", now_ms=1)
        with pytest.raises(CallerError, match="2 keys"):
            book.give("vend-3", now_ms=1)
        book.give("vend-2", now_ms=2)
        book.take("vend-1", now_ms=3)
        book.give("vend-3", now_ms=4)


def test_the_same_secrets_come_of_the_file_and_the_passphrase_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as book:
        keys = [book.give(device, now_ms=1) for device in ("vend-1", "vend-2", "vend-1")]
        secrets = [book.secrets(key) for key in keys]
        assert len({one.master_secret for one in secrets}) == 3
        assert len({one.master_salt for one in secrets}) == 3
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            for one in secrets:
                assert one.master_secret not in file.read_bytes()
    with opened(tmp_path) as book:
        assert [book.secrets(key) for key in keys] == secrets
    with opened(tmp_path, b"another passphrase") as book:
        with pytest.raises(CallerError) as refused:
            book.secrets(keys[0])
        assert refused.value.code == "key_unsealable"


def test_no_number_of_ours_comes_twice_in_a_process_or_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given_context, "NUMBER_BLOCK", 3)
    with opened(tmp_path) as book:
        keys = [book.give(device, now_ms=1) for device in ("vend-1", "vend-2")]
    used = []
    for _ in range(3):
        with opened(tmp_path) as book:
            contexts = [GivenContext(key, book, never) for key in keys]
            for context in contexts * 4:
                used.append((context.recipient_id, context.new_sequence_number()))
    assert len(set(used)) == len(used) == 24


def test_nothing_is_sealed_for_whom_the_key_was_taken_from(tmp_path: Path) -> None:
    with opened(tmp_path) as book:
        context = GivenContext(book.give("vend-1", now_ms=1), book, never)
        book.take("vend-1", now_ms=2)
        with pytest.raises(error.Unauthorized, match="Security context not found"):
            context.protect(aiocoap.Message(code=aiocoap.CONTENT))


def test_what_a_block_takes_of_all_numbers_lasts_for_years(tmp_path: Path) -> None:
    with opened(tmp_path) as book:
        first, second = book.take_block(), book.take_block()
    assert second - first == NUMBER_BLOCK
    assert (1 << 40) // NUMBER_BLOCK > 7 * 365 * 24, "a start each hour"


def test_a_devices_file_is_as_libcoap_reads_it(tmp_path: Path) -> None:
    with opened(tmp_path) as book:
        key = book.give("vend-1", now_ms=1)
        made = book.secrets(key)
    lines = libcoap_text(key, made).splitlines()
    assert lines[1:] == [
        f'master_secret,hex,"{made.master_secret.hex()}"',
        f'master_salt,hex,"{made.master_salt.hex()}"',
        'sender_id,hex,"0000000001"',
        'recipient_id,ascii,"hub"',
    ]
    assert key == GivenKey(1, "vend-1", 1)


def config_in(place: Path, security: str) -> Path:
    (place / "passphrase").write_bytes(PASSPHRASE)
    (place / "passphrase").chmod(0o600)
    file = place / "hub.toml"
    file.write_text(
        f'state_dir = "{place}"\n[backend]\nurl = "https://127.0.0.1:1"\n'
        f'[coap]\nsecurity = "{security}"\n'
    )
    return file


def refusal(config: Path, *words: str) -> BaseException | None:
    return CliRunner().invoke(app, ["coap-key", *words, "--config", str(config)]).exception


def test_a_key_goes_into_a_new_file_of_its_owner_s_alone(tmp_path: Path) -> None:
    config, out = config_in(tmp_path, "oscore"), tmp_path / "vend-1.conf"
    assert refusal(config, "give", "vend-1", "--out", str(out)) is None
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    before = out.read_bytes()
    found = refusal(config, "give", "vend-1", "--out", str(out))
    assert isinstance(found, OperatingError)
    assert found.code == "file_unwritable"
    assert out.read_bytes() == before
    told = CliRunner().invoke(app, ["coap-key", "list", "--config", str(config)]).stdout
    assert told.count("\n") == 1, "and the key that it has is the one it had"


def test_a_device_that_is_none_leaves_no_file_behind(tmp_path: Path) -> None:
    config, out = config_in(tmp_path, "oscore"), tmp_path / "out.conf"
    assert isinstance(refusal(config, "give", "no/device", "--out", str(out)), CallerError)
    assert not out.exists()


def test_a_hub_without_protection_gives_no_keys(tmp_path: Path) -> None:
    config = config_in(tmp_path, "plain")
    found = refusal(config, "give", "vend-1", "--out", str(tmp_path / "out.conf"))
    assert isinstance(found, CallerError)
    assert found.code == "config_invalid"
    assert not (tmp_path / "out.conf").exists()
