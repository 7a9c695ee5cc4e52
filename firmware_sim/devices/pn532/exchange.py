"""The chip's ways to talk with a card: InDataExchange and InCommunicateThru (UM0701-02, 7.3.8/9).

The manual leaves open how a card's refusal is told; here it is *format error* after
InDataExchange, and in bare exchanges what the radio sees: four bits where a checksum should be.
"""

from firmware_sim.devices.pn532.card import DONE, Card, CardAnswer, Nibble, crc_a
from firmware_sim.devices.pn532.field import Field, Target
from firmware_sim.devices.pn532.mifare_classic import (
    DECREMENT,
    INCREMENT,
    KEY_A,
    KEY_B,
    KEY_BYTES,
    RESTORE,
    WRITE,
    MifareClassic,
)
from firmware_sim.limits import APDU_BYTES_MAX
from protocol.framing.limits import PN532_DATA_BYTES_MAX
from protocol.framing.pn532 import MORE, Status

ANSWER_BYTES_MAX = PN532_DATA_BYTES_MAX - 2
"""Of a card, in one frame behind the answer's code and status."""
_UID_BYTES = 4


def exchange(field: Field, arguments: bytes) -> bytes:
    """InDataExchange: status and what the card said, in parts if it is long."""
    number, content = arguments[0] & 0x0F, arguments[1:]
    target = field.targets.get(number)
    if target is None:
        return _status(Status.CONTEXT)
    if not field.is_near(target) or not (target.is_selected or field.select(number)):
        return _status(Status.TIMEOUT)
    field.current = number
    target = field.targets[number]
    if target.initiator is None:
        return _plain(target.card, content)
    return _blocks(target, content, has_more=bool(arguments[0] & MORE))


def communicate(field: Field, frame: bytes, *, adds_checksum: bool, checks_checksum: bool) -> bytes:
    """InCommunicateThru: status and the bare answer of the current card."""
    target = field.targets.get(field.current)
    if not adds_checksum:
        if len(frame) < 3 or crc_a(frame[:-2]) != frame[-2:]:
            return _status(Status.TIMEOUT)
        frame = frame[:-2]
    if target is None or not frame or not field.is_near(target):
        return _status(Status.TIMEOUT)
    answer = target.card.transceive(frame)
    if answer is None:
        return _status(Status.TIMEOUT)
    if isinstance(answer, Nibble):
        return _status(Status.CRC) if checks_checksum else bytes([Status.OK, answer.value])
    return bytes([Status.OK]) + answer + (b"" if checks_checksum else crc_a(answer))


def _blocks(target: Target, content: bytes, *, has_more: bool) -> bytes:
    if not content and target.rest:
        return _part(target)
    target.rest = b""
    if len(target.sending) + len(content) > APDU_BYTES_MAX:
        target.sending.clear()
        return _status(Status.BUFFER)
    target.sending += content
    if has_more:
        return _status(Status.OK)
    command = bytes(target.sending)
    target.sending.clear()
    answer = target.initiator.exchange(target.card, command) if target.initiator else None
    if answer is None:
        return _status(Status.TIMEOUT)
    target.rest = answer
    return _part(target)


def _part(target: Target) -> bytes:
    part, target.rest = target.rest[:ANSWER_BYTES_MAX], target.rest[ANSWER_BYTES_MAX:]
    return bytes([MORE if target.rest else Status.OK]) + part


def _plain(card: Card, content: bytes) -> bytes:
    """A card without blocks: the chip knows the commands that come in two halves and the keys."""
    if not content:
        return _status(Status.TIMEOUT)
    code = content[0]
    if code in (KEY_A, KEY_B) and isinstance(card, MifareClassic):
        return _status(_authenticate(card, content))
    if code == WRITE and len(content) == 18:
        return _told(_in_halves(card, content, is_second_silent=False))
    if code in (INCREMENT, DECREMENT, RESTORE) and len(content) == 6:
        return _told(_in_halves(card, content, is_second_silent=True))
    return _told(card.transceive(content))


def _authenticate(card: MifareClassic, content: bytes) -> Status:
    if len(content) != 2 + KEY_BYTES + _UID_BYTES:
        return Status.PARAMETER
    if content[2 + KEY_BYTES :] != card.uid[-_UID_BYTES:]:
        return Status.AUTHENTICATION
    is_open = card.authenticate(content[1], content[0], content[2 : 2 + KEY_BYTES])
    return Status.OK if is_open else Status.AUTHENTICATION


def _in_halves(card: Card, content: bytes, *, is_second_silent: bool) -> CardAnswer:
    first = card.transceive(content[:2])
    if first != DONE:
        return first
    second = card.transceive(content[2:])
    return DONE if is_second_silent and second is None else second


def _told(answer: CardAnswer) -> bytes:
    if answer is None:
        return _status(Status.TIMEOUT)
    if isinstance(answer, Nibble):
        return _status(Status.OK if answer == DONE else Status.FORMAT)
    return bytes([Status.OK]) + answer


def _status(status: Status) -> bytes:
    return bytes([status])
