"""A trace as a capture file for wire tools.

pcap 2.4 in microseconds, link type 250 (LINKTYPE_RTAC_SERIAL): each packet is a header of twelve
bytes (seconds, microseconds, event type, control lines, footer; big-endian) and the bytes on the
line. Event 1 is data sent by the host, event 2 data received by it. Several devices share a file:
``Trace.only`` one where the tool must tell them apart.
"""

import struct
from collections.abc import Iterator

from firmware_sim.frames import Side
from firmware_sim.limits import TRACE_FRAME_BYTES_MAX
from firmware_sim.recording.trace import Said, Trace

LINKTYPE_RTAC_SERIAL = 250
SNAP_BYTES = TRACE_FRAME_BYTES_MAX + 12
_MAGIC, _MAJOR, _MINOR = 0xA1B2C3D4, 2, 4
_EVENTS = {Side.HOST: 1, Side.DEVICE: 2}


def to_pcap(trace: Trace) -> Iterator[bytes]:
    """The file, piece by piece."""
    yield struct.pack("<IHHiIII", _MAGIC, _MAJOR, _MINOR, 0, 0, SNAP_BYTES, LINKTYPE_RTAC_SERIAL)
    for event in trace.events:
        if isinstance(event, Said):
            seconds, micros = divmod(event.t_ms * 1000, 1_000_000)
            header = struct.pack(">IIBBH", seconds, micros, _EVENTS[event.side], 0, 0)
            packet = header + event.data()
            yield struct.pack("<IIII", seconds, micros, len(packet), len(packet)) + packet
