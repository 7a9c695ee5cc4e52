"""Commands to a PN532 and its answers, on a line that may lose or damage them.

Rule 1: a command that was acknowledged is not sent again: the chip is asked to repeat its answer.
Only a command that got no acknowledgement, or was refused, is, after the chip was woken and set up
anew.
Rule 2: an answer counts if its checksum holds, it belongs to the command, and the command was
acknowledged before it: noise can make the chip repeat an older one.
"""

import time
from dataclasses import dataclass

from protocol.errors import OperatingError
from protocol.framing import pn532
from protocol.framing.pn532 import ERROR_BITS, MORE, Code, Status
from terminal.adapters.limits import (
    CARD_PARTS_MAX,
    READER_ATTEMPTS_MAX,
    READER_REPLY_ALL_S,
    READER_REPLY_GAP_S,
    READER_REPLY_S,
    READER_SETTLE_S,
)
from terminal.adapters.serial_worker import Dialogue

_NORMAL_MODE = b"\x01\x14\x01"
_LOOK_TWICE = b"\x05\xff\x01\x01"
_ACTIVATE_CHIP_CARDS = b"\x14"
_FIELD_OFF = b"\x01\x00"
_SETUP = (
    (Code.SAM_CONFIGURATION, _NORMAL_MODE),
    (Code.RF_CONFIGURATION, _LOOK_TWICE),
    (Code.SET_PARAMETERS, _ACTIVATE_CHIP_CARDS),
)
_ONE_OF_TYPE_A = b"\x01\x00"
_FIRST = b"\x01"
_HEAD_BYTES = 6


class CardLostError(Exception):
    """The card was taken away, or refuses to go on."""


@dataclass(frozen=True, slots=True)
class Found:
    """A card before the antenna: its SAK and UID."""

    sel_res: int
    uid: bytes

    @property
    def speaks_blocks(self) -> bool:
        """Whether it takes commands as chip cards do (ISO/IEC 14443-4)."""
        return bool(self.sel_res & 0x20)


@dataclass(slots=True)
class _Heard:
    answer: bytes | None = None
    is_acknowledged: bool = False
    is_damaged: bool = False


def settle(dialogue: Dialogue) -> None:
    """Stop what the chip may still be doing for a caller that no longer waits."""
    dialogue.send(pn532.ACK)
    dialogue.pause(READER_SETTLE_S)
    dialogue.discard_input()


def set_up(dialogue: Dialogue) -> None:
    """Wake the chip and make it look briefly, for cards of type A."""
    dialogue.send(pn532.WAKE_UP)
    for code, arguments in _SETUP:
        _ask(dialogue, code, arguments)


def find_card(dialogue: Dialogue) -> Found | None:
    """Look once; the card that is found is ready for ``transceive``."""
    listed = _ask(dialogue, Code.IN_LIST_PASSIVE_TARGET, _ONE_OF_TYPE_A)
    if listed[:1] == b"\x00":
        return None
    if len(listed) < _HEAD_BYTES or len(listed) < _HEAD_BYTES + listed[5]:
        raise OperatingError("device_bad_frame", "reader: target")
    return Found(listed[4], listed[_HEAD_BYTES : _HEAD_BYTES + listed[5]])


def transceive(dialogue: Dialogue, command: bytes) -> bytes:
    """A command to the card that was found, and its whole answer; ``CardLostError``."""
    answer = b""
    for _ in range(CARD_PARTS_MAX):
        told = _ask(dialogue, Code.IN_DATA_EXCHANGE, _FIRST + command)
        if not told:
            raise OperatingError("device_bad_frame", "reader: status")
        if told[0] & ERROR_BITS != Status.OK:
            raise CardLostError
        answer += told[1:]
        if not told[0] & MORE:
            return answer
        command = b""
    raise OperatingError("device_bad_frame", "reader: answer without end")


def switch_off(dialogue: Dialogue) -> None:
    """No field: the card forgets what it was told, and the next look begins anew."""
    _ask(dialogue, Code.RF_CONFIGURATION, _FIELD_OFF)


def _ask(dialogue: Dialogue, code: int, arguments: bytes) -> bytes:
    frame, is_damaged = pn532.command(code, arguments), False
    heard = _say(dialogue, frame, code)
    for _ in range(READER_ATTEMPTS_MAX - 1):
        if heard.answer is not None:
            return heard.answer
        is_damaged = is_damaged or heard.is_damaged or heard.is_acknowledged
        if heard.is_acknowledged:
            heard = _say(dialogue, pn532.NACK, code, is_acknowledged=True)
        else:
            _wake(dialogue, before=code)
            heard = _say(dialogue, frame, code)
    if heard.answer is not None:
        return heard.answer
    is_damaged = is_damaged or heard.is_damaged
    raise OperatingError("device_bad_frame" if is_damaged else "device_no_reply", "reader")


def _wake(dialogue: Dialogue, *, before: int) -> None:
    """A chip whose power was cut sleeps and has forgotten its set-up."""
    dialogue.send(pn532.WAKE_UP)
    for code, arguments in _SETUP:
        if code == before or _say(dialogue, pn532.command(code, arguments), code).answer is None:
            return


def _say(dialogue: Dialogue, data: bytes, code: int, *, is_acknowledged: bool = False) -> _Heard:
    """Send, and listen until the answer is there or the line falls silent."""
    dialogue.discard_input()
    dialogue.send(data)
    parser, heard = pn532.FrameParser(needs_postamble=True), _Heard(is_acknowledged=is_acknowledged)
    began = time.monotonic()
    until = began + READER_REPLY_S
    while received := dialogue.receive(until):
        for item in parser.feed(received):
            if isinstance(item, pn532.Ack):
                heard.is_acknowledged = True
            elif isinstance(item, pn532.Data) and item.tfi == pn532.SYNTAX_ERROR:
                heard.is_acknowledged, heard.is_damaged = False, True  # it heard something else
                return heard
            elif isinstance(item, pn532.Data) and item.payload[:1] == bytes([code + 1]):
                if heard.is_acknowledged:
                    heard.answer = item.payload[1:]
                heard.is_damaged = True  # without its acknowledgement it may be an older answer
                return heard
            elif not isinstance(item, pn532.Skipped):
                heard.is_damaged = True
        wait_s = READER_REPLY_GAP_S if parser.is_mid_frame else READER_REPLY_S
        until = min(began + READER_REPLY_ALL_S, time.monotonic() + wait_s)
    heard.is_damaged = heard.is_damaged or parser.is_mid_frame
    return heard
