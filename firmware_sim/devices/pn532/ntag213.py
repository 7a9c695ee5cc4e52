"""The NTAG213 tag: 45 pages of 4 bytes, password, lock bits (NXP NTAG213/215/216 data sheet 3.2).

A command that is refused is answered by a nibble and the tag then sleeps until it is selected
again, as are unknown commands. Not simulated: the UID and counter mirrors, and the originality
signature, which here is zeros.
"""

from dataclasses import dataclass, field

from firmware_sim.devices.pn532.card import (
    DONE,
    HALT,
    REFUSED,
    WRITE_REFUSED,
    CardAnswer,
    checked_uid,
)
from firmware_sim.limits import NDEF_BYTES_MAX
from protocol.errors import CallerError
from protocol.framing import ndef

PAGES, PAGE_BYTES = 45, 4
USER_FIRST, USER_END = 4, 40
PAGE_LOCK, PAGE_CC, PAGE_LOCK_DYNAMIC, PAGE_CFG0, PAGE_CFG1, PAGE_PWD, PAGE_PACK = (
    2, 3, 40, 41, 42, 43, 44,
)  # fmt: skip
VERSION = bytes.fromhex("0004040201000F03")
AUTH0_OFF, PROTECT_READS, CONFIG_LOCKED, COUNTS, COUNTER_PROTECTED = 0xFF, 0x80, 0x40, 0x10, 0x08
COUNTER_MAX = 0xFFFFFF


def _blank(uid: bytes) -> bytearray:
    first = 0x88 ^ uid[0] ^ uid[1] ^ uid[2]
    second = uid[3] ^ uid[4] ^ uid[5] ^ uid[6]
    memory = bytearray(PAGES * PAGE_BYTES)
    memory[:10] = uid[:3] + bytes([first]) + uid[3:] + bytes([second, 0x48])
    memory[12:24] = bytes.fromhex("E1101200 0103A00C 340300FE")
    memory[PAGE_LOCK_DYNAMIC * 4 :] = bytes.fromhex("000000BD 040000FF 00050000 FFFFFFFF 00000000")
    return memory


@dataclass(slots=True)
class Ntag213:
    """One tag. ``write_message`` is the shop's encoder, all else is the reader's."""

    uid: bytes
    sens_res: bytes = b"\x00\x44"
    sel_res: int = 0x00
    is_halted: bool = False
    _memory: bytearray = field(default_factory=bytearray)
    _counter: int = 0
    _is_active: bool = False
    _is_authenticated: bool = False
    _has_counted: bool = False
    _failures: int = 0
    _writing: int | None = None

    def __post_init__(self) -> None:
        if len(checked_uid(self.uid)) != 7:
            raise CallerError(
                "field_invalid",
                "an NTAG213 has a UID of 7 bytes",
                detail_zh="NTAG213 的 UID 是 7 字节",
            )
        self._memory = _blank(self.uid)

    @property
    def message(self) -> bytes | None:
        """The NDEF message in the tag's memory."""
        return ndef.from_tag(bytes(self._memory[USER_FIRST * 4 : USER_END * 4]))

    def page(self, number: int) -> bytes:
        """A page as it lies in memory, password included."""
        return bytes(self._memory[number * 4 : number * 4 + 4])

    def write_message(self, message: bytes) -> None:
        """Put an NDEF message into the tag; ``field_invalid`` if it does not fit."""
        if len(message) > NDEF_BYTES_MAX:
            raise CallerError(
                "field_invalid",
                f"an NTAG213 holds {NDEF_BYTES_MAX} bytes of NDEF",
                detail_zh=f"NTAG213 能存 {NDEF_BYTES_MAX} 字节的 NDEF",
            )
        room = (USER_END - USER_FIRST) * 4
        self._memory[USER_FIRST * 4 : USER_END * 4] = ndef.in_tag(message).ljust(room, b"\x00")

    def select(self) -> None:
        """As ``Card.select``."""
        self._is_active, self._is_authenticated, self._writing = True, False, None
        self.is_halted = False

    def power_off(self) -> None:
        """As ``Card.power_off``."""
        self._is_active = self._is_authenticated = self._has_counted = self.is_halted = False
        self._writing = None

    def transceive(self, frame: bytes) -> CardAnswer:
        """As ``Card.transceive``."""
        if not self._is_active or not frame:
            return None
        if self._writing is not None:
            answer = self._second_half(frame)
        elif frame == HALT:
            answer, self.is_halted = None, True
        else:
            answer = self._command(frame)
        if not isinstance(answer, bytes) and answer != DONE:
            self._is_active = self._is_authenticated = False
        return answer

    def _command(self, frame: bytes) -> CardAnswer:
        code, arguments = frame[0], frame[1:]
        if code == 0x60 and not arguments:
            return VERSION
        if code == 0x30 and len(arguments) == 1:
            return self._read(arguments[0])
        if code == 0x3A and len(arguments) == 2:
            return self._fast_read(arguments[0], arguments[1])
        if code == 0xA2 and len(arguments) == 5:
            return self._write(arguments[0], arguments[1:])
        if code == 0xA0 and len(arguments) == 1 and self._may_write(arguments[0]):
            self._writing = arguments[0]
            return DONE
        if code == 0x39 and arguments == b"\x02":
            return self._read_counter()
        if code == 0x1B and len(arguments) == 4:
            return self._authenticate(arguments)
        if code == 0x3C and arguments == b"\x00":
            return bytes(32)
        return REFUSED

    def _second_half(self, frame: bytes) -> CardAnswer:
        page, self._writing = self._writing, None
        if page is None or len(frame) != 16:
            return REFUSED
        return self._write(page, frame[:4])

    def _config(self, offset: int) -> int:
        return self._memory[PAGE_CFG0 * 4 + offset]

    def _may_reach(self, page: int) -> bool:
        return self._is_authenticated or page < self._config(3)

    def _may_read(self, page: int) -> bool:
        return self._may_reach(page) or not self._config(4) & PROTECT_READS

    def _read(self, page: int) -> CardAnswer:
        """Four pages; after the last readable one it goes on with page 0 (clause 10.2)."""
        if page >= PAGES or not self._may_read(page):
            return REFUSED
        self._count()
        readable = [number for number in range(PAGES) if self._may_read(number)]
        first = readable.index(page)
        pages = [readable[(first + step) % len(readable)] for step in range(4)]
        return b"".join(map(self._shown, pages))

    def _fast_read(self, first: int, last: int) -> CardAnswer:
        if not first <= last < PAGES or not all(map(self._may_read, range(first, last + 1))):
            return REFUSED
        self._count()
        return b"".join(map(self._shown, range(first, last + 1)))

    def _shown(self, page: int) -> bytes:
        """Password and its answer are never shown."""
        return bytes(PAGE_BYTES) if page in (PAGE_PWD, PAGE_PACK) else self.page(page)

    def _count(self) -> None:
        """The first read after the field came on counts, where the counter is on."""
        if self._config(4) & COUNTS and not self._has_counted:
            self._has_counted = True
            self._counter = min(self._counter + 1, COUNTER_MAX)

    def _read_counter(self) -> CardAnswer:
        if self._config(4) & COUNTER_PROTECTED and not self._is_authenticated:
            return REFUSED
        return self._counter.to_bytes(3, "little")

    def _may_write(self, page: int) -> bool:
        if not PAGE_LOCK <= page < PAGES or not self._may_reach(page):
            return False
        if page in (PAGE_CFG0, PAGE_CFG1) and self._config(4) & CONFIG_LOCKED:
            return False
        return not self._is_locked(page)

    def _is_locked(self, page: int) -> bool:
        """Static lock bits for pages 3 to 15, dynamic ones for two pages each from 16 on."""
        static = int.from_bytes(self._memory[10:12], "little")
        dynamic = int.from_bytes(self._memory[PAGE_LOCK_DYNAMIC * 4 :][:2], "little")
        if page == PAGE_CC or USER_FIRST <= page < 16:
            return bool(static >> page & 1)
        return 16 <= page < USER_END and bool(dynamic >> (page - 16) // 2 & 1)

    def _write(self, page: int, content: bytes) -> CardAnswer:
        if not self._may_write(page):
            return REFUSED if page >= PAGES or page < PAGE_LOCK else WRITE_REFUSED
        start = page * 4
        if page == PAGE_LOCK:  # lock bits only ever rise, the UID's check byte stays
            self._memory[10] |= content[2]
            self._memory[11] |= content[3]
        elif page == PAGE_CC:
            for offset, value in enumerate(content):
                self._memory[start + offset] |= value
        elif page == PAGE_LOCK_DYNAMIC:
            for offset in range(3):
                self._memory[start + offset] |= content[offset]
        else:
            self._memory[start : start + 4] = content
        return DONE

    def _authenticate(self, password: bytes) -> CardAnswer:
        """A limit of 0 tries is none (clause 8.8.2)."""
        limit = self._config(4) & 0x07
        if limit and self._failures >= limit:
            return WRITE_REFUSED
        if password != self.page(PAGE_PWD):
            self._failures += bool(limit)
            return REFUSED
        self._failures, self._is_authenticated = 0, True
        return self.page(PAGE_PACK)[:2]
