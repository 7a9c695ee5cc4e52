"""Blocks between reader and chip card: numbers, chaining, repeats (ISO/IEC 14443-4, clause 7).

``IsoDepCard`` is the card's side and ``Initiator`` the reader chip's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from firmware_sim.devices.pn532.card import HALT, Card, CardAnswer, checked_uid
from firmware_sim.limits import APDU_BYTES_MAX, CARD_BLOCKS_MAX

ATS = bytes.fromhex("0578807002")
"""FSCI 8 (frames up to 256 bytes), FWI 7, CID supported."""
RATS, PPS, DESELECT = 0xE0, 0xD0, 0xC2
FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
_CHAINED, _CID, _NAD = 0x10, 0x08, 0x04
_CARD_FRAME_BYTES = 256
_CRC_BYTES = 2


class Software(Protocol):
    """What runs on the card."""

    def apdu(self, command: bytes) -> bytes:
        """Answer one command, status word included."""
        ...

    def reset(self) -> None:
        """Forget what was selected: the power is gone."""
        ...


@dataclass(slots=True)
class IsoDepCard:
    """A card that speaks blocks. ``exchanges`` counts the commands that its software answered."""

    uid: bytes
    software: Software
    sens_res: bytes = b"\x00\x04"
    sel_res: int = 0x20
    is_halted: bool = False
    exchanges: int = 0
    _is_selected: bool = False
    _is_active: bool = False
    _frame_bytes: int = _CARD_FRAME_BYTES
    _number: int = 1
    _incoming: bytearray = field(default_factory=bytearray)
    _outgoing: bytes = b""
    _last: bytes = b""

    def __post_init__(self) -> None:
        if len(checked_uid(self.uid)) == 7:
            self.sens_res = b"\x00\x44"

    def select(self) -> None:
        """As ``Card.select``."""
        self._is_selected, self._is_active, self.is_halted = True, False, False

    def power_off(self) -> None:
        """As ``Card.power_off``."""
        self._is_selected = self._is_active = self.is_halted = False
        self.software.reset()

    def transceive(self, frame: bytes) -> CardAnswer:
        """As ``Card.transceive``."""
        if not self._is_selected or not frame:
            return None
        if frame == HALT:
            self._halt()
            return None
        if not self._is_active:
            return self._activate(frame)
        pcb = frame[0]
        if pcb & 0xF7 == DESELECT:
            self._halt()
            return frame
        if pcb & 0xF0 == PPS and len(frame) in (2, 3):
            return frame[:1]
        if pcb & _NAD and pcb & 0xE2 == 0x02:
            return None  # not supported, so the block is left unanswered
        head = 2 if pcb & _CID else 1
        cid = frame[1:head]
        if pcb & 0xE2 == 0x02:
            return self._information(pcb, cid, frame[head:])
        if pcb & 0xE6 == 0xA2:
            return self._repeat(pcb, cid)
        return None

    def _halt(self) -> None:
        self._is_selected, self._is_active, self.is_halted = False, False, True
        self.software.reset()

    def _activate(self, frame: bytes) -> CardAnswer:
        if frame[0] != RATS or len(frame) != 2:
            return None
        size = min(frame[1] >> 4, len(FRAME_SIZES) - 1)
        self._frame_bytes, self._number, self._is_active = FRAME_SIZES[size], 1, True
        self._incoming.clear()
        self._outgoing = self._last = b""
        return ATS

    def _information(self, pcb: int, cid: bytes, content: bytes) -> CardAnswer:
        """Rules D, 2 and 10: the number follows the reader's, a link of a chain is acknowledged."""
        self._number = pcb & 1
        if len(self._incoming) + len(content) > APDU_BYTES_MAX:
            self._is_active = False
            return None
        self._incoming += content
        if pcb & _CHAINED:
            return self._say(bytes([0xA2 | pcb & _CID | self._number]) + cid)
        command = bytes(self._incoming)
        self._incoming.clear()
        self.exchanges += 1
        self._outgoing = self.software.apdu(command)
        return self._next(pcb & _CID, cid)

    def _next(self, has_cid: int, cid: bytes) -> bytes:
        room = self._frame_bytes - 1 - len(cid) - _CRC_BYTES
        piece, self._outgoing = self._outgoing[:room], self._outgoing[room:]
        chained = _CHAINED if self._outgoing else 0
        return self._say(bytes([0x02 | chained | has_cid | self._number]) + cid + piece)

    def _repeat(self, pcb: int, cid: bytes) -> CardAnswer:
        """Rules 11 to 13: say it again, say that you are here, or go on with the chain."""
        if pcb & 1 == self._number and self._last:
            return self._last
        if pcb & 0x10:  # a negative one
            return bytes([0xA2 | pcb & _CID | self._number]) + cid
        if not self._outgoing:
            return None
        self._number ^= 1
        return self._next(pcb & _CID, cid)

    def _say(self, block: bytes) -> bytes:
        self._last = block
        return block


@dataclass(slots=True)
class Initiator:
    """The reader chip's side of one activated card."""

    frame_bytes: int
    _number: int = 0

    def exchange(self, card: Card, command: bytes) -> bytes | None:
        """Carry a command to the card and its answer back; ``None`` where the card is lost."""
        answer: CardAnswer = None
        room = self.frame_bytes - 1 - _CRC_BYTES
        pieces = [command[start : start + room] for start in range(0, len(command), room)] or [b""]
        for position, piece in enumerate(pieces):
            is_last = position == len(pieces) - 1
            pcb = 0x02 | (0 if is_last else _CHAINED) | self._number
            answer = card.transceive(bytes([pcb]) + piece)
            if not isinstance(answer, bytes) or not answer:
                return None
            if not is_last and answer[0] != 0xA2 | self._number:
                return None
            self._number ^= not is_last
        return self._collect(card.transceive, answer)

    def _collect(
        self, transceive: Callable[[bytes], CardAnswer], answer: CardAnswer
    ) -> bytes | None:
        found = bytearray()
        for _ in range(CARD_BLOCKS_MAX):
            if not isinstance(answer, bytes) or not answer or answer[0] & 0xEE != 0x02:
                return None
            if answer[0] & 1 != self._number:
                return None
            found += answer[1:]
            self._number ^= 1
            if not answer[0] & _CHAINED:
                return bytes(found)
            answer = transceive(bytes([0xA2 | self._number]))
        return None

    def is_present(self, card: Card) -> bool:
        """Ask for the last block and take the acknowledgement (7.5.6, method 2)."""
        return card.transceive(bytes([0xB2 | self._number])) is not None
