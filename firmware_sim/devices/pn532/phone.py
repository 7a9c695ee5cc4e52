"""A telephone that plays a Type 4 tag: an application with two files (NFC Forum Type 4 Tag 2.0).

This is how a wallet hands over a pay code by a tap. The file can only be read.
"""

from dataclasses import dataclass

from firmware_sim.limits import PHONE_MESSAGE_BYTES_MAX
from protocol.errors import CallerError
from protocol.framing import apdu, ndef
from protocol.framing.apdu import Apdu

NDEF_FILE = b"\xe1\x04"
READ_BYTES_MAX = 0xF0
_NO_WRITING = 0xFF


@dataclass(slots=True)
class PhoneSoftware:
    """The wallet's application with one message."""

    message: bytes
    _is_selected: bool = False
    _file: bytes | None = None

    def __post_init__(self) -> None:
        if len(self.message) > PHONE_MESSAGE_BYTES_MAX:
            raise CallerError(
                "field_invalid",
                f"a message has up to {PHONE_MESSAGE_BYTES_MAX} bytes",
                detail_zh=f"一条消息最多 {PHONE_MESSAGE_BYTES_MAX} 字节",
            )

    def reset(self) -> None:
        """As ``Software.reset``."""
        self._is_selected, self._file = False, None

    def apdu(self, command: bytes) -> bytes:
        """As ``Software.apdu``."""
        parsed = apdu.decode(command)
        if parsed is None:
            return apdu.WRONG_LENGTH
        if parsed.cla != 0x00:
            return apdu.CLASS_UNKNOWN
        if parsed.ins == apdu.SELECT:
            return self._select(parsed)
        if parsed.ins == apdu.READ_BINARY:
            return self._read(parsed)
        return apdu.INSTRUCTION_UNKNOWN

    def _select(self, command: Apdu) -> bytes:
        if command.p1 == apdu.BY_NAME:
            self.reset()
            self._is_selected = command.data == ndef.TYPE_4_APPLICATION
            return apdu.OK if self._is_selected else apdu.FILE_NOT_FOUND
        if command.p1 != 0x00 or command.p2 != 0x0C:
            return apdu.WRONG_PARAMETERS
        content = self._content(command.data) if self._is_selected else None
        if content is None:
            return apdu.FILE_NOT_FOUND
        self._file = content
        return apdu.OK

    def _content(self, name: bytes) -> bytes | None:
        if name == ndef.TYPE_4_CAPABILITIES:
            size = PHONE_MESSAGE_BYTES_MAX + 2
            control = b"\x04\x06" + NDEF_FILE + size.to_bytes(2, "big") + bytes([0x00, _NO_WRITING])
            return b"\x00\x0f\x20\x00" + bytes([READ_BYTES_MAX]) + b"\x00\x34" + control
        if name == NDEF_FILE:
            return len(self.message).to_bytes(2, "big") + self.message
        return None

    def _read(self, command: Apdu) -> bytes:
        if self._file is None:
            return apdu.CONDITIONS_NOT_MET
        offset = command.p1 << 8 | command.p2
        if command.expected is None or command.expected > READ_BYTES_MAX:
            return apdu.WRONG_LENGTH
        if offset >= len(self._file):
            return apdu.WRONG_OFFSET
        return self._file[offset : offset + command.expected] + apdu.OK
