"""The power goes off anywhere in joining or renewing: the same command again brings it to its end.

The disk is the real one; every call that changes a directory is a place where the power may fail.
"""

import asyncio
import itertools
import os
import secrets
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.identity.ca import CertificateAuthority
from backend.identity.enrolment import Grant
from backend.identity.memory import MemoryRegistry
from backend.identity.service import EnrolmentService
from protocol.crypto import generate, sealing
from protocol.identity import Identity
from protocol.messages.enrolment import CA_PATH, JOIN_PATH, JoinRequest
from tillway import join as joining
from tillway.private_files import write_files

NOW_MS = 1_790_000_000_000
PASSPHRASE = b"a passphrase for tests"
SUITE = "Ed25519"
CHANGES = ("rename", "replace", "unlink", "symlink", "mkdir", "rmdir")
CA = CertificateAuthority.create("Test CA", now_ms=NOW_MS)


class PowerCut(BaseException):
    """Not an Exception: nothing in the program may catch it."""


class SystemEntropy:
    def token_bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)


class Disk:
    """The real disk, with the power failing before the n-th change of a directory or after the
    backend has answered. Remembers which directories were changed and not synced since."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.changes_left: int | None = None
        self.unsynced: set[Path] = set()
        for name in CHANGES:
            patch.setattr(os, name, self._changing(name, getattr(os, name)))
        self._fsync = os.fsync
        patch.setattr(os, "fsync", self._synced)

    def tick(self) -> None:
        if self.changes_left is not None:
            if self.changes_left <= 0:
                raise PowerCut
            self.changes_left -= 1

    def _changing(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        changed = 1 if name in {"rename", "replace", "symlink"} else 0

        def change(*arguments: Any, **options: Any) -> Any:
            self.tick()
            done = real(*arguments, **options)
            if options.get("dir_fd") is None:
                self.unsynced.add(Path(arguments[changed]).parent)
            return done

        return change

    def _synced(self, descriptor: int) -> None:
        self.unsynced.discard(Path(f"/proc/self/fd/{descriptor}").readlink())
        self._fsync(descriptor)


class Shop:
    """A backend without a network, and a machine that talks to it."""

    def __init__(self, state: Path, disk: Disk, patch: pytest.MonkeyPatch) -> None:
        self.state, self.disk = state, disk
        self.registry = MemoryRegistry()
        key = generate(SUITE)
        self.service = EnrolmentService(
            self.registry, self.registry, CA, (key.public,), SystemEntropy(), key
        )
        grant = Grant(tid="t-1", kind="terminal", store="s-1")
        self.code = asyncio.run(self.service.issue_code(grant, issued_by="o", now_ms=NOW_MS))
        patch.setattr(joining, "_exchange", self._exchange)

    def _exchange(
        self, method: str, url: str, path: str, context: ssl.SSLContext, body: bytes, most: int
    ) -> bytes:
        if path == CA_PATH:
            return CA.certificate_der
        lost = [directory for directory in self.disk.unsynced if directory.exists()]
        assert not lost, "a power cut now forgets keys that the backend is about to learn"
        if path == JOIN_PATH:
            request = JoinRequest.from_bytes(body)
            answer = asyncio.run(self.service.join(request, now_ms=NOW_MS))
        else:
            answer = asyncio.run(self.service.rotate(body, now_ms=NOW_MS))
        self.disk.tick()  # the answer may be lost
        return answer.to_bytes()

    def join(self) -> Identity:
        return joining.join(
            self.state, url="https://b", code=self.code, suite=SUITE, passphrase=PASSPHRASE
        )

    def rotate(self) -> Identity:
        return joining.rotate(self.state, suite=SUITE, passphrase=PASSPHRASE, now_ms=lambda: NOW_MS)

    def present(self) -> Identity:
        return joining.read_directory(self.state / "identity", PASSPHRASE)

    def cut_after(self, changes: int, step: Callable[[], Identity]) -> bool:
        """Run a step until the power fails; whether it did."""
        self.disk.changes_left = changes
        try:
            step()
        except PowerCut:
            return True
        finally:
            self.disk.changes_left = None
        return False


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        numbers = itertools.count()
        patch.setattr(sealing, "SCRYPT_LOG2_N", 4)  # seals hundreds of keys
        disk = Disk(patch)
        yield lambda: Shop(tmp_path / f"t-{next(numbers)}", disk, patch)


def test_joining_is_finished_after_a_power_cut_anywhere(shop: Callable[[], Shop]) -> None:
    for changes in itertools.count():
        tried = shop()
        was_cut = tried.cut_after(changes, tried.join)
        if was_cut and (tried.state / "identity").exists():
            assert tried.present().facts.name == "t-1"  # it had joined, and knows it
        else:
            assert not was_cut or tried.join()
        assert tried.present().signing_key.public == tried.registry.devices["t-1"].key
        if not was_cut:
            break
    assert changes > 10


def test_renewal_is_finished_after_a_power_cut_anywhere(shop: Callable[[], Shop]) -> None:
    for changes in itertools.count():
        tried = shop()
        tried.join()
        tried.rotate()  # so that both slots hold something
        before = tried.present()
        was_cut = tried.cut_after(changes, tried.rotate)
        now = tried.present()  # there is a whole identity at every moment
        assert now.signing_key.kid == before.signing_key.kid or (
            now.signing_key.public == tried.registry.devices["t-1"].key
        )
        if was_cut:
            tried.rotate()
        assert tried.present().signing_key.public == tried.registry.devices["t-1"].key
        if not was_cut:
            break
    assert changes > 10


def test_two_power_cuts_one_after_the_other_are_survived_too(shop: Callable[[], Shop]) -> None:
    cuts = 0
    for changes in itertools.count(step=3):
        tried = shop()
        tried.join()
        if not tried.cut_after(changes, tried.rotate):
            break
        for again in range(0, 12, 2):
            cuts += tried.cut_after(again, tried.rotate)
            assert tried.present().facts.name == "t-1"
        tried.rotate()
        assert tried.present().signing_key.public == tried.registry.devices["t-1"].key
    assert cuts > 10


def test_an_identity_that_was_copied_without_its_link_is_renewed(
    shop: Callable[[], Shop],
) -> None:
    tried = shop()
    tried.join()
    slot = (tried.state / "identity").resolve()
    (tried.state / "identity").unlink()
    slot.rename(tried.state / "identity")
    after = tried.rotate()
    assert after.signing_key.public == tried.registry.devices["t-1"].key


def test_every_file_and_every_directory_that_got_a_name_is_synced(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(patch)
        write_files(tmp_path / "a/b/c", {"d": b"1", "e/f": b"2"})
        assert not disk.unsynced
