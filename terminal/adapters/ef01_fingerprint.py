"""An EF01 fingerprint sensor (ZFM-20, R30x, R503) on a serial port.

Every acknowledgement's sum is checked; a damaged one is asked for again, for all instructions
used here may be repeated without harm.
"""

import time
from collections.abc import Callable
from functools import partial

from protocol.errors import OperatingError, from_code
from protocol.framing import ef01
from protocol.framing.ef01 import Confirmation, Instruction, Pid
from terminal.adapters.limits import (
    FINGER_ATTEMPTS_MAX,
    FINGER_OVERTIME_S,
    FINGER_REPLY_ALL_S,
    FINGER_REPLY_GAP_S,
    FINGER_REPLY_S,
    FINGER_RETRY_S,
)
from terminal.adapters.serial_worker import Dialogue, Port, SerialWorker, open_serial
from terminal.ports import Match

_BUFFER = 1
_ACK_BYTES = {Instruction.SEARCH: 5, Instruction.READ_SYS_PARA: 17}
_POOR_IMAGE = (Confirmation.CAPTURE_FAILED, Confirmation.MESSY, Confirmation.FEW_FEATURES)


class Ef01FingerprintSensor:
    """``FingerprintSensor`` over an EF01 sensor. ``password`` is the sensor's own, 0 if none."""

    def __init__(
        self,
        path: str,
        *,
        baud: int = 57_600,
        password: int = 0,
        open_port: Callable[[], Port] | None = None,
    ) -> None:
        opener = open_port or partial(open_serial, path, baud)
        self._capacity = 0
        self._password = password.to_bytes(4, "big")
        self._worker = SerialWorker("fingerprint", opener, self._greet)

    @property
    def is_connected(self) -> bool:
        """Whether the port was open when last looked at."""
        return self._worker.is_connected

    async def identify(self, timeout_s: float) -> Match | None:
        """As ``FingerprintSensor.identify``."""
        job = partial(self._identify, timeout_s)
        return await self._worker.run(job, limit_s=timeout_s + FINGER_OVERTIME_S)

    async def aclose(self) -> None:
        """As ``FingerprintSensor.aclose``."""
        await self._worker.aclose()

    def _greet(self, dialogue: Dialogue) -> None:
        _demand(_ask(dialogue, Instruction.VERIFY_PASSWORD, *self._password))
        parameters = _ask(dialogue, Instruction.READ_SYS_PARA)
        _demand(parameters)
        self._capacity = int.from_bytes(parameters[5:7], "big")

    def _identify(self, timeout_s: float, dialogue: Dialogue) -> Match | None:
        deadline = time.monotonic() + timeout_s
        while True:
            if _capture(dialogue):
                return self._search(dialogue)
            if time.monotonic() >= deadline:
                raise from_code("finger_timeout")
            dialogue.pause(FINGER_RETRY_S)

    def _search(self, dialogue: Dialogue) -> Match | None:
        capacity = self._capacity.to_bytes(2, "big")
        found = _ask(dialogue, Instruction.SEARCH, _BUFFER, 0, 0, *capacity)
        if found[0] == Confirmation.NOT_FOUND:
            return None
        _demand(found)
        return Match(int.from_bytes(found[1:3], "big"), int.from_bytes(found[3:5], "big"))


def _capture(dialogue: Dialogue) -> bool:
    """Whether a finger lies on the glass and its features are in the buffer."""
    image = _ask(dialogue, Instruction.GET_IMAGE)
    if image[0] in (Confirmation.NO_FINGER, *_POOR_IMAGE):
        return False
    _demand(image)
    features = _ask(dialogue, Instruction.IMG2TZ, _BUFFER)
    if features[0] in _POOR_IMAGE:
        return False
    _demand(features)
    return True


def _demand(acknowledgement: bytes) -> None:
    if acknowledgement[0] != Confirmation.OK:
        raise OperatingError("biometric_unavailable", f"sensor code {acknowledgement[0]:#04x}")


def _ask(dialogue: Dialogue, instruction: Instruction, *arguments: int) -> bytes:
    """The acknowledgement's payload; its first byte is the confirmation code."""
    damaged = False
    for _ in range(FINGER_ATTEMPTS_MAX):
        dialogue.discard_input()
        dialogue.send(ef01.command(instruction, *arguments))
        parser = ef01.PacketParser()
        packet = _first_packet(dialogue, parser)
        if isinstance(packet, ef01.Packet) and _is_answer(packet, instruction):
            return packet.payload
        damaged = damaged or packet is not None or parser.is_mid_packet
    raise OperatingError("device_bad_frame" if damaged else "device_no_reply", "fingerprint")


def _first_packet(
    dialogue: Dialogue, parser: ef01.PacketParser
) -> ef01.Packet | ef01.BadPacket | None:
    """What the sensor says first, within the reply's time, its bytes not too far apart."""
    began = time.monotonic()
    until = began + FINGER_REPLY_S
    while data := dialogue.receive(until):
        packets = parser.feed(data)
        if packets:
            return packets[0]
        until = min(began + FINGER_REPLY_ALL_S, time.monotonic() + FINGER_REPLY_GAP_S)
    return None


def _is_answer(packet: ef01.Packet, instruction: Instruction) -> bool:
    """An acknowledgement of the right length that does not complain of our bytes."""
    if packet.pid != Pid.ACK or not packet.payload:
        return False
    code = packet.payload[0]
    if code == Confirmation.RECEIVE_ERROR:
        return False
    return code != Confirmation.OK or len(packet.payload) >= _ACK_BYTES.get(instruction, 1)
