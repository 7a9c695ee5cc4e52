"""MDB/ICP 4.2 blocks: nine-bit words between a vending machine and its peripherals.

Rule 1: a word is a byte and the mode bit (``MODE``). The master sets it on an address byte, the
peripheral on the last byte of what it says.
Rule 2: a block has at most 36 bytes, and ends with the sum of its other bytes modulo 256, but for
the one-word answers ACK, NAK and RET.
Rule 3: a peripheral's single word with the mode bit is ACK or NAK; a master's without it is ACK,
NAK or RET.
"""

from dataclasses import dataclass
from enum import IntEnum

from protocol.errors import CallerError
from protocol.framing.limits import MDB_BLOCK_BYTES_MAX

MODE = 0x100
Block = tuple[int, ...]
"""The words of one block, as sent."""

ADDRESS_MASK = 0xF8
CHANGER, CASHLESS_1, CASHLESS_2 = 0x08, 0x10, 0x60
ACK, RET, NAK = 0x00, 0xAA, 0xFF
ANSWER_ACK: Block = (MODE | ACK,)
ANSWER_NAK: Block = (MODE | NAK,)
MASTER_ACK, MASTER_RET, MASTER_NAK = (ACK,), (RET,), (NAK,)
FUNDS_UNKNOWN = 0xFFFF
PRICE_MAX = 0xFFFE


class Changer(IntEnum):
    """Commands of a coin changer, added to its address (chapter 5)."""

    RESET = 0
    SETUP = 1
    TUBES = 2
    POLL = 3
    COIN_TYPE = 4
    DISPENSE = 5
    EXPANSION = 7


class Cashless(IntEnum):
    """Commands of a cashless reader, added to its address (chapter 7)."""

    RESET = 0
    SETUP = 1
    POLL = 2
    VEND = 3
    READER = 4
    EXPANSION = 7


class Setup(IntEnum):
    """What a SETUP of a cashless reader says first."""

    CONFIG = 0
    PRICES = 1


class Vend(IntEnum):
    """What a VEND says first."""

    REQUEST = 0
    CANCEL = 1
    SUCCESS = 2
    FAILURE = 3
    SESSION_COMPLETE = 4
    CASH_SALE = 5


class Reader(IntEnum):
    """What a READER says first."""

    DISABLE = 0
    ENABLE = 1
    CANCEL = 2


class Expansion(IntEnum):
    """What an EXPANSION says first: of both, of the reader, of the changer."""

    ID = 0
    FEATURES = 1
    OPTIONS = 4
    DIAGNOSE = 5


class Said(IntEnum):
    """What a cashless reader says first."""

    JUST_RESET = 0x00
    CONFIG = 0x01
    BEGIN_SESSION = 0x03
    CANCEL_REQUEST = 0x04
    APPROVED = 0x05
    DENIED = 0x06
    END_SESSION = 0x07
    CANCELLED = 0x08
    ID = 0x09
    ERROR = 0x0A
    OUT_OF_SEQUENCE = 0x0B


@dataclass(frozen=True, slots=True)
class Damaged:
    """A block that broke on the way."""

    why: str


def checksum(data: bytes) -> int:
    """The sum modulo 256."""
    return sum(data) & 0xFF


def encode_command(data: bytes) -> Block:
    """A master's block; the first byte is the address and command."""
    _check_length(data)
    return (MODE | data[0], *data[1:], checksum(data))


def encode_answer(data: bytes) -> Block:
    """A peripheral's block of data."""
    _check_length(data)
    return (*data, MODE | checksum(data))


def parse_command(block: Block) -> bytes | Damaged:
    """The bytes of a master's block, without the checksum."""
    if len(block) < 2 or len(block) > MDB_BLOCK_BYTES_MAX:
        return Damaged("length")
    if not block[0] & MODE or any(word & MODE for word in block[1:]):
        return Damaged("mode_bit")
    return _checked(block)


def parse_answer(block: Block) -> bytes | Damaged:
    """The bytes of a peripheral's block of data; not for ACK and NAK."""
    if len(block) < 2 or len(block) > MDB_BLOCK_BYTES_MAX:
        return Damaged("length")
    if not block[-1] & MODE or any(word & MODE for word in block[:-1]):
        return Damaged("mode_bit")
    return _checked(block)


def bcd_currency(number: str) -> bytes:
    """An ISO 4217 number as MDB has it: ``1`` and three digits, packed (``156``: 11 56)."""
    return bytes.fromhex("1" + number)


def _checked(block: Block) -> bytes | Damaged:
    data = bytes(word & 0xFF for word in block)
    return data[:-1] if checksum(data[:-1]) == data[-1] else Damaged("checksum")


def _check_length(data: bytes) -> None:
    if not 1 <= len(data) < MDB_BLOCK_BYTES_MAX:
        raise CallerError("field_invalid", f"an MDB block of {len(data)} bytes and its checksum")
