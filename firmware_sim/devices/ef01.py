"""The EF01 fingerprint sensor, profile ZFM-20: image, two character buffers, a template library.

Fingers are names. A finger's image and template are noise expanded from a hash of its name, so
two touches of one finger are alike, two fingers never are, and nothing biometric exists here.

Reply lengths are those fixed-length readers rely on: Search always carries page and score,
ReadSysPara is 28 bytes on the wire, the index table 44.
"""

import hashlib
from dataclasses import dataclass, field

from firmware_sim.devices.device import Output
from firmware_sim.limits import FINGER_NAME_CHARS_MAX
from protocol.errors import CallerError
from protocol.framing import ef01
from protocol.framing.ef01 import Confirmation, Instruction, Pid

IMAGE_BYTES = 256 * 288 // 2
TEMPLATE_BYTES = 512
CAPACITY = 1000
SYSTEM_ID = 0x0009
PACKET_BYTES = (32, 64, 128, 256)
INDEX_PAGE_SLOTS = 256
MATCH_SCORE_MIN, MATCH_SCORE_SPAN = 80, 120
REPLY_MS, CAPTURE_MS, EXTRACT_MS, SEARCH_MS = 5, 200, 120, 60


def template_of(finger: str) -> bytes:
    """The template of a named finger: noise from its name, nothing measured."""
    return hashlib.shake_256(b"tillway-sim-template:" + finger.encode()).digest(TEMPLATE_BYTES)


def image_of(finger: str) -> bytes:
    """The picture of a named finger: noise from its name, 4 bits a pixel."""
    return hashlib.shake_256(b"tillway-sim-image:" + finger.encode()).digest(IMAGE_BYTES)


Answer = tuple[Confirmation, bytes]


@dataclass(slots=True)
class Ef01:
    """One sensor. ``place`` and ``lift`` are the person's hand; ``enrol`` is the shop's."""

    password: int = 0
    seed: int = 0
    _finger: str | None = None
    _image: str | None = None
    _buffers: dict[int, bytes] = field(default_factory=dict)
    _library: dict[int, bytes] = field(default_factory=dict)
    _parser: ef01.PacketParser = field(default_factory=ef01.PacketParser)
    _address: int = ef01.ADDRESS_DEFAULT
    _baud_code: int = 6
    _security: int = 3
    _packet_code: int = 2
    _is_unlocked: bool = False
    _filling: int | None = None
    _filled: bytearray = field(default_factory=bytearray)
    _draws: int = 0
    searches: int = 0

    @property
    def baud(self) -> int:
        """9600 times the rate code."""
        return 9600 * self._baud_code

    @property
    def finger(self) -> str | None:
        """Whose finger lies on the glass."""
        return self._finger

    @property
    def slots(self) -> list[int]:
        """The library's used slots."""
        return sorted(self._library)

    def place(self, finger: str) -> None:
        """Lay a finger on the glass."""
        self._finger = _checked_name(finger)

    def lift(self) -> None:
        """Take the finger away."""
        self._finger = None

    def enrol(self, finger: str, slot: int) -> None:
        """Put a finger's template into the library without the enrolment dance."""
        if not 0 <= slot < CAPACITY:
            raise CallerError("field_invalid", f"slot {slot} is not within 0..{CAPACITY - 1}")
        self._library[slot] = template_of(_checked_name(finger))

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Answer the packets in ``data``."""
        outputs: list[Output] = []
        for packet in self._parser.feed(data):
            if packet.address != self._address:
                continue
            if isinstance(packet, ef01.BadPacket):
                outputs.append(self._ack((Confirmation.RECEIVE_ERROR, b""), now_ms + REPLY_MS))
            elif packet.pid == Pid.COMMAND and packet.payload:
                outputs += self._command(packet.payload, now_ms)
            elif packet.pid in (Pid.DATA, Pid.END_OF_DATA):
                self._fill(packet)
        return outputs

    def poll(self, now_ms: int) -> list[Output]:
        """Nothing happens here by time alone."""
        del now_ms
        return []

    def next_deadline_ms(self) -> int | None:
        """Nothing happens here by time alone."""
        return None

    def _ack(self, answer: Answer, at_ms: int, baud: int | None = None) -> Output:
        packet = ef01.Packet(Pid.ACK, bytes([answer[0]]) + answer[1], self._address)
        return Output(at_ms, ef01.encode(packet), baud or self.baud)

    def _command(self, payload: bytes, now_ms: int) -> list[Output]:
        code, arguments = payload[0], payload[1:]
        if self.password and not self._is_unlocked and code != Instruction.VERIFY_PASSWORD:
            return [self._ack((Confirmation.PASSWORD_NEEDED, b""), now_ms + REPLY_MS)]
        entry = _COMMANDS.get(code)
        if entry is None:
            return [self._ack((Confirmation.UNDEFINED, b""), now_ms + REPLY_MS)]
        length, name, cost_ms = entry
        if len(arguments) != length:
            return [self._ack((Confirmation.RECEIVE_ERROR, b""), now_ms + REPLY_MS)]
        baud = self.baud  # a new rate counts after its acknowledgement
        answer: Answer = getattr(self, name)(arguments)
        at_ms = now_ms + REPLY_MS + cost_ms
        outputs = [self._ack(answer, at_ms, baud)]
        if answer[0] is Confirmation.OK and code in (Instruction.UP_IMAGE, Instruction.UP_CHAR):
            outputs += self._upload(code, arguments, at_ms)
        return outputs

    def _upload(self, code: int, arguments: bytes, at_ms: int) -> list[Output]:
        if code == Instruction.UP_IMAGE:
            content = image_of(self._image or "")
        else:
            content = self._buffers[arguments[0]]
        size = PACKET_BYTES[self._packet_code]
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        outputs = []
        for number, piece in enumerate(pieces, start=1):
            pid = Pid.END_OF_DATA if number == len(pieces) else Pid.DATA
            packet = ef01.Packet(pid, piece, self._address)
            outputs.append(Output(at_ms, ef01.encode(packet), self.baud))
        return outputs

    def _fill(self, packet: ef01.Packet) -> None:
        if self._filling is None:
            return
        self._filled += packet.payload[: TEMPLATE_BYTES - len(self._filled)]
        if packet.pid == Pid.END_OF_DATA:
            self._buffers[self._filling] = bytes(self._filled).ljust(TEMPLATE_BYTES, b"\x00")
            self._filling = None

    def _get_image(self, _: bytes) -> Answer:
        if self._finger is None:
            return Confirmation.NO_FINGER, b""
        self._image = self._finger
        return Confirmation.OK, b""

    def _img2tz(self, arguments: bytes) -> Answer:
        if arguments[0] not in (1, 2):
            return Confirmation.RECEIVE_ERROR, b""
        if self._image is None:
            return Confirmation.NO_IMAGE, b""
        self._buffers[arguments[0]] = template_of(self._image)
        return Confirmation.OK, b""

    def _match(self, _: bytes) -> Answer:
        one, two = self._buffers.get(1), self._buffers.get(2)
        if one is None or one != two:
            return Confirmation.NO_MATCH, bytes(2)
        return Confirmation.OK, _score(one).to_bytes(2, "big")

    def _search(self, arguments: bytes) -> Answer:
        self.searches += 1
        wanted = self._buffers.get(arguments[0])
        start = int.from_bytes(arguments[1:3], "big")
        end = min(start + int.from_bytes(arguments[3:5], "big"), CAPACITY)
        for slot in sorted(self._library):
            if wanted is not None and start <= slot < end and self._library[slot] == wanted:
                return Confirmation.OK, slot.to_bytes(2, "big") + _score(wanted).to_bytes(2, "big")
        return Confirmation.NOT_FOUND, bytes(4)

    def _reg_model(self, _: bytes) -> Answer:
        one = self._buffers.get(1)
        is_same = one is not None and one == self._buffers.get(2)
        return (Confirmation.OK if is_same else Confirmation.MERGE_MISMATCH), b""

    def _store(self, arguments: bytes) -> Answer:
        slot = int.from_bytes(arguments[1:3], "big")
        if slot >= CAPACITY:
            return Confirmation.PAGE_RANGE, b""
        if arguments[0] not in self._buffers:
            return Confirmation.NO_IMAGE, b""
        self._library[slot] = self._buffers[arguments[0]]
        return Confirmation.OK, b""

    def _load(self, arguments: bytes) -> Answer:
        slot = int.from_bytes(arguments[1:3], "big")
        if slot >= CAPACITY:
            return Confirmation.PAGE_RANGE, b""
        if slot not in self._library or arguments[0] not in (1, 2):
            return Confirmation.TEMPLATE_READ, b""
        self._buffers[arguments[0]] = self._library[slot]
        return Confirmation.OK, b""

    def _up_char(self, arguments: bytes) -> Answer:
        found = arguments[0] in self._buffers
        return (Confirmation.OK if found else Confirmation.UPLOAD_FAILED), b""

    def _down_char(self, arguments: bytes) -> Answer:
        if arguments[0] not in (1, 2):
            return Confirmation.DATA_REFUSED, b""
        self._filling, self._filled = arguments[0], bytearray()
        return Confirmation.OK, b""

    def _up_image(self, _: bytes) -> Answer:
        return (Confirmation.OK if self._image else Confirmation.IMAGE_UPLOAD_FAILED), b""

    def _delete(self, arguments: bytes) -> Answer:
        start, count = int.from_bytes(arguments[:2], "big"), int.from_bytes(arguments[2:], "big")
        if start + count > CAPACITY:
            return Confirmation.DELETE_FAILED, b""
        for slot in range(start, start + count):
            self._library.pop(slot, None)
        return Confirmation.OK, b""

    def _empty(self, _: bytes) -> Answer:
        self._library.clear()
        return Confirmation.OK, b""

    def _set_sys_para(self, arguments: bytes) -> Answer:
        number, value = arguments
        allowed = {4: range(1, 13), 5: range(1, 6), 6: range(4)}.get(number)
        if allowed is None:
            return Confirmation.BAD_REGISTER, b""
        if value not in allowed:
            return Confirmation.BAD_VALUE, b""
        if number == 4:
            self._baud_code = value
        elif number == 5:
            self._security = value
        else:
            self._packet_code = value
        return Confirmation.OK, b""

    def _read_sys_para(self, _: bytes) -> Answer:
        status = (self._is_unlocked << 2) | ((self._image is not None) << 3)
        words = (status, SYSTEM_ID, CAPACITY, self._security)
        tail = (self._packet_code, self._baud_code)
        body = b"".join(word.to_bytes(2, "big") for word in words)
        body += self._address.to_bytes(4, "big")
        return Confirmation.OK, body + b"".join(word.to_bytes(2, "big") for word in tail)

    def _verify_password(self, arguments: bytes) -> Answer:
        self._is_unlocked = int.from_bytes(arguments, "big") == self.password
        return (Confirmation.OK if self._is_unlocked else Confirmation.WRONG_PASSWORD), b""

    def _set_password(self, arguments: bytes) -> Answer:
        self.password, self._is_unlocked = int.from_bytes(arguments, "big"), True
        return Confirmation.OK, b""

    def _set_address(self, arguments: bytes) -> Answer:
        self._address = int.from_bytes(arguments, "big")
        return Confirmation.OK, b""

    def _random(self, _: bytes) -> Answer:
        self._draws += 1
        drawn = hashlib.shake_256(f"{self.seed}:{self._draws}".encode())
        return Confirmation.OK, drawn.digest(4)

    def _template_num(self, _: bytes) -> Answer:
        return Confirmation.OK, len(self._library).to_bytes(2, "big")

    def _index_table(self, arguments: bytes) -> Answer:
        first = arguments[0] * INDEX_PAGE_SLOTS
        bits = bytearray(INDEX_PAGE_SLOTS // 8)
        for slot in self._library:
            if first <= slot < first + INDEX_PAGE_SLOTS:
                bits[(slot - first) // 8] |= 1 << (slot - first) % 8
        return Confirmation.OK, bytes(bits)


# instruction: argument bytes, method, what it costs in ms beyond the reply
_COMMANDS: dict[int, tuple[int, str, int]] = {
    Instruction.GET_IMAGE: (0, "_get_image", CAPTURE_MS),
    Instruction.IMG2TZ: (1, "_img2tz", EXTRACT_MS),
    Instruction.MATCH: (0, "_match", 0),
    Instruction.SEARCH: (5, "_search", SEARCH_MS),
    Instruction.FAST_SEARCH: (5, "_search", SEARCH_MS),
    Instruction.REG_MODEL: (0, "_reg_model", 0),
    Instruction.STORE: (3, "_store", 0),
    Instruction.LOAD: (3, "_load", 0),
    Instruction.UP_CHAR: (1, "_up_char", 0),
    Instruction.DOWN_CHAR: (1, "_down_char", 0),
    Instruction.UP_IMAGE: (0, "_up_image", 0),
    Instruction.DELETE: (4, "_delete", 0),
    Instruction.EMPTY: (0, "_empty", 0),
    Instruction.SET_SYS_PARA: (2, "_set_sys_para", 0),
    Instruction.READ_SYS_PARA: (0, "_read_sys_para", 0),
    Instruction.SET_PASSWORD: (4, "_set_password", 0),
    Instruction.VERIFY_PASSWORD: (4, "_verify_password", 0),
    Instruction.RANDOM: (0, "_random", 0),
    Instruction.SET_ADDRESS: (4, "_set_address", 0),
    Instruction.TEMPLATE_NUM: (0, "_template_num", 0),
    Instruction.INDEX_TABLE: (1, "_index_table", 0),
}


def _score(template: bytes) -> int:
    return MATCH_SCORE_MIN + template[0] % MATCH_SCORE_SPAN


def _checked_name(finger: str) -> str:
    if not finger or len(finger) > FINGER_NAME_CHARS_MAX:
        raise CallerError(
            "field_invalid", f"a finger's name has 1 to {FINGER_NAME_CHARS_MAX} characters"
        )
    return finger
