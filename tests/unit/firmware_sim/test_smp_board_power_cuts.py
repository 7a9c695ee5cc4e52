"""Goal: whenever the power fails, the board boots a whole image, and the update ends as asked.

Method: each part of an update is played from a picture of the flash once per flash write, with the
power failing at that write, before it or half way through it. Then the power comes back, what boots
is compared byte by byte, and the host asks again for what it did not get.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from firmware_sim.devices.smp_board.board import SmpBoard
from protocol.crypto.image_keys import image_key_from_pem
from protocol.framing import mcuboot
from protocol.framing.mcuboot import ImageKey
from tests.support.firmware import SigningRoom, body_of, open_signing_room
from tests.support.smp_host import SilentError, SmpHost

SLOT_SECTORS = 4
OFF_MS = 100


@dataclass(frozen=True)
class Bench:
    """Two images, and the flash at each point of an update where a part begins."""

    key: ImageKey
    old: bytes
    new: bytes
    pictures: dict[str, bytes]

    def host(self, picture: str) -> SmpHost:
        """A host with a board that was switched off at this point."""
        board = SmpBoard(SLOT_SECTORS, self.key)
        board.flash.put(0, self.pictures[picture])
        return SmpHost(board)


def _digest(data: bytes) -> bytes:
    image = mcuboot.read_image(data)
    assert isinstance(image, mcuboot.Image)
    return image.digest


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    room: SigningRoom = open_signing_room(tmp_path_factory.mktemp("signing"))
    old = room.sign(body_of("old", 3000), "1.0.0", "-s", "1")
    new = room.sign(body_of("new", 6500), "1.1.0", "-s", "2")
    board = SmpBoard(SLOT_SECTORS, image_key_from_pem(room.public_pem.read_bytes()))
    board.load(old)
    assert board.key is not None
    bench = Bench(board.key, old, new, {})
    host = SmpHost(board)

    def picture(name: str) -> None:
        bench.pictures[name] = board.flash.read(0, board.flash.sectors * 4096)

    picture("factory")
    host.power_on()
    host.upload(new)
    host.set_state(_digest(new))
    picture("pending")
    host.reset()
    picture("on trial")
    host.set_state(confirm=True)
    picture("confirmed")
    return bench


def _install(host: SmpHost, bench: Bench) -> None:
    """Upload and ask for a trial; stop where the board already tries it."""
    if host.version == "1.1.0":
        return
    if len(host.states()) < 2 or not host.states()[1]["pending"]:
        host.upload(bench.new)
        host.set_state(_digest(bench.new))
    host.reset()


def _install_for_good(host: SmpHost, bench: Bench) -> None:
    if host.version == "1.1.0":
        return
    if len(host.states()) < 2 or not host.states()[1]["permanent"]:
        host.upload(bench.new)
        host.set_state(_digest(bench.new), confirm=True)
    host.reset()


def _nothing(host: SmpHost, bench: Bench) -> None:
    """Only boot."""


def _confirm(host: SmpHost, bench: Bench) -> None:
    """Confirm what runs; what was once confirmed is never undone."""
    if host.version == "1.1.0":
        host.set_state(confirm=True)
        host.reset()
        if not host.board.has_power:
            host.wait()
        assert host.version == "1.1.0"


PARTS: dict[str, tuple[str, Callable[[SmpHost, Bench], None], set[str]]] = {
    "upload, ask and swap": ("factory", _install, {"1.1.0"}),
    "upload, ask and swap for good": ("factory", _install_for_good, {"1.1.0"}),
    "swap": ("pending", _nothing, {"1.1.0"}),
    "revert": ("on trial", _nothing, {"1.0.0"}),
    "swap and confirm": ("pending", _confirm, {"1.0.0", "1.1.0"}),
    "boot what is confirmed": ("confirmed", _nothing, {"1.1.0"}),
}


def _boots_whole(host: SmpHost, bench: Bench) -> None:
    """What runs is, byte for byte, the old image or the new."""
    whole = {"1.0.0": bench.old, "1.1.0": bench.new}[host.version]
    assert host.board.flash.read(0, len(whole)) == whole


def _play(host: SmpHost, bench: Bench, work: Callable[[SmpHost, Bench], None]) -> bool:
    """Switch on and work; again after a power cut. Whether there was one."""
    host.power_on()
    for _ in range(2):
        if not host.board.has_power:
            host.wait()
        _boots_whole(host, bench)
        with contextlib.suppress(SilentError):
            work(host, bench)
        if not host.board.has_power:
            host.wait()
    _boots_whole(host, bench)
    return host.board.power_failures > 0


@pytest.mark.parametrize("is_torn", [False, True], ids=["before", "torn"])
@pytest.mark.parametrize("part", PARTS)
def test_a_power_cut_at_any_write_leaves_a_whole_image(
    bench: Bench, part: str, is_torn: bool
) -> None:
    picture, work, ends = PARTS[part]
    outcomes: list[str] = []
    while True:
        host = bench.host(picture)
        host.board.cut_power(0, after_writes=len(outcomes), is_torn=is_torn, off_ms=OFF_MS)
        had_cut = _play(host, bench, work)
        if not had_cut:
            break
        outcomes.append(host.version)
    assert len(outcomes) == host.board.flash.writes, "every write had its cut"
    assert host.version in ends
    if part == "swap" and is_torn:
        # Half of the last word is all of its flag: that trial had begun, and its next boot ends it.
        assert outcomes.pop() == "1.0.0"
    assert set(outcomes) <= ends
