"""The MIFARE Classic EV1 1K card: 16 sectors of 4 blocks under two keys (NXP MF1S50YYX_V1 3.2).

Its cipher is not simulated: the reader's chip asks ``authenticate`` whether the key is right, and
all frames after that are in clear. A card asked for a block by a bare frame stays silent, as it
does for every reader that does not speak its cipher.
"""

from dataclasses import dataclass, field

from firmware_sim.devices.pn532.card import (
    DONE,
    HALT,
    WRITE_REFUSED,
    CardAnswer,
    checked_uid,
)
from protocol.errors import CallerError

BLOCKS, BLOCK_BYTES, SECTOR_BLOCKS, KEY_BYTES = 64, 16, 4, 6
TRANSPORT_TRAILER = bytes.fromhex("FFFFFFFFFFFF FF078069 FFFFFFFFFFFF")
KEY_A, KEY_B = 0x60, 0x61
READ, WRITE, DECREMENT, INCREMENT, RESTORE, TRANSFER = 0x30, 0xA0, 0xC0, 0xC1, 0xC2, 0xB0
Keys = frozenset[int]
_A, _B, _AB = frozenset({KEY_A}), frozenset({KEY_B}), frozenset({KEY_A, KEY_B})
_NONE: Keys = frozenset()

# access bits C1 C2 C3 of a data block: who reads, writes, increments, decrements (table 8)
_DATA: dict[int, tuple[Keys, Keys, Keys, Keys]] = {
    0b000: (_AB, _AB, _AB, _AB), 0b010: (_AB, _NONE, _NONE, _NONE),
    0b100: (_AB, _B, _NONE, _NONE), 0b110: (_AB, _B, _B, _AB),
    0b001: (_AB, _NONE, _NONE, _AB), 0b011: (_B, _B, _NONE, _NONE),
    0b101: (_B, _NONE, _NONE, _NONE), 0b111: (_NONE, _NONE, _NONE, _NONE),
}  # fmt: skip
# of a trailer: who writes key A, reads and writes the access bits, reads and writes key B (table 7)
_TRAILER: dict[int, tuple[Keys, Keys, Keys, Keys, Keys]] = {
    0b000: (_A, _A, _NONE, _A, _A), 0b010: (_NONE, _A, _NONE, _A, _NONE),
    0b100: (_B, _AB, _NONE, _NONE, _B), 0b110: (_NONE, _AB, _NONE, _NONE, _NONE),
    0b001: (_A, _A, _A, _A, _A), 0b011: (_B, _AB, _B, _NONE, _B),
    0b101: (_NONE, _AB, _B, _NONE, _NONE), 0b111: (_NONE, _AB, _NONE, _NONE, _NONE),
}  # fmt: skip


def access_bits(trailer: bytes) -> tuple[int, int, int, int] | None:
    """C1 C2 C3 of the sector's four blocks; ``None`` where the bits contradict their inverses."""
    six, seven, eight = trailer[6:9]
    c1, c2, c3 = seven >> 4, eight & 0x0F, eight >> 4
    if (six & 0x0F, six >> 4, seven & 0x0F) != (c1 ^ 0x0F, c2 ^ 0x0F, c3 ^ 0x0F):
        return None
    one, two, three, four = (
        (c1 >> block & 1) << 2 | (c2 >> block & 1) << 1 | (c3 >> block & 1) for block in range(4)
    )
    return one, two, three, four


@dataclass(slots=True)
class MifareClassic:
    """One card. ``write_block`` is the issuer's machine, all else is the reader's."""

    uid: bytes
    sens_res: bytes = b"\x00\x04"
    sel_res: int = 0x08
    is_halted: bool = False
    _memory: bytearray = field(default_factory=bytearray)
    _is_active: bool = False
    _sector: int | None = None
    _key: int = KEY_A
    _waiting: tuple[int, int] | None = None
    _register: bytes = b""

    def __post_init__(self) -> None:
        if len(checked_uid(self.uid)) != 4:
            raise CallerError(
                "field_invalid",
                "a MIFARE Classic here has a UID of 4 bytes",
                detail_zh="这里的 MIFARE Classic 的 UID 是 4 字节",
            )
        check = self.uid[0] ^ self.uid[1] ^ self.uid[2] ^ self.uid[3]
        self._memory = bytearray(BLOCKS * BLOCK_BYTES)
        self._memory[:8] = self.uid + bytes([check, 0x08, 0x04, 0x00])
        for sector in range(BLOCKS // SECTOR_BLOCKS):
            self.write_block(sector * SECTOR_BLOCKS + 3, TRANSPORT_TRAILER)

    def block(self, number: int) -> bytes:
        """A block as it lies in memory, keys included."""
        return bytes(self._memory[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES])

    def write_block(self, number: int, content: bytes) -> None:
        """Put 16 bytes into a block without a key; ``field_invalid`` where there is none."""
        if not 0 <= number < BLOCKS or len(content) != BLOCK_BYTES:
            raise CallerError(
                "field_invalid",
                "a block has 16 bytes and a number from 0 to 63",
                detail_zh="一块有 16 字节，块号是 0 到 63",
            )
        self._memory[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES] = content

    def select(self) -> None:
        """As ``Card.select``."""
        self._is_active, self._sector, self._waiting, self._register = True, None, None, b""
        self.is_halted = False

    def power_off(self) -> None:
        """As ``Card.power_off``."""
        self._is_active, self._sector, self._waiting, self.is_halted = False, None, None, False

    def authenticate(self, block: int, key_type: int, key: bytes) -> bool:
        """Open a block's sector. A wrong key closes the card until it is selected again.

        Key B opens nothing where it can be read (table 7).
        """
        self._sector = self._waiting = None
        if not self._is_active or block >= BLOCKS:
            return False
        sector = block // SECTOR_BLOCKS
        trailer = self.block(sector * SECTOR_BLOCKS + 3)
        bits = access_bits(trailer)
        wanted = trailer[:KEY_BYTES] if key_type == KEY_A else trailer[-KEY_BYTES:]
        is_open = bits is not None and key == wanted
        if key_type == KEY_B and bits is not None and _TRAILER[bits[3]][3]:
            is_open = False
        if not is_open:
            self._is_active = False
            return False
        self._sector, self._key = sector, key_type
        return True

    def transceive(self, frame: bytes) -> CardAnswer:
        """As ``Card.transceive``: blocks of the open sector only."""
        if not self._is_active or frame == HALT or self._sector is None:
            self.is_halted = self.is_halted or (self._is_active and frame == HALT)
            self._is_active = False
            return None
        if self._waiting is not None:
            command, block = self._waiting
            self._waiting = None
            return self._second_half(command, block, frame)
        answer = self._first_half(frame)
        if answer == WRITE_REFUSED:
            self._is_active, self._sector = False, None
        return answer

    def _first_half(self, frame: bytes) -> CardAnswer:
        if len(frame) != 2 or frame[1] >= BLOCKS or frame[1] // SECTOR_BLOCKS != self._sector:
            return WRITE_REFUSED
        command, block = frame
        if command == READ:
            return self._read(block)
        if command == TRANSFER:
            return self._transfer(block)
        if command == WRITE and block != 0:
            self._waiting = command, block
            return DONE
        rights = {INCREMENT: 2, DECREMENT: 3, RESTORE: 3}.get(command)
        if rights is None or not self._may(block, rights) or _value(self.block(block)) is None:
            return WRITE_REFUSED
        self._waiting = command, block
        return DONE

    def _second_half(self, command: int, block: int, frame: bytes) -> CardAnswer:
        if command == WRITE:
            done = len(frame) == BLOCK_BYTES and self._write(block, frame)
            return DONE if done else WRITE_REFUSED
        value = _value(self.block(block))
        if len(frame) != 4 or value is None:
            return WRITE_REFUSED
        amount = int.from_bytes(frame, "little", signed=True)
        value += {INCREMENT: amount, DECREMENT: -amount, RESTORE: 0}[command]
        if not -(2**31) <= value < 2**31:
            return WRITE_REFUSED
        self._register = value_block(value, self.block(block)[12])
        return None  # the second half is answered by silence

    def _bits(self, block: int) -> int:
        bits = access_bits(self.block(block | 3))
        return 0b111 if bits is None else bits[block % SECTOR_BLOCKS]

    def _may(self, block: int, right: int) -> bool:
        """Whether the key in use has a right of a data block: read, write, increment, decrement."""
        return block % SECTOR_BLOCKS != 3 and self._key in _DATA[self._bits(block)][right]

    def _read(self, block: int) -> CardAnswer:
        if block % SECTOR_BLOCKS != 3:
            return self.block(block) if self._may(block, 0) else WRITE_REFUSED
        rights, content = _TRAILER[self._bits(block)], self.block(block)
        access = content[6:10] if self._key in rights[1] else bytes(4)
        key_b = content[10:] if self._key in rights[3] else bytes(KEY_BYTES)
        return bytes(KEY_BYTES) + access + key_b

    def _write(self, block: int, content: bytes) -> bool:
        if block % SECTOR_BLOCKS != 3:
            if self._may(block, 1):
                self.write_block(block, content)
                return True
            return False
        rights, merged = _TRAILER[self._bits(block)], bytearray(self.block(block))
        for right, place in ((0, slice(0, 6)), (2, slice(6, 10)), (4, slice(10, 16))):
            if self._key in rights[right]:
                merged[place] = content[place]
        is_changed = any(self._key in rights[right] for right in (0, 2, 4))
        self.write_block(block, bytes(merged))
        return is_changed

    def _transfer(self, block: int) -> CardAnswer:
        if block == 0 or not self._register or not self._may(block, 3):
            return WRITE_REFUSED
        self.write_block(block, self._register)
        return DONE


def value_block(value: int, address: int) -> bytes:
    """A number three times, once inverted, and an address four times (clause 8.6.2.1)."""
    number = value.to_bytes(4, "little", signed=True)
    inverse = bytes(byte ^ 0xFF for byte in number)
    return number + inverse + number + bytes([address, address ^ 0xFF, address, address ^ 0xFF])


def _value(block: bytes) -> int | None:
    value = int.from_bytes(block[:4], "little", signed=True)
    return value if block == value_block(value, block[12]) else None
