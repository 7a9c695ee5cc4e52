"""Runs a kind's checks against one device: a simulated one of our own, or any on a port."""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import serial
import structlog
from pydantic import JsonValue

from faces.words import Words
from firmware_sim.board import Pictures
from firmware_sim.board_file import board_with
from firmware_sim.conformance.check import (
    Check,
    CheckFailedError,
    NeedsPersonError,
    Person,
)
from firmware_sim.conformance.running_board import PREFIX, BoardPerson
from firmware_sim.conformance.titles import TITLES
from firmware_sim.conformance.virtual import VirtualWire
from firmware_sim.conformance.watched import Watched
from firmware_sim.conformance.ws_port import WsPort
from firmware_sim.devices.device import Device
from firmware_sim.devices.ocpp.talker import Talker
from firmware_sim.frames import DAMAGED_ZH, FrameDecoder, Side
from firmware_sim.hosting import HostedBoard, VirtualBoard
from firmware_sim.kinds.kind import Kind
from firmware_sim.kinds.registry import kind_named
from firmware_sim.limits import DRAIN_BYTES_MAX, DRAIN_S_MAX
from firmware_sim.reports.report import Case, Verdict
from firmware_sim.reports.seen import Seen, row_of
from firmware_sim.transports.serial_port import port_unusable
from firmware_sim.words.kinds import act_words, kind_words
from protocol.errors import CallerError, OperatingError

DEVICE = "device"
REAL = "serial:/dev/..., tcp:HOST:PORT, rfc2217:HOST:PORT"
KNOWN = f"pty, memory, {PREFIX}PORT[/NAME], {REAL}, ws:[HOST:]PORT"
_URLS = {"serial": "", "tcp": "socket://", "rfc2217": "rfc2217://"}
log = structlog.get_logger()


class Port(Protocol):
    """What of pyserial's port the wire uses."""

    timeout: float | None
    baudrate: int

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""
        ...

    def read(self, size: int = 1, /) -> bytes:
        """Up to ``size`` bytes."""
        ...

    def write(self, data: bytes, /) -> int | None:
        """Send bytes."""
        ...


class PortWire(Watched):
    """The wire over a port. It remembers the last frames for the report."""

    def __init__(self, port: Port, decoder: FrameDecoder) -> None:
        super().__init__(decoder)
        self._port = port

    def send(self, data: bytes) -> None:
        """As ``Wire.send``."""
        self._remember(Side.HOST, data)
        self._port.write(data)

    def receive(self, count: int, timeout_s: float) -> bytes:
        """As ``Wire.receive``."""
        self._port.timeout = timeout_s
        data = self._port.read(count)
        self._remember(Side.DEVICE, data)
        return data

    def drain(self, quiet_s: float) -> bytes:
        """As ``Wire.drain``."""
        self._port.timeout = quiet_s
        data, until = bytearray(), time.monotonic() + DRAIN_S_MAX
        while piece := self._port.read(1):
            data += piece + self._port.read(self._port.in_waiting)
            if len(data) > DRAIN_BYTES_MAX or time.monotonic() > until:
                raise CheckFailedError("silence", f"{len(data)} bytes without a pause")
        self._remember(Side.DEVICE, bytes(data))
        return bytes(data)

    def set_baud(self, rate: int) -> None:
        """As ``Wire.set_baud``."""
        self._port.baudrate = rate

    def now_s(self) -> float:
        """The time on this wire."""
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """As ``Wire.pause``."""
        time.sleep(seconds)


WatchedWire = PortWire | VirtualWire


@dataclass(frozen=True, slots=True)
class SimulatedPerson:
    """Does the acts on a simulated device."""

    board: HostedBoard | VirtualBoard

    def do(self, act: str, /, **words: JsonValue) -> None:
        """As ``Person.do``."""
        self.board.do(DEVICE, act, **words)

    def sees(self, act: str, /, **words: JsonValue) -> bool:
        """As ``Person.sees``."""
        try:
            self.board.do(DEVICE, act, **words)
        except CallerError:
            return False
        return True

    def pictures(self) -> Pictures:
        """The newest picture of the device."""
        return self.board.call(lambda running: running.last_pictures(DEVICE))


@dataclass(frozen=True, slots=True)
class AskedPerson:
    """Asks whoever sits at the terminal; ``ask`` returns once it is done, or says no.

    ``ask`` None: nobody sits there, and no question is asked. An act is told as its kind sums it
    up, where there is one.
    """

    ask: Callable[[str], bool] | None
    kind: Kind | None = None

    def do(self, act: str, /, **words: JsonValue) -> None:
        """As ``Person.do``."""
        wish = self._wish(act, words)
        if self.ask is None or not self.ask(wish.en):
            raise NeedsPersonError(wish)

    def sees(self, act: str, /, **words: JsonValue) -> bool:
        """As ``Person.sees``."""
        wish = self._wish(act, words)
        if self.ask is None:
            raise NeedsPersonError(wish)
        return self.ask(f"{wish.en} (is it so?)")

    def _wish(self, act: str, words: dict[str, JsonValue]) -> Words:
        known = self.kind.act(act) if self.kind else None
        what = known.summary if known else act.replace("_", " ")
        told = ", ".join(f"{name} {value!r}" for name, value in words.items())
        said_zh = act_words(what).zh
        return Words(
            f"{said_zh}{'：' + told if told else ''}", f"{what}{': ' + told if told else ''}"
        )


@dataclass(slots=True)
class Bench:
    """A device under test."""

    wire: WatchedWire
    person: Person
    what: Words
    pictures: Callable[[], Pictures] = tuple


@contextmanager
def bench_of(
    kind_name: str,
    device: str,
    *,
    baud: int | None = None,
    ask: Callable[[str], bool] | None = None,
) -> Iterator[Bench]:
    """The device under test: ``pty`` starts a simulated one, ``memory`` one in virtual time;
    ``bench:PORT[/NAME]`` is one of a simulated board that runs, whose people act by themselves;
    ``serial:/dev/…``, ``tcp:HOST:PORT`` and ``rfc2217:HOST:PORT`` reach one that is there, and
    ``ws:[HOST:]PORT`` waits for a charger that calls.
    ``ask`` None says that nobody is beside it."""
    kind = kind_named(kind_name)
    simulated = kind.build(kind.entry.model_validate({"kind": kind.name}), b"")
    rate = baud or simulated.baud
    asked = AskedPerson(ask, kind)
    if device == "pty":
        with HostedBoard(board_with(kind_name, device=DEVICE)) as board:
            path = board.paths[DEVICE]
            with open_at(path, rate) as port:
                wire = PortWire(port, kind.decoder())
                nearby = SimulatedPerson(board)
                yield Bench(wire, nearby, _simulated(kind), nearby.pictures)
    elif device == "memory":
        with VirtualBoard(board_with(kind_name, device=DEVICE)) as virtual:
            quick = VirtualWire(virtual, DEVICE, kind.decoder())
            nearby = SimulatedPerson(virtual)
            yield Bench(quick, nearby, _simulated(kind), nearby.pictures)
    elif device.startswith(PREFIX):
        beside = BoardPerson.beside(device, kind.name)
        with open_at(beside.path, rate) as port:
            wire = PortWire(port, kind.decoder())
            yield Bench(wire, beside, _simulated(kind, beside.name), beside.pictures)
    elif device.startswith("ws:"):
        with _listening(simulated, device) as called:
            wire = PortWire(called, kind.decoder())
            where = f"ws://{called.address}"
            yield Bench(wire, asked, Words(f"在 {where} 等候", f"listening at {where}"))
    elif device.partition(":")[0] not in _URLS:
        raise CallerError("config_invalid", f"device {device!r} is not one of {KNOWN}")
    else:
        with open_port(device, rate) as port:
            yield Bench(PortWire(port, kind.decoder()), asked, Words(device, device))


def _simulated(kind: Kind, name: str = "") -> Words:
    words = kind_words(kind.name, kind.summary)
    return Words(f"模拟的{words.zh} {name}".strip(), f"simulated {words.en} {name}".strip())


def run_checks(bench: Bench, checks: tuple[Check, ...]) -> Iterator[Case]:
    """Run the checks one by one; a case each, as it ends."""
    shown: Pictures = ()
    for check in checks:
        bench.wire.forget()
        began = time.monotonic()
        verdict, reason, reason_zh = _run(check, bench)
        seconds = time.monotonic() - began
        bench.wire.settle()
        told = () if verdict is Verdict.PASSED else bench.wire.frames
        lines = tuple(frame.describe() for frame in told)
        lines_zh = tuple(frame.describe(DAMAGED_ZH) for frame in told)
        seen = Seen(tuple(map(row_of, bench.wire.frames)), bench.wire.forgotten)
        before, shown = shown, bench.pictures()
        fresh = shown if shown != before else ()
        yield Case(check.id, check.title, verdict, reason, check.clause, seconds, lines, fresh,
                   reason_zh, lines_zh, TITLES.get(check.title, ""), seen=(seen,))  # fmt: skip


def _run(check: Check, bench: Bench) -> tuple[Verdict, str, str]:
    """How it ended, and why: in English, and in Chinese where it has words of its own."""
    try:
        check.run(bench.wire, bench.person)
    except CheckFailedError as failed:
        return Verdict.FAILED, str(failed), failed.why_zh
    except NeedsPersonError as missing:
        return Verdict.SKIPPED, str(missing), missing.why_zh
    except (CallerError, OperatingError) as error:
        why_zh = error.detail_zh or f"{error.advice.zh}（{error.detail}）"
        return Verdict.ERROR, f"{type(error).__name__}: {error}", why_zh
    except OSError as error:
        return Verdict.ERROR, f"{type(error).__name__}: {error}", f"端口出错：{error}"
    except Exception:  # a check with a bug must not hide the others
        log.exception("sim_check_broken", check=check.id)
        return Verdict.ERROR, traceback.format_exc(limit=-2), ""
    return Verdict.PASSED, "", ""


@contextmanager
def open_port(device: str, baud: int) -> Iterator[serial.Serial]:
    """The port to a device: ``serial:/dev/…``, ``tcp:HOST:PORT`` or ``rfc2217:HOST:PORT``."""
    with open_at(_url(device), baud) as port:
        yield port


def _listening(simulated: Device, device: str) -> WsPort:
    if not isinstance(simulated, Talker):
        raise CallerError("config_invalid", "only a charger calls ws:")
    host, _, port = device.removeprefix("ws:").rpartition(":")
    if not port.isascii() or not port.isdecimal() or int(port) > 65_535:
        raise CallerError("config_invalid", f"device {device!r} is not ws:[HOST:]PORT")
    return WsPort(host or "127.0.0.1", int(port), simulated.SUBPROTOCOL)


def _url(device: str) -> str:
    name, _, rest = device.partition(":")
    if rest and name in _URLS:
        return _URLS[name] + rest
    raise CallerError("config_invalid", f"device {device!r} is not one of {REAL}")


@contextmanager
def open_at(path: str, baud: int) -> Iterator[serial.Serial]:
    """The port of a path or URL as pyserial takes it."""
    try:
        port = serial.serial_for_url(path, baudrate=baud, timeout=1)
    except (serial.SerialException, ValueError) as error:
        raise port_unusable(path, error) from error
    with port:
        yield port
