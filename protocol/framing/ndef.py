"""NDEF messages with text and address records (NFC Forum NDEF 1.0, RTD Text 1.0, RTD URI 1.0), and
the place where a Type 2 tag keeps one (Type 2 Tag 1.2, clause 2.3).
"""

from dataclasses import dataclass

from protocol.framing.limits import NDEF_RECORDS_MAX

WELL_KNOWN = 1
TEXT, URI = b"T", b"U"
TLV_NULL, TLV_MESSAGE, TLV_TERMINATOR = 0x00, 0x03, 0xFE
TYPE_4_APPLICATION = bytes.fromhex("D2760000850101")
TYPE_4_CAPABILITIES = b"\xe1\x03"
"""The file that says which file holds the message (Type 4 Tag 2.0, clause 5.1)."""
_BEGIN, _END, _CHUNK, _SHORT, _HAS_ID, _TNF = 0x80, 0x40, 0x20, 0x10, 0x08, 0x07
_UTF16 = 0x80
_BYTE_ORDERS = (b"\xfe\xff", b"\xff\xfe")
_URI_PREFIXES = ("", "http://www.", "https://www.", "http://", "https://", "tel:", "mailto:")


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its name format, type and payload."""

    name_format: int
    type: bytes
    payload: bytes


def text_record(text: str) -> Record:
    """A text record in UTF-8 whose language is given as English."""
    return Record(WELL_KNOWN, TEXT, b"\x02en" + text.encode())


def uri_record(uri: str) -> Record:
    """An address record, its beginning abbreviated where the standard has a number for it."""
    best = max(
        (code for code, prefix in enumerate(_URI_PREFIXES) if uri.startswith(prefix)),
        key=lambda code: len(_URI_PREFIXES[code]),
    )
    rest = uri[len(_URI_PREFIXES[best]) :]
    return Record(WELL_KNOWN, URI, bytes([best]) + rest.encode())


def encode(records: list[Record]) -> bytes:
    """The message of one or more records, none of them cut into chunks."""
    parts = []
    for number, record in enumerate(records):
        flags = record.name_format | (_BEGIN if number == 0 else 0)
        flags |= _END if number == len(records) - 1 else 0
        size = len(record.payload)
        if size <= 0xFF:
            flags, length = flags | _SHORT, bytes([size])
        else:
            length = size.to_bytes(4, "big")
        parts.append(bytes([flags, len(record.type)]) + length + record.type + record.payload)
    return b"".join(parts)


def decode(message: bytes) -> list[Record]:
    """The records of a message; ``ValueError`` for what is none or is cut into chunks."""
    records: list[Record] = []
    at = 0
    while True:
        if at + 3 > len(message) or len(records) >= NDEF_RECORDS_MAX:
            raise ValueError("no whole message")
        flags, type_size = message[at], message[at + 1]
        if flags & _CHUNK or bool(flags & _BEGIN) == bool(records):
            raise ValueError("a record that does not belong here")
        width = 1 if flags & _SHORT else 4
        size = int.from_bytes(message[at + 2 : at + 2 + width], "big")
        at += 2 + width
        id_size = 0
        if flags & _HAS_ID:
            id_size, at = message[at] if at < len(message) else 0, at + 1
        end = at + type_size + id_size + size
        if end > len(message):
            raise ValueError("a record ends beyond its message")
        payload = message[at + type_size + id_size : end]
        records.append(Record(flags & _TNF, message[at : at + type_size], payload))
        at = end
        if flags & _END:
            return records


def first_text(message: bytes) -> str | None:
    """What the first text record says, or the first address if there is no text.

    ``ValueError`` as ``decode`` and for bytes that are no text.
    """
    records = [record for record in decode(message) if record.name_format == WELL_KNOWN]
    for record in records:
        if record.type == TEXT and record.payload:
            status = record.payload[0]
            words = record.payload[1 + (status & 0x3F) :]
            if not status & _UTF16:
                return words.decode()
            return words.decode("utf-16" if words[:2] in _BYTE_ORDERS else "utf-16-be")
    for record in records:
        if record.type == URI and record.payload and record.payload[0] < len(_URI_PREFIXES):
            return _URI_PREFIXES[record.payload[0]] + record.payload[1:].decode()
    return None


def in_tag(message: bytes) -> bytes:
    """A message as a Type 2 tag keeps it from page 4 on."""
    size = len(message)
    length = bytes([size]) if size < 0xFF else b"\xff" + size.to_bytes(2, "big")
    return bytes([TLV_MESSAGE]) + length + message + bytes([TLV_TERMINATOR])


def tag_bytes_needed(memory: bytes) -> int | None:
    """How many bytes from page 4 on must be read to hold the whole message.

    ``memory`` is what was read so far. ``None``: there is no message.
    """
    span = _span(memory)
    return None if span is None else span[1]


def from_tag(memory: bytes) -> bytes | None:
    """The message in a Type 2 tag's memory from page 4 on; ``None`` if there is none."""
    span = _span(memory)
    if span is None or span[1] > len(memory):
        return None
    return memory[span[0] : span[1]]


def _span(memory: bytes) -> tuple[int, int] | None:
    """Where the message begins and ends; the end may lie beyond what was read."""
    at = 0
    while at < len(memory):
        kind = memory[at]
        if kind == TLV_TERMINATOR:
            return None
        if kind == TLV_NULL:
            at += 1
            continue
        head = memory[at + 1 : at + 4]
        if not head or (head[0] == 0xFF and len(head) < 3):
            return at, at + 4
        if head[0] == 0xFF:
            size, begin = int.from_bytes(head[1:3], "big"), at + 4
        else:
            size, begin = head[0], at + 2
        if kind == TLV_MESSAGE:
            return begin, begin + size
        at = begin + size
    return at, at + 2
