"""The whole reading of a device: its sources one after another, cut to what an envelope takes."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from protocol import cbor
from protocol.limits import FINGERPRINT_BYTES_MAX
from terminal.ports import DeviceReader, Value

log = structlog.get_logger("terminal")


@dataclass(frozen=True, slots=True)
class WholeReader:
    """Reads all sources; ``still`` are the attributes that the program itself knows."""

    sources: Sequence[DeviceReader]
    still: Callable[[], dict[str, Value]]

    def read(self) -> dict[str, Value]:
        """The attributes of all sources. One that fails is left out and logged without values."""
        found = self.still()
        for source in self.sources:
            try:
                found |= source.read()
            except (OSError, ValueError, IndexError) as failed:
                log.warning("source_unreadable", source=type(source).__name__, why=str(failed))
        return fitting(found)


def fitting(attrs: dict[str, Value]) -> dict[str, Value]:
    """The attributes within ``FINGERPRINT_BYTES_MAX``: the largest sets become their digests."""
    found = dict(attrs)
    while len(cbor.encode(found)) > FINGERPRINT_BYTES_MAX:
        largest = max(found, key=lambda name: len(cbor.encode(found[name])))
        found[largest] = hashlib.sha256(cbor.encode(found[largest])).hexdigest()
    return found
