"""Firmware by way of the hub: fetched once for a store, resumed on both legs, checked, and brought
to a simulated board that tries it out.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner

from backend.devices.model import DeviceCommand, DeviceKind
from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.hosting import HostedBoard
from firmware_sim.kinds.registry import kind_named
from hub.cli import app
from hub.firmware.store import FirmwareStore
from protocol.errors import CallerError, OperatingError
from terminal.adapters.firmware_download import FirmwareDownload
from terminal.adapters.smp_board import SmpSerialBoard
from terminal.board_renewal import BoardRenewal
from terminal.effects import RenewBoard
from terminal.inputs import BoardStep
from tests.kit.hub_world import World, running_world, until
from tests.kit.patience import PATIENCE_S
from tests.support.backend import HUB, Machine, change, enrol, served
from tests.support.firmware import SigningRoom, body_of, open_signing_room
from transport.contexts import ClientTls

TILL = "till-1"


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@asynccontextmanager
async def store_with(directory: Path, data: bytes) -> AsyncIterator[World]:
    """A hub that hands out firmware, and a backend that has this file."""
    section = {"enabled": True, "port": 0}
    async with running_world(directory, TILL, "till-2", firmware=section) as world:
        world.backend.firmware[digest_of(data)] = data
        yield world


def download_of(world: World, tid: str, directory: Path) -> FirmwareDownload:
    port = world.hub.ports["firmware"]
    identity = world.installation.issue("terminal", tid, world.shop.key_of(tid))
    tls = ClientTls(identity.tls)
    return FirmwareDownload(directory / f"{tid}-firmware", host="127.0.0.1", port=port, tls=tls)


@pytest.mark.asyncio
async def test_a_store_fetches_once_and_a_till_goes_on_where_it_was(tmp_path: Path) -> None:
    data = body_of("firmware", 180_000)
    digest = digest_of(data)
    async with store_with(tmp_path, data) as world:
        first, second = (download_of(world, tid, tmp_path) for tid in (TILL, "till-2"))
        both = await asyncio.gather(
            asyncio.to_thread(first.fetch, digest, len(data)),
            asyncio.to_thread(second.fetch, digest, len(data)),
        )
        assert list(both) == [data, data]
        assert world.backend.firmware_asked == [0, 50_000, 100_000, 150_000, 180_000]
        part = tmp_path / f"{TILL}-firmware" / f"{digest}.part"
        part.write_bytes(data[:70_001])
        assert await asyncio.to_thread(first.fetch, digest, len(data)) == data
        for torn in (b"x" + data[1:70_001], data[:100_000] + bytes(80_000)):
            part.write_bytes(torn)  # by a power cut: it is fetched anew
            assert await asyncio.to_thread(first.fetch, digest, len(data)) == data
        assert len(world.backend.firmware_asked) == 5


@pytest.mark.asyncio
async def test_a_file_that_the_hubs_disk_damages_is_fetched_anew_and_the_operator_told(
    tmp_path: Path,
) -> None:
    data = body_of("firmware", 120_000)
    digest, size = digest_of(data), len(data)
    async with store_with(tmp_path, data) as world, aiohttp.ClientSession() as person:
        till = download_of(world, TILL, tmp_path)
        config = tmp_path / "hub.toml"
        url = world.settings.backend.url
        config.write_text(f'state_dir = "{tmp_path / HUB}"\n[backend]\nurl = "{url}"\n')
        part = tmp_path / f"{TILL}-firmware" / f"{digest}.part"
        kept = tmp_path / HUB / "firmware" / digest

        async def told() -> tuple[Any, str]:
            async with person.get(f"{world.http}/readyz") as ready:
                number = (await ready.json())["firmware_damaged"]
            async with person.get(f"{world.http}/metrics") as metrics:
                [line] = [one for one in (await metrics.text()).splitlines()
                          if one.startswith("tillway_hub_firmware_damaged ")]  # fmt: skip
                return number, line

        assert await asyncio.to_thread(till.fetch, digest, size) == data
        assert checked(config) == (0, [True])
        assert await told() == (0, "tillway_hub_firmware_damaged 0.0")
        for times, have in enumerate((b"", data[:1_000]), 1):
            kept.write_bytes(data[:-1] + b"x")
            assert checked(config) == (1, [False])
            part.write_bytes(have)
            assert await asyncio.to_thread(till.fetch, digest, size) == data
            assert await told() == (times, f"tillway_hub_firmware_damaged {times}.0")
        assert checked(config) == (0, [True])
        kept.write_bytes(data[:-1] + b"x")
        world.backend.firmware[digest] = b"x" + data[1:]
        part.unlink()
        with pytest.raises(OperatingError, match="status 503"):  # and so the till asks on
            await asyncio.to_thread(till.fetch, digest, size)
        assert (await told())[0] == 4
        world.backend.firmware[digest] = data
        assert await asyncio.to_thread(till.fetch, digest, size) == data


def checked(config: Path) -> tuple[int, list[bool]]:
    """What ``tillway hub firmware`` says of each file, and how it ends."""
    told = CliRunner().invoke(app, ["firmware", "--config", str(config)])
    return told.exit_code, [json.loads(line)["is_whole"] for line in told.stdout.splitlines()]


@pytest.mark.asyncio
async def test_a_till_asks_on_where_its_hub_hands_out_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = body_of("firmware", 60_000)
    async with store_with(tmp_path, data) as world:
        till = download_of(world, TILL, tmp_path)

        given = 0

        async def give(_: FirmwareStore, digest: str) -> Path:
            nonlocal given
            given += 1
            path = tmp_path / digest
            path.write_bytes(data[:-1] + b"x")
            return path

        with monkeypatch.context() as patch:  # a hub that does not look
            patch.setattr(FirmwareStore, "file", give)
            with pytest.raises(OperatingError, match="firmware_damaged"):
                await asyncio.to_thread(till.fetch, digest_of(data), len(data))
            wish = Wish(till, object())
            told = asyncio.create_task(wish.run(data))
            await until(lambda: given >= 3)
            assert wish.said == [], "nothing that a rollout would count"
        assert await told == ["receive", "refuse"]
        assert wish.said[-1].code == "firmware_file_invalid"


@pytest.mark.asyncio
async def test_a_hub_that_is_cut_off_keeps_what_it_has(tmp_path: Path) -> None:
    data = body_of("firmware", 120_000)
    digest = digest_of(data)
    async with store_with(tmp_path, data) as world:
        till = download_of(world, TILL, tmp_path)
        world.backend.firmware[digest] = data[:50_000]
        with pytest.raises(OperatingError):  # not whole: the digest says so
            await asyncio.to_thread(till.fetch, digest, len(data))
        world.backend.firmware[digest] = data
        store = tmp_path / HUB / "firmware"
        (store / f"{digest}.part").write_bytes(data[:100_000])
        world.backend.mode = "503"
        with pytest.raises(OperatingError, match="backend_unreachable"):
            await asyncio.to_thread(till.fetch, digest, len(data))
        world.backend.mode = "good"
        world.backend.firmware_asked.clear()
        assert await asyncio.to_thread(till.fetch, digest, len(data)) == data
        assert world.backend.firmware_asked == [100_000, 120_000]
        with pytest.raises(CallerError, match="firmware_unknown"):
            await asyncio.to_thread(till.fetch, digest_of(b"nobody"), 10)


@pytest.mark.asyncio
async def test_only_devices_of_the_store_are_given_anything(tmp_path: Path) -> None:
    data = body_of("firmware", 1_000)
    async with store_with(tmp_path, data) as world:
        stranger = download_of(world, "till-9", tmp_path)
        with pytest.raises(OperatingError, match="status 403"):
            await asyncio.to_thread(stranger.fetch, digest_of(data), len(data))
        assert world.backend.firmware_asked == []


@pytest.mark.asyncio
async def test_the_backend_gives_pieces_to_hubs_that_may_speak(tmp_path: Path) -> None:
    maker = open_signing_room(tmp_path / "maker")
    image = maker.sign(body_of("board", 20_000), "1.2.3")
    async with served(tmp_path) as (server, _), aiohttp.ClientSession() as session:
        clock = server.backend.clock
        await enrol(server.backend, Machine(HUB, kind=DeviceKind.HUB, clock=clock))
        made = await server.backend.firmware.bring(image, name="board", version="", by="ann")

        async def ask(digest: str, offset: int) -> tuple[int, bytes]:
            url = server.url("hub", f"/hub/v1/firmware/{digest}?offset={offset}")
            async with session.get(url, ssl=server.client("hub", HUB)) as answer:
                return answer.status, await answer.read()

        assert await ask(made["digest"], 0) == (200, image)
        assert await ask(made["digest"], 100) == (200, image[100:])
        assert await ask(made["digest"], len(image)) == (200, b"")
        assert (await ask("ab" * 32, 0))[0] == 400
        await change(server.backend, HUB, DeviceCommand.SUSPEND)
        assert (await ask(made["digest"], 0))[0] == 403


class Wish:
    """A renewal of a simulated board, and all that it said."""

    def __init__(self, source: Any, board: Any) -> None:
        self.is_idle = True
        self.said: list[BoardStep] = []
        self._renewal = BoardRenewal(
            source, board, is_idle=lambda: self.is_idle, pause=lambda _: asyncio.sleep(0.05)
        )

    async def run(self, data: bytes) -> list[str]:
        self.said.clear()
        wish = RenewBoard(1, digest_of(data), len(data))
        async with asyncio.timeout(PATIENCE_S):
            await self._renewal.run(wish, self._hear)
        return [one.step for one in self.said]

    async def _hear(self, step: BoardStep) -> None:
        self.said.append(step)


class Shelf:
    """Firmware that is there."""

    def __init__(self, *files: bytes) -> None:
        self.files = {digest_of(data): data for data in files}

    def fetch(self, digest: str, size: int) -> bytes:
        data = self.files[digest]
        assert len(data) == size
        return data

    def forget(self, digest: str) -> None:
        del self.files[digest]


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> SigningRoom:
    return open_signing_room(tmp_path_factory.mktemp("maker"))


@pytest.mark.asyncio
async def test_a_board_tries_signed_firmware_and_keeps_it_and_takes_no_other(
    tmp_path: Path, maker: SigningRoom
) -> None:
    good = maker.sign(body_of("new", 2_000), "2.0.0")
    foreign = open_signing_room(tmp_path / "other").sign(body_of("evil", 1_000), "3.0.0")
    (tmp_path / "factory.bin").write_bytes(maker.sign(body_of("old", 1_000), "1.0.0"))
    kind = kind_named("smp_board")
    entry = {"kind": "smp_board", "transport": "pty", "image": tmp_path / "factory.bin",
             "key": maker.public_pem}  # fmt: skip
    file = BoardFile("keyed", {"board": BoardDevice(kind, kind.entry.model_validate(entry))})
    with HostedBoard(file, state_dir=tmp_path, pace=False) as hosted:
        board = SmpSerialBoard(hosted.paths["board"])
        try:
            shelf = Shelf(good, foreign, b"no firmware")
            wish = Wish(shelf, board)
            assert await wish.run(good) == ["receive", "try_out", "confirm"]
            assert wish.said[-1].running_version == "2.0.0"
            assert digest_of(good) not in shelf.files
            assert (await wish.run(foreign))[-1] == "fail"
            assert wish.said[-1].code == "firmware_refused"
            assert await wish.run(b"no firmware") == ["receive", "refuse"]
            assert hosted.state("board")["version"] == "2.0.0"
        finally:
            await board.aclose()


@pytest.mark.asyncio
async def test_nothing_is_installed_while_somebody_is_served_and_nothing_without_a_board() -> None:
    data = b"no firmware"
    without = Wish(None, None)
    assert await without.run(data) == ["refuse"]
    assert without.said[0].code == "firmware_unfit"
    busy = Wish(Shelf(data), object())
    busy.is_idle = False
    task = asyncio.create_task(busy.run(data))
    while not busy.said:  # noqa: ASYNC110  # the renewal tells nobody else
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    assert [one.step for one in busy.said] == ["receive"]
    busy.is_idle = True
    assert await task == ["receive", "refuse"]
