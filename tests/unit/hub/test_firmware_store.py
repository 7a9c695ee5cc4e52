"""The hub's firmware files: bounded together, whether whole or on their way."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from hub.firmware import store
from hub.firmware.store import FirmwareStore, KeptFile, kept_files
from protocol.errors import OperatingError

ROOM, PIECE = 1_000, 100


class Line:
    """A backend that has files of a few pieces; the line may be cut after some bytes."""

    def __init__(self, *contents: bytes) -> None:
        self.files = {hashlib.sha256(content).hexdigest(): content for content in contents}
        self.spoilt: dict[str, bytes] = {}
        """What comes instead of some of them."""
        self.is_cut_at = ROOM * 2
        self.most = 0
        self.asked: list[int] = []
        """From which byte on."""
        self.directory = Path()

    async def firmware(self, digest: str, *, offset: int) -> bytes:
        self.asked.append(offset)
        await asyncio.sleep(0)
        self.most = max(self.most, sum(one.stat().st_size for one in self.directory.iterdir()))
        if offset >= self.is_cut_at:
            raise OperatingError("backend_unreachable")
        return self.spoilt.get(digest, self.files[digest])[offset : offset + PIECE]


def content(number: int, size: int) -> bytes:
    return bytes([number]) * size


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(store, "STORE_BYTES_MAX", ROOM)
    return tmp_path / "firmware"


def opened(directory: Path, line: Line) -> FirmwareStore:
    line.directory = directory
    return FirmwareStore(directory, line)


def held(directory: Path) -> dict[str, int]:
    return {one.name: one.stat().st_size for one in directory.iterdir()}


async def cut_off(files: FirmwareStore, line: Line, digest: str, *, at: int) -> None:
    line.is_cut_at = at
    with pytest.raises(OperatingError):
        await files.file(digest)
    line.is_cut_at = ROOM * 2


def aged(directory: Path) -> None:
    """Let what is here be older than what comes."""
    for one in directory.iterdir():
        os.utime(one, (1, 1))


@pytest.mark.asyncio
async def test_unfinished_files_take_room_and_go_when_it_is_needed(directory: Path) -> None:
    line = Line(*(content(number, 800) for number in range(3)))
    files = opened(directory, line)
    first, second, third = line.files
    await cut_off(files, line, first, at=700)
    assert held(directory) == {f"{first}.part": 700}
    aged(directory)
    await cut_off(files, line, second, at=300)
    assert held(directory) == {f"{first}.part": 700, f"{second}.part": 300}
    await files.file(third)
    assert held(directory) == {third: 800}
    assert line.most <= ROOM


@pytest.mark.asyncio
async def test_what_an_earlier_run_left_is_bounded_at_the_start_and_goes_on_where_it_ended(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(content(1, 600), content(2, 800))
    files = opened(directory, line)
    old, young = line.files
    await cut_off(files, line, old, at=300)
    aged(directory)
    await cut_off(files, line, young, at=400)
    monkeypatch.setattr(store, "STORE_BYTES_MAX", 600)
    again = opened(directory, line)
    assert held(directory) == {f"{young}.part": 400}
    monkeypatch.setattr(store, "STORE_BYTES_MAX", ROOM)
    assert (await again.file(young)).read_bytes() == content(2, 800)
    assert again.fetched_bytes == 400


@pytest.mark.asyncio
async def test_two_that_come_at_once_take_away_the_old_and_not_each_other(directory: Path) -> None:
    line = Line(content(1, 500), content(2, 450), content(3, 450))
    files = opened(directory, line)
    old, *both = line.files
    await files.file(old)
    aged(directory)
    await asyncio.gather(*(files.file(digest) for digest in both))
    assert held(directory) == dict.fromkeys(both, 450)


@pytest.mark.asyncio
async def test_who_asks_again_after_a_cut_and_who_still_waits_have_one_fetch(
    directory: Path,
) -> None:
    line = Line(content(1, 300))
    files = opened(directory, line)
    [digest] = line.files
    line.is_cut_at = 0

    async def ask_again() -> Path:
        with pytest.raises(OperatingError):
            await files.file(digest)
        line.is_cut_at = ROOM * 2
        return await files.file(digest)

    found = await asyncio.gather(ask_again(), *(files.file(digest) for _ in range(3)))
    assert found == [directory / digest] * 4
    assert line.asked == [0, 0, 100, 200, 300]
    assert (files.damaged, held(directory)) == (0, {digest: 300})


@pytest.mark.asyncio
async def test_what_the_disk_has_damaged_is_given_to_nobody_and_fetched_anew(
    directory: Path,
) -> None:
    line = Line(content(1, 500), content(2, 300))
    files = opened(directory, line)
    digest, other = line.files
    await files.file(other)
    for spoilt in (content(1, 499) + b"x", content(1, 499), content(1, 501), b""):
        kept = await files.file(digest)
        kept.write_bytes(spoilt)
        assert list(kept_files(directory)) == sorted(
            (KeptFile(other, 300, True), KeptFile(digest, len(spoilt), False)),
            key=lambda one: one.digest,
        )
        line.is_cut_at = 200
        with pytest.raises(OperatingError, match="backend_unreachable"):
            await files.file(digest)
        assert held(directory) == {other: 300, f"{digest}.part": 200}
        line.is_cut_at = ROOM * 2
        assert (await files.file(digest)).read_bytes() == content(1, 500)
    assert files.damaged == 4
    assert all(one.is_whole for one in kept_files(directory))


@pytest.mark.asyncio
async def test_what_comes_damaged_is_not_kept_and_says_so(directory: Path) -> None:
    line = Line(content(1, 500))
    files = opened(directory, line)
    [digest] = line.files
    line.spoilt[digest] = content(2, 500)
    for tries in (1, 2):
        with pytest.raises(OperatingError, match="firmware_damaged"):
            await files.file(digest)
        assert (files.damaged, held(directory)) == (tries, {})
    line.spoilt.clear()
    assert (await files.file(digest)).read_bytes() == content(1, 500)


@pytest.mark.asyncio
async def test_a_disk_that_takes_nothing_is_named(directory: Path) -> None:
    line = Line(content(1, 500))
    files = opened(directory, line)
    [digest] = line.files
    (directory / f"{digest}.part").mkdir()
    with pytest.raises(OperatingError, match="spool_unwritable"):
        await files.file(digest)
