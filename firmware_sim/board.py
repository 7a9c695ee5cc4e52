"""A running board: devices on links, and what people do to them.

The board owns one task per device. Everything here runs on one event loop.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from firmware_sim.board_file import BoardFile, DeviceEntry, PrinterEntry, ScannerEntry
from firmware_sim.devices.device import Device
from firmware_sim.devices.ef01 import Ef01
from firmware_sim.devices.escpos import EscPosPrinter, PrinterProfile
from firmware_sim.devices.gm65 import Gm65
from firmware_sim.devices.receipt import Receipt
from firmware_sim.link import Link
from firmware_sim.receipt_store import ReceiptStore
from firmware_sim.rendering import camera
from firmware_sim.transports.spec import open_line
from protocol.errors import CallerError

_DOTS_WIDE = {58: 384, 80: 576}
DeviceKind = TypeVar("DeviceKind", Gm65, EscPosPrinter, Ef01)


class Board:
    """The devices of one board file, plugged in."""

    def __init__(
        self, file: BoardFile, *, state_dir: Path, now_ms: Callable[[], int], pace: bool = True
    ) -> None:
        self.name = file.name
        self._now_ms = now_ms
        self._ports_dir = state_dir / "dev"
        self._stores: dict[str, ReceiptStore] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.links: dict[str, Link] = {}
        for name, entry in file.devices.items():
            link = Link(name, build_device(entry), partial(open_line, entry.transport), now_ms)
            link.pace = pace
            link.after_plug = partial(self._point, name)
            if isinstance(link.device, EscPosPrinter):
                self._stores[name] = ReceiptStore(state_dir / "receipts")
                link.after_turn = partial(self._keep_receipts, name)
            self.links[name] = link

    @property
    def paths(self) -> dict[str, str]:
        """What a client opens, by device; unplugged devices are left out."""
        return {name: path for name, link in self.links.items() if (path := link.client_path)}

    async def start(self) -> None:
        """Plug everything in and begin to serve."""
        for name, link in self.links.items():
            link.plug()
            self._tasks.append(asyncio.create_task(link.run(), name=f"sim-{name}"))
        await asyncio.sleep(0)

    async def stop(self) -> None:
        """Unplug everything."""
        for task in self._tasks:
            task.cancel()
        for link in self.links.values():
            link.unplug()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()

    def plug(self, name: str) -> None:
        """Plug a device in."""
        self._link(name).plug()

    def unplug(self, name: str) -> None:
        """Pull a device's plug."""
        self._link(name).unplug()

    def device(self, kind: type[DeviceKind], name: str | None = None) -> tuple[Link, DeviceKind]:
        """The board's device of a kind; raises ``CallerError`` where it has none."""
        for link in self.links.values():
            if isinstance(link.device, kind) and name in (None, link.name):
                return link, link.device
        raise CallerError("field_invalid", f"this board has no {kind.__name__}")

    def present(self, png: bytes, *, keep: bool = False) -> str | None:
        """Hold a picture before the scanner; returns what the picture says, if anything."""
        link, scanner = self.device(Gm65)
        sighting = camera.decode(png)
        link.act(lambda now_ms: scanner.present(png, now_ms, keep=keep))
        return sighting.text if sighting else None

    def receipts(self) -> Sequence[Receipt]:
        """What the printer has cut off, oldest first."""
        return list(self.device(EscPosPrinter)[1].receipts)

    def receipt_files(self) -> list[dict[str, str]]:
        """The files of each receipt kept on disk, oldest first."""
        link, _ = self.device(EscPosPrinter)
        return self._stores[link.name].files

    def _link(self, name: str) -> Link:
        if name not in self.links:
            raise CallerError("field_invalid", f"this board has no device {name!r}")
        return self.links[name]

    def _point(self, name: str, path: str | None) -> None:
        """Let ``dev/<name>`` in the state directory lead to the device's port.

        It goes before the port does: the system soon gives a closed pty's number to somebody
        else, and a driver that reconnects must not talk to that.
        """
        shown = self._ports_dir / name
        if path is None or not path.startswith("/"):
            shown.unlink(missing_ok=True)
            return
        self._ports_dir.mkdir(parents=True, exist_ok=True)
        fresh = self._ports_dir / f".{name}.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(path)
        fresh.replace(shown)

    def _keep_receipts(self, name: str) -> None:
        printer = self.links[name].device
        if isinstance(printer, EscPosPrinter):
            self._stores[name].keep(printer.receipts)


def build_device(entry: DeviceEntry) -> Device:
    """The device of a board file's entry."""
    if isinstance(entry, ScannerEntry):
        return Gm65(camera.decode)
    if isinstance(entry, PrinterEntry):
        profile = PrinterProfile(
            entry.profile, _DOTS_WIDE[entry.width_mm], entry.baud, entry.realtime_inside_data
        )
        return EscPosPrinter(profile, roll_mm=entry.roll_mm)
    sensor = Ef01(password=entry.password)
    for finger, slot in entry.enrolled.items():
        sensor.enrol(finger, slot)
    return sensor
