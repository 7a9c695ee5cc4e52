"""Goal: a link is a wire: it paces, garbles at the wrong rate, breaks and heals.

Method: the memory line and a clock moved by hand.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from firmware_sim.devices.ef01 import Ef01
from firmware_sim.faults import Fault, FaultKind
from firmware_sim.link import Link
from firmware_sim.transports.memory import MemoryLine
from firmware_sim.transports.spec import open_line
from protocol.errors import CallerError
from protocol.framing import ef01
from protocol.framing.ef01 import Instruction

COUNT = ef01.command(Instruction.TEMPLATE_NUM)
ANSWER = ef01.encode(ef01.Packet(ef01.Pid.ACK, b"\x00\x00\x00"))


class _Bench:
    """A sensor on a memory line, with time in the test's hands."""

    def __init__(self) -> None:
        self.now_ms = 1000
        self.line = MemoryLine()
        self.link = Link("sensor", Ef01(), lambda: self.line, lambda: self.now_ms)
        self.link.plug()
        self.task = asyncio.create_task(self.link.run())

    async def pass_time(self, milliseconds: int) -> None:
        """Move the clock and let the link notice."""
        self.now_ms += milliseconds
        self.link.act(lambda _: None)
        for _ in range(10):
            await asyncio.sleep(0)

    @property
    def heard(self) -> bytes:
        """What has reached the client."""
        return bytes(self.line._to_client)


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[_Bench]:
    """A bench, cleared away after."""
    made = _Bench()
    yield made
    made.task.cancel()
    made.link.unplug()
    await asyncio.gather(made.task, return_exceptions=True)


@pytest.mark.asyncio
async def test_bytes_leave_at_the_rate_of_the_line_and_not_before(bench: _Bench) -> None:
    bench.line.client_send(COUNT)
    await bench.pass_time(0)
    await bench.pass_time(4)
    assert bench.heard == b""  # the sensor thinks for 5 ms
    await bench.pass_time(4)
    assert bench.heard == ANSWER[:0] or ANSWER.startswith(bench.heard)
    await bench.pass_time(4)
    assert bench.heard == ANSWER  # 14 bytes at 57600 take 2.4 ms, in bursts of 3 ms


@pytest.mark.asyncio
async def test_a_client_at_the_wrong_rate_hears_and_is_heard_as_junk(bench: _Bench) -> None:
    bench.line.baud = 9600
    bench.line.client_send(COUNT)
    await bench.pass_time(0)
    await bench.pass_time(100)
    assert ANSWER not in bench.heard
    assert bench.link.counts.garbled_bytes >= len(COUNT)
    bench.line.baud = 57_600
    bench.line.client_send(bytes(300) + COUNT)
    await bench.pass_time(0)
    await bench.pass_time(100)
    assert bench.heard.endswith(ANSWER)


@pytest.mark.asyncio
async def test_an_unplugged_line_is_closed_and_a_new_one_is_served(bench: _Bench) -> None:
    bench.link.unplug()
    with pytest.raises(ConnectionError):
        bench.line.client_send(COUNT)
    assert bench.link.client_path is None
    bench.line = MemoryLine()
    bench.link.plug()
    bench.line.client_send(COUNT)
    await bench.pass_time(0)
    await bench.pass_time(100)
    assert bench.heard == ANSWER


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        (Fault(FaultKind.SILENT), b""),
        (Fault(FaultKind.DROP, at=1), ANSWER[:1] + ANSWER[2:]),
        (Fault(FaultKind.FLIP, at=0), bytes([ANSWER[0] ^ 4]) + ANSWER[1:]),
        (Fault(FaultKind.SLOW, slow_byte_ms=2), ANSWER),
    ],
)
async def test_a_fault_does_what_it_says(bench: _Bench, fault: Fault, heard: bytes) -> None:
    bench.link.set_fault(fault)
    bench.line.client_send(COUNT)
    await bench.pass_time(0)
    await bench.pass_time(500)
    assert bench.heard == heard


@pytest.mark.asyncio
async def test_a_cut_pulls_the_plug_in_the_middle(bench: _Bench) -> None:
    bench.link.set_fault(Fault(FaultKind.CUT, at=5))
    bench.line.client_send(COUNT)
    await bench.pass_time(0)
    await bench.pass_time(500)
    assert bench.heard == ANSWER[:5]
    assert bench.link.client_path is None


@pytest.mark.parametrize("spec", ["tcp:127.0.0.1:9100", "rfc2217:x:1", "serial:/dev/x", "usb"])
def test_a_transport_not_built_is_refused_by_name(spec: str) -> None:
    with pytest.raises(CallerError, match="config_invalid") as refusal:
        open_line(spec)
    assert spec in refusal.value.detail
