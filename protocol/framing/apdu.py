"""Short commands to chip cards and their status words (ISO/IEC 7816-3 clause 12.1, 7816-4)."""

from dataclasses import dataclass

SELECT, READ_RECORD, READ_BINARY, GET_DATA, GET_PROCESSING_OPTIONS = 0xA4, 0xB2, 0xB0, 0xCA, 0xA8
BY_NAME = 0x04
OK = b"\x90\x00"
WRONG_LENGTH = b"\x67\x00"
CONDITIONS_NOT_MET = b"\x69\x85"
FUNCTION_NOT_SUPPORTED = b"\x6a\x81"
FILE_NOT_FOUND = b"\x6a\x82"
RECORD_NOT_FOUND = b"\x6a\x83"
WRONG_PARAMETERS = b"\x6a\x86"
DATA_NOT_FOUND = b"\x6a\x88"
WRONG_OFFSET = b"\x6b\x00"
INSTRUCTION_UNKNOWN = b"\x6d\x00"
CLASS_UNKNOWN = b"\x6e\x00"
_DATA_BYTES_MAX = 255


@dataclass(frozen=True, slots=True)
class Apdu:
    """One command. ``expected``: how many bytes may come back (1 to 256), ``None``: none."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    expected: int | None = None


def encode(command: Apdu) -> bytes:
    """The bytes of a command."""
    if len(command.data) > _DATA_BYTES_MAX:
        raise ValueError("a short command carries at most 255 bytes")
    head = bytes([command.cla, command.ins, command.p1, command.p2])
    if command.data:
        head += bytes([len(command.data)]) + command.data
    return head if command.expected is None else head + bytes([command.expected & 0xFF])


def decode(data: bytes) -> Apdu | None:
    """The command in ``data``; ``None`` where its lengths contradict each other."""
    if len(data) < 4:
        return None
    cla, ins, p1, p2 = data[:4]
    body = data[4:]
    if len(body) <= 1:
        return Apdu(cla, ins, p1, p2, expected=(body[0] or 256) if body else None)
    size = body[0]
    if size == 0 or len(body) not in (1 + size, 2 + size):
        return None
    expected = (body[-1] or 256) if len(body) == 2 + size else None
    return Apdu(cla, ins, p1, p2, body[1 : 1 + size], expected)


def select(name: bytes) -> bytes:
    """The command that selects an application by its name."""
    return encode(Apdu(0x00, SELECT, BY_NAME, 0x00, name, expected=256))


def read_record(record: int, sfi: int) -> bytes:
    """The command that reads a record of the file with a short identifier."""
    return encode(Apdu(0x00, READ_RECORD, record, sfi << 3 | 0x04, expected=256))


def get_processing_options(values: bytes) -> bytes:
    """The command that begins a payment; ``values`` are those the card asked for."""
    data = b"\x83" + bytes([len(values)]) + values
    return encode(Apdu(0x80, GET_PROCESSING_OPTIONS, 0x00, 0x00, data, expected=256))


def read_binary(offset: int, count: int) -> bytes:
    """The command that reads ``count`` (1 to 256) bytes of the selected file."""
    return encode(Apdu(0x00, READ_BINARY, offset >> 8, offset & 0xFF, expected=count))
