"""Secrets are never logged or written down: a day with all of them in it, and then a search."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.patience import PATIENCE_S
from tests.support.leaks import Leak, Sought

pytestmark = pytest.mark.xdist_group("rich_day")  # the day is played once

IN_HEX = frozenset(
    {"a payer's key", "a payer's code secret", "a till's key", "the backend's key",
     "an OSCORE secret"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Played:
    """A day: its folder, what was printed, what must be nowhere in them."""

    folder: Path
    printed: bytes
    secrets: dict[str, str | bytes]

    def leaks(self) -> list[Leak]:
        sought = Sought(self.secrets)
        return sought.below(self.folder) + sought.in_bytes(self.printed, "printed")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    root = tmp_path_factory.mktemp("rich-day")
    folder, secrets = root / "day", root / "secrets.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.rich_day", str(folder), str(secrets)],
        capture_output=True, check=False, timeout=4 * PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    told: dict[str, str] = json.loads(secrets.read_text())
    values = {name: bytes.fromhex(told[name]) for name in IN_HEX}
    return Played(folder, done.stdout + done.stderr, told | values)


def test_no_secret_of_a_rich_day_is_in_a_file_or_in_the_log(played: Played) -> None:
    assert played.leaks() == []


def test_the_day_was_rich(played: Played) -> None:
    """It went through what it claims, up to the bugs; and it left what is looked through."""
    for event in (b"pin_wrong", b"enrol_code_invalid", b"device_joined", b"request_bug",
                  b"input_broken", b"batch_answered", b"group_failed"):  # fmt: skip
        assert event in played.printed, event
    trace = (played.folder / "board" / "traces" / "day.jsonl").read_text()
    for said in (
        '"name": "code"',
        '"result": "approved"',
        '"deed": "enter_pin"',
        "453201******0366",
    ):
        assert said in trace, said
    for place in ("till/journal.db", "backend/state/backend.db", "hub/coap_keys.db"):
        assert (played.folder / place).stat().st_size > 0


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a scanned code", "code=134711234908172635 read"),
        ("a scanned code", "3133343731313233343930383137323633355D"),
        ("a scanned code", "MTM0NzExMjM0OTA4MTcyNjM1"),
        ("a card's number", b"\x5a\x08\x45\x32\x01\x51\x12\x83\x03\x66"),
        ("a card's number", b"\x54\x23\x10\x15\x21\x38\x30\x66"),
        ("a payer's PIN", '"pin":"739158"'),
        ("a password", "password=correct horse battery staple&"),
    ],
)  # fmt: skip
def test_a_leak_is_found(played: Played, tmp_path: Path, name: str, written: str | bytes) -> None:
    leak = tmp_path / "logs" / "till.log"
    leak.parent.mkdir()
    leak.write_bytes(written if isinstance(written, bytes) else written.encode())
    found = Sought(played.secrets).below(tmp_path)
    assert (name, "logs/till.log") in {(one.name, one.where) for one in found}


def test_a_key_is_found_in_whatever_way_it_is_written(played: Played) -> None:
    key = played.secrets["the backend's key"]
    assert isinstance(key, bytes)
    for written in (key, key.hex().encode(), key.hex().upper().encode(), key[::-1]):
        assert Sought({"key": key}).in_bytes(b"x" + written + b"x", "")
