"""A tap between a driver and a real device: what both say goes through, and is recorded."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from firmware_sim.clock import SteadyClock
from firmware_sim.conformance.running import open_port
from firmware_sim.frames import Frame, Side
from firmware_sim.kinds.registry import kind_named
from firmware_sim.line_reading import LineReader
from firmware_sim.recording.file import TraceFile
from firmware_sim.recording.trace import Head, said
from firmware_sim.transports.spec import open_line
from protocol.errors import OperatingError

DEVICE = "device"


async def record_between(
    kind_name: str,
    device: str,
    out: Path,
    *,
    baud: int | None,
    transport: str,
    say: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM. The rate of the driver's side is the real port's."""
    kind = kind_named(kind_name)
    factory = kind.build(kind.entry.model_validate({"kind": kind.name}), b"")
    rate = baud or factory.baud
    loop, now_ms = asyncio.get_running_loop(), SteadyClock().now_ms
    stop, began_ms, reader = asyncio.Event(), now_ms(), LineReader(kind.decoder())
    head = Head(tillway_trace=1, board="recorded", seed=0, devices={DEVICE: kind.name})
    with open_port(device, rate) as port, TraceFile(out) as file:
        file.write(head)

        def keep(frames: list[Frame], at_ms: int) -> None:
            for frame in frames:
                file.write(said(frame, DEVICE, at_ms - began_ms))

        def hear(side: Side, data: bytes) -> None:
            at_ms = now_ms()
            keep(reader.feed(side, data, at_ms), at_ms)

        def from_driver(data: bytes) -> None:
            if line.client_baud not in (None, port.baudrate):
                port.baudrate = line.client_baud
            hear(Side.HOST, data)
            port.write(data)

        line = open_line(transport, rate)
        line.open(from_driver)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        say(f"your driver opens {line.client_path}")
        port.timeout = 0.05
        try:
            while not stop.is_set():
                data = await asyncio.to_thread(lambda: port.read(max(1, port.in_waiting)))
                if data:
                    hear(Side.DEVICE, data)
                    line.write(data)
                else:
                    keep(reader.settle(now_ms()), now_ms())
        except OSError as error:
            raise OperatingError("device_disconnected", f"{device}: {error}") from error
        finally:
            keep(reader.end(), now_ms())
            line.close()
    say(f"wrote {out}")
