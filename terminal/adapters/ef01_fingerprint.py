"""An EF01 fingerprint sensor (ZFM-20, R30x, R503) on a serial port.

Rule 1: every acknowledgement's sum and address are checked; a damaged one is asked for again, for
all instructions used here may be repeated without harm.
Rule 2: a finger counts as enrolled only when the sensor's own index says that its slot is used.
Rule 3: a sensor that lost its power wants its password again; it gets it, once for each job.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TypeVar

from protocol.errors import CallerError, OperatingError, from_code
from protocol.framing import ef01
from protocol.framing.ef01 import Confirmation, Instruction, Pid
from terminal.adapters.limits import (
    FINGER_ATTEMPTS_MAX,
    FINGER_INDEX_PAGES_MAX,
    FINGER_LIBRARY_LIMIT_S,
    FINGER_OVERTIME_S,
    FINGER_REPLY_ALL_S,
    FINGER_REPLY_GAP_S,
    FINGER_REPLY_S,
    FINGER_RETRY_S,
)
from terminal.adapters.serial_worker import Dialogue, Port, SerialWorker, open_serial
from terminal.ports import Match

_INDEX_BYTES = 32
_ACK_BYTES = {
    Instruction.SEARCH: 5,
    Instruction.READ_SYS_PARA: 17,
    Instruction.INDEX_TABLE: 1 + _INDEX_BYTES,
}
_POOR_IMAGE = (Confirmation.CAPTURE_FAILED, Confirmation.MESSY, Confirmation.FEW_FEATURES)
Answer = TypeVar("Answer")


class EnrolStep(StrEnum):
    """What the person is to do next."""

    PLACE = "place"
    LIFT = "lift"
    PLACE_AGAIN = "place_again"


@dataclass(frozen=True, slots=True)
class Library:
    """How many fingers the sensor holds at most, and the slots that are used."""

    capacity: int
    slots: tuple[int, ...]


class _LockedError(OperatingError):
    """The sensor wants its password."""


class Ef01FingerprintSensor:
    """``FingerprintSensor`` over an EF01 sensor. ``password`` is the sensor's own, 0 if none."""

    def __init__(
        self,
        path: str,
        *,
        baud: int = 57_600,
        password: int = 0,
        address: int = ef01.ADDRESS_DEFAULT,
        open_port: Callable[[], Port] | None = None,
    ) -> None:
        opener = open_port or partial(open_serial, path, baud)
        self._capacity = 0
        self._password = password.to_bytes(4, "big")
        self._address = address
        self._worker = SerialWorker("fingerprint", opener, self._greet)

    @property
    def is_connected(self) -> bool:
        """Whether the port was open when last looked at."""
        return self._worker.is_connected

    async def identify(self, timeout_s: float) -> Match | None:
        """As ``FingerprintSensor.identify``."""
        return await self._run(partial(self._identify, timeout_s), timeout_s + FINGER_OVERTIME_S)

    async def enrol(
        self, *, slot: int | None, timeout_s: float, tell: Callable[[EnrolStep], None]
    ) -> int:
        """Enrol a finger by two touches; returns its slot, the lowest free one for ``None``.

        ``tell`` is called on the port's thread. ``finger_known`` for a finger that is enrolled,
        ``finger_differs`` for two fingers, ``finger_library_full``, ``field_invalid`` for a slot
        that is used or does not exist, ``finger_timeout`` where a touch or the lifting takes
        longer than ``timeout_s``. Ends within three times ``timeout_s`` + 8 s.
        """
        job = partial(self._enrol, slot, timeout_s, tell)
        return await self._run(job, 3 * timeout_s + FINGER_OVERTIME_S)

    async def library(self) -> Library:
        """The slots in use. Ends within 12 s."""
        return await self._run(self._library, FINGER_LIBRARY_LIMIT_S)

    async def delete(self, slot: int) -> bool:
        """Free a slot; says whether it was used. ``field_invalid`` if there is none such.

        Ends within 12 s.
        """
        return await self._run(partial(self._delete, slot), FINGER_LIBRARY_LIMIT_S)

    async def aclose(self) -> None:
        """As ``FingerprintSensor.aclose``."""
        await self._worker.aclose()

    async def _run(self, job: Callable[[Dialogue], Answer], limit_s: float) -> Answer:
        return await self._worker.run(partial(self._unlocked, job), limit_s=limit_s)

    def _unlocked(self, job: Callable[[Dialogue], Answer], dialogue: Dialogue) -> Answer:
        try:
            return job(dialogue)
        except _LockedError:
            self._greet(dialogue)
            return job(dialogue)

    def _greet(self, dialogue: Dialogue) -> None:
        _demand(self._ask(dialogue, Instruction.VERIFY_PASSWORD, *self._password))
        parameters = self._ask(dialogue, Instruction.READ_SYS_PARA)
        _demand(parameters)
        self._capacity = int.from_bytes(parameters[5:7], "big")

    def _identify(self, timeout_s: float, dialogue: Dialogue) -> Match | None:
        self._await_touch(dialogue, 1, timeout_s)
        return self._search(dialogue)

    def _enrol(
        self,
        slot: int | None,
        timeout_s: float,
        tell: Callable[[EnrolStep], None],
        dialogue: Dialogue,
    ) -> int:
        chosen = _free_slot(self._library(dialogue), slot)
        tell(EnrolStep.PLACE)
        self._await_touch(dialogue, 1, timeout_s)
        if self._search(dialogue) is not None:
            raise from_code("finger_known")
        tell(EnrolStep.LIFT)
        self._await_lift(dialogue, timeout_s)
        tell(EnrolStep.PLACE_AGAIN)
        self._await_touch(dialogue, 2, timeout_s)
        merged = self._ask(dialogue, Instruction.REG_MODEL)
        if merged[0] == Confirmation.MERGE_MISMATCH:
            raise from_code("finger_differs")
        _demand(merged)
        _demand(self._ask(dialogue, Instruction.STORE, 1, *chosen.to_bytes(2, "big")))
        if chosen not in self._library(dialogue).slots:
            raise OperatingError("biometric_unavailable", f"slot {chosen} is still empty")
        return chosen

    def _library(self, dialogue: Dialogue) -> Library:
        pages = -(-self._capacity // (8 * _INDEX_BYTES))
        slots: list[int] = []
        for page in range(min(pages, FINGER_INDEX_PAGES_MAX)):
            table = self._ask(dialogue, Instruction.INDEX_TABLE, page)
            _demand(table)
            slots += ef01.index_slots(table[1 : 1 + _INDEX_BYTES], page)
        return Library(self._capacity, tuple(slots))

    def _delete(self, slot: int, dialogue: Dialogue) -> bool:
        before = self._library(dialogue)
        if not 0 <= slot < before.capacity:
            raise CallerError(
                "field_invalid", f"slot {slot} is not within 0..{before.capacity - 1}"
            )
        _demand(self._ask(dialogue, Instruction.DELETE, *slot.to_bytes(2, "big"), 0, 1))
        if slot in self._library(dialogue).slots:
            raise OperatingError("biometric_unavailable", f"slot {slot} is still used")
        return slot in before.slots

    def _search(self, dialogue: Dialogue) -> Match | None:
        capacity = self._capacity.to_bytes(2, "big")
        found = self._ask(dialogue, Instruction.SEARCH, 1, 0, 0, *capacity)
        if found[0] == Confirmation.NOT_FOUND:
            return None
        _demand(found)
        return Match(int.from_bytes(found[1:3], "big"), int.from_bytes(found[3:5], "big"))

    def _await_touch(self, dialogue: Dialogue, buffer: int, timeout_s: float) -> None:
        """Until a finger's features are in the buffer."""
        deadline = time.monotonic() + timeout_s
        while not self._capture(dialogue, buffer):
            if time.monotonic() >= deadline:
                raise from_code("finger_timeout")
            dialogue.pause(FINGER_RETRY_S)

    def _await_lift(self, dialogue: Dialogue, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while self._ask(dialogue, Instruction.GET_IMAGE)[0] != Confirmation.NO_FINGER:
            if time.monotonic() >= deadline:
                raise from_code("finger_timeout", "the finger was not lifted")
            dialogue.pause(FINGER_RETRY_S)

    def _capture(self, dialogue: Dialogue, buffer: int) -> bool:
        """Whether a finger lies on the glass and its features are in the buffer."""
        image = self._ask(dialogue, Instruction.GET_IMAGE)
        if image[0] in (Confirmation.NO_FINGER, *_POOR_IMAGE):
            return False
        _demand(image)
        features = self._ask(dialogue, Instruction.IMG2TZ, buffer)
        if features[0] in _POOR_IMAGE:
            return False
        _demand(features)
        return True

    def _ask(self, dialogue: Dialogue, instruction: Instruction, *arguments: int) -> bytes:
        return _ask(dialogue, instruction, *arguments, address=self._address)


def _free_slot(library: Library, wanted: int | None) -> int:
    if wanted is None:
        free = set(range(library.capacity)) - set(library.slots)
        if not free:
            raise from_code("finger_library_full")
        return min(free)
    if not 0 <= wanted < library.capacity or wanted in library.slots:
        raise CallerError("field_invalid", f"slot {wanted} is used or does not exist")
    return wanted


def _demand(acknowledgement: bytes) -> None:
    code = acknowledgement[0]
    if code != Confirmation.OK:
        known = Confirmation(code).name.lower() if code in set(Confirmation) else "unknown"
        raise OperatingError("biometric_unavailable", f"the sensor says {code:02X}h, {known}")


def _ask(
    dialogue: Dialogue,
    instruction: Instruction,
    *arguments: int,
    address: int = ef01.ADDRESS_DEFAULT,
) -> bytes:
    """The acknowledgement's payload; its first byte is the confirmation code."""
    damaged = False
    for _ in range(FINGER_ATTEMPTS_MAX):
        dialogue.discard_input()
        dialogue.send(ef01.command(instruction, *arguments, address=address))
        parser = ef01.PacketParser()
        packet = _first_packet(dialogue, parser)
        if isinstance(packet, ef01.Packet) and _is_answer(packet, instruction, address):
            if packet.payload[0] == Confirmation.PASSWORD_NEEDED:
                raise _LockedError("biometric_unavailable", "the sensor wants its password")
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


def _is_answer(packet: ef01.Packet, instruction: Instruction, address: int) -> bool:
    """This sensor's acknowledgement with no complaint of our bytes. One of another length is a
    late answer to another instruction.
    """
    if packet.pid != Pid.ACK or packet.address != address or not packet.payload:
        return False
    code = packet.payload[0]
    if code == Confirmation.RECEIVE_ERROR:
        return False
    return code != Confirmation.OK or len(packet.payload) == _ACK_BYTES.get(instruction, 1)
