"""BER-TLV data objects as payment cards use them (EMV 4.3 Book 3, annex B).

A tag has one or two bytes, a length one to three. Constructed objects (bit 6 of the tag) hold
others.
"""

from collections.abc import Iterator

from protocol.framing.limits import TLV_DEPTH_MAX

_CONSTRUCTED, _LONG_TAG, _LONG_LENGTH = 0x20, 0x1F, 0x80


def encode(tag: int, value: bytes) -> bytes:
    """One object; up to 65,535 bytes of value."""
    size = len(value)
    if size < _LONG_LENGTH:
        length = bytes([size])
    elif size <= 0xFF:
        length = bytes([0x81, size])
    else:
        length = b"\x82" + size.to_bytes(2, "big")
    return tag.to_bytes(2 if tag > 0xFF else 1, "big") + length + value


def objects(data: bytes) -> list[tuple[int, bytes]]:
    """The objects side by side in ``data``; ``ValueError`` where the lengths do not fit.

    Bytes 00 between objects are padding (annex B1).
    """
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        if data[at] == 0:
            at += 1
            continue
        tag, at = _tag(data, at)
        size, at = _length(data, at)
        if at + size > len(data):
            raise ValueError("an object ends beyond its field")
        found.append((tag, data[at : at + size]))
        at += size
    return found


def walk(data: bytes, depth: int = 0) -> Iterator[tuple[int, bytes]]:
    """Every object in ``data`` and inside the constructed ones, outer first; ``ValueError`` as
    ``objects`` and beyond ``TLV_DEPTH_MAX``."""
    if depth >= TLV_DEPTH_MAX:
        raise ValueError("objects lie too deep")
    for tag, value in objects(data):
        yield tag, value
        first = tag >> 8 if tag > 0xFF else tag
        if first & _CONSTRUCTED:
            yield from walk(value, depth + 1)


def find(data: bytes, tag: int) -> bytes | None:
    """The value of the first object with this tag, at whatever depth."""
    return next((value for found, value in walk(data) if found == tag), None)


def _tag(data: bytes, at: int) -> tuple[int, int]:
    if data[at] & _LONG_TAG != _LONG_TAG:
        return data[at], at + 1
    if at + 1 >= len(data) or data[at + 1] & 0x80:
        raise ValueError("a tag of more than two bytes")
    return data[at] << 8 | data[at + 1], at + 2


def _length(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise ValueError("an object without a length")
    first = data[at]
    if first < _LONG_LENGTH:
        return first, at + 1
    count = first & 0x7F
    if count not in (1, 2) or at + 1 + count > len(data):
        raise ValueError("a length that no object here has")
    return int.from_bytes(data[at + 1 : at + 1 + count], "big"), at + 1 + count
