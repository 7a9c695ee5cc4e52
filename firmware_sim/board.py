"""A running board: devices on links, and what people do to them.

Everything here runs on one event loop.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue, ValidationError

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.devices.device import Output
from firmware_sim.faults import Fault
from firmware_sim.form_words import first_of
from firmware_sim.kinds.kind import Act, Hand, Kind, State
from firmware_sim.limits import LINE_LEAVE_WAIT_S
from firmware_sim.link import Link, Tap
from firmware_sim.transports.line import LINE_TASK
from firmware_sim.transports.spec import open_line
from protocol.errors import CallerError

Watch = Callable[[str, str, dict[str, JsonValue]], None]
"""Is told of every deed: the device, the deed, its words."""
Pictures = tuple[tuple[str, bytes], ...]
"""PNGs with their titles."""
DeviceType = TypeVar("DeviceType")


class Board:
    """The devices of one board file. ``taps`` hear every line: who spoke, the bytes, when."""

    def __init__(
        self,
        file: BoardFile,
        *,
        state_dir: Path,
        now_ms: Callable[[], int],
        pace: bool = True,
        seed: int | None = None,
    ) -> None:
        self.name = file.name
        self.now_ms = now_ms
        self.seed = file.seed if seed is None else seed
        self._state_dir = state_dir
        self._ports_dir = state_dir / "dev"
        self.kinds: dict[str, Kind] = {name: one.kind for name, one in file.devices.items()}
        self._entries = {name: one.entry for name, one in file.devices.items()}
        self._taps: list[Callable[[str], Tap]] = []
        self._watchers: list[Watch] = []
        self.links: dict[str, Link] = {
            name: self._link_of(name, one, now_ms, pace=pace) for name, one in file.devices.items()
        }

    @property
    def paths(self) -> dict[str, str]:
        """What a client opens, by device; unplugged devices are left out."""
        return {name: path for name, link in self.links.items() if (path := link.client_path)}

    def watch(self, watcher: Watch) -> None:
        """From now on, ``watcher`` is told what is done to the devices."""
        self._watchers.append(watcher)

    async def start(self) -> None:
        """Plug everything in and begin to serve."""
        for link in self.links.values():
            link.start()
        await asyncio.sleep(0)

    async def stop(self) -> None:
        """Unplug everything."""
        for link in self.links.values():
            link.unplug()
        await asyncio.sleep(0)
        named = [task for task in asyncio.all_tasks() if task.get_name().startswith(LINE_TASK)]
        if named:
            await asyncio.wait(named, timeout=LINE_LEAVE_WAIT_S)

    def plug(self, name: str) -> None:
        """Plug a device in."""
        self.link(name).plug()
        self._tell(name, "put_plug", {})

    def unplug(self, name: str) -> None:
        """Pull a device's plug."""
        self.link(name).unplug()
        self._tell(name, "pull_plug", {})

    def power(self, name: str, *, on: bool) -> None:
        """Give a device power, or take it."""
        link = self.link(name)
        link.power_on() if on else link.power_off()
        self._tell(name, "power_on" if on else "power_off", {})

    def link(self, name: str) -> Link:
        """A device's link; raises ``CallerError`` that names the devices there are."""
        if name not in self.links:
            there = ", ".join(self.links) or "none"
            raise CallerError(
                "field_invalid",
                f"this board has no device {name!r}; it has {there}",
                detail_zh=f"这块板上没有器件 {name!r}，有：{there}",
            )
        return self.links[name]

    def is_idle(self, name: str) -> bool:
        """Whether nothing is on its way on a device's line, and time alone changes nothing."""
        link = self.link(name)
        return link.is_idle and link.device.next_deadline_ms() is None

    def device(self, name: str, of: type[DeviceType]) -> DeviceType:
        """A device itself; raises ``CallerError`` where it is of another class."""
        found = self.link(name).device
        if not isinstance(found, of):
            raise CallerError("field_invalid", f"{name} is no {of.__name__}")
        return found

    def do(self, name: str, act: str, /, **words: JsonValue) -> State:
        """Do to a device what a person does; returns what can be seen of it then. A deed that is
        refused is told to nobody."""
        link, kind = self.link(name), self.kinds[name]
        deed = kind.act(act)
        if deed is None:
            there = ", ".join(one.name for one in kind.acts)
            raise CallerError(
                "field_invalid",
                f"to a {kind.name} one can do: {there}; not {act!r}",
                detail_zh=f"对 {kind.name} 可以做：{there}；没有 {act!r}",
            )
        body = _body(deed, words)
        link.act(partial(self._do, name, deed, body, words))
        return self.state(name)

    def state(self, name: str) -> State:
        """What can be seen of a device now."""
        link = self.link(name)
        link.catch_up()
        return self.kinds[name].state(link.device)

    def picture(self, name: str, picture: str) -> bytes:
        """A PNG of what a device shows or has made."""
        drawn = self.kinds[name].pictures(self.link(name).device)
        if picture not in drawn:
            raise CallerError(
                "field_invalid",
                f"{name} has no picture {picture!r}",
                detail_zh=f"{name} 没有画面 {picture!r}",
            )
        return drawn[picture]()

    def hands(self, name: str) -> tuple[Hand, ...]:
        """The things that people have at hand for a device."""
        device = self.link(name).device
        return self.kinds[name].hands(self._entries[name], device)

    def last_pictures(self, name: str) -> Pictures:
        """The newest picture of a device, if it has any: what a report shows of it."""
        drawn = self.kinds[name].pictures(self.link(name).device)
        return tuple((f"{name} {title}", draw()) for title, draw in list(drawn.items())[-1:])

    def set_faults(self, name: str, faults: Iterable[Fault]) -> None:
        """Make a device's line faulty, in place of all faults before; none heals it."""
        self.link(name).set_faults(list(faults))
        self._tell_faults(name)

    def add_fault(self, name: str, fault: Fault) -> None:
        """One more fault on a device's line, beside those that are there."""
        self.link(name).add_fault(fault)
        self._tell_faults(name)

    def remove_fault(self, name: str, place: int) -> None:
        """One fault less, by its place; the others go on as they are."""
        link = self.link(name)
        there = link.fault_plans
        if not 0 <= place < len(there):
            raise CallerError(
                "field_invalid",
                f"{name} has {len(there)} faults, counted from 0",
                detail_zh=f"{name} 有 {len(there)} 个故障，从 0 数起",
            )
        link.remove_fault(there[place])
        self._tell_faults(name)

    def listen(self, tap_of: Callable[[str], Tap]) -> None:
        """From now on, ``tap_of(device)`` hears that device's line."""
        self._taps.append(tap_of)
        for name, link in self.links.items():
            link.tap = _all_of([make(name) for make in self._taps])

    def _do(
        self, name: str, act: Act, body: object, words: dict[str, JsonValue], now_ms: int
    ) -> Sequence[Output] | None:
        outputs = act.run(self.link(name).device, body, now_ms)
        self._tell(name, act.name, act.kept(words))
        return outputs

    def _tell_faults(self, name: str) -> None:
        kinds: list[JsonValue] = [str(fault.kind) for fault in self.link(name).faults]
        self._tell(name, "faults", {"faults": kinds})

    def transport(self, name: str) -> str:
        """How a device is reached, as its board file says it."""
        return self._entries[name].transport

    def _tell(self, name: str, deed: str, words: dict[str, JsonValue]) -> None:
        for watcher in self._watchers:
            watcher(name, deed, words)

    def _link_of(
        self, name: str, one: BoardDevice, now_ms: Callable[[], int], *, pace: bool
    ) -> Link:
        seed = hashlib.sha256(f"{self.seed}:{name}".encode()).digest()
        device = one.kind.build(one.entry, seed)
        link = Link(name, device, lambda: open_line(one.entry.transport, device.baud), now_ms)
        link.pace = pace
        link.after_plug = partial(self._point, name)
        if one.kind.keeper is not None:
            keep = one.kind.keeper(self._state_dir)
            link.after_turn = lambda: keep(device)
        return link

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


def _body(act: Act, words: dict[str, JsonValue]) -> object:
    try:
        return act.body.model_validate(words)
    except ValidationError as error:
        why, why_zh = first_of(error)
        raise CallerError("field_invalid", why, detail_zh=why_zh) from error


def _all_of(taps: list[Tap]) -> Tap:
    if len(taps) == 1:
        return taps[0]

    def tell(*heard: object) -> None:
        for tap in taps:
            tap(*heard)  # type: ignore[arg-type]

    return tell
