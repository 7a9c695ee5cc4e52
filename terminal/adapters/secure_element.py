"""A secure element on a serial port (``docs/secure-element.md``).

Rule 1: a command that got no sound answer is said again with the same sequence number; the element
answers a repeat without doing it twice, so nothing is signed, counted or tried a second time.
Rule 2: the PIN is said only to an element that asks for it, and never when two or fewer tries are
left: a wrong file must not block an element.
Rule 3: a signature counts only if it holds under the key that was asked for.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from protocol.crypto.keys import VerifyKey
from protocol.crypto.suites import suite_named
from protocol.errors import CallerError, OperatingError, from_code
from protocol.framing import secure_element as wire
from protocol.framing.secure_element import Answer, Command, Flag, Instruction, Status
from terminal.adapters.limits import (
    ELEMENT_ATTEMPTS_MAX,
    ELEMENT_CALL_S,
    ELEMENT_REPLY_ALL_S,
    ELEMENT_REPLY_GAP_S,
    ELEMENT_REPLY_S,
    ELEMENT_TRIES_KEPT,
)
from terminal.adapters.serial_worker import Dialogue, Port, SerialWorker, open_serial

SUITE = "ES256"
_STATUS_BYTES, _COUNTER_BYTES, _PUBLIC_BYTES, _SIGNATURE_BYTES = 12, 8, 65, 64
_WRONG_PIN_MASK = 0xFFF0
_SEQUENCES = 256


@dataclass(frozen=True, slots=True)
class ElementStatus:
    """What an element says of itself; ``slots`` are those that hold a key."""

    serial: str
    is_initialised: bool
    is_unlocked: bool
    is_tampered: bool
    tries_left: int
    slots: tuple[int, ...]


class SerialSecureElement:
    """An element, unlocked with ``pin`` where there is one.

    Every call ends within ``ELEMENT_CALL_S`` with a value or an ``OperatingError`` of the port
    (``device_no_reply``, ``device_bad_frame``, ``device_disconnected``, ``busy``), or
    ``element_locked``, ``element_blocked``, ``element_tampered``, ``element_key_missing``.
    """

    def __init__(
        self,
        path: str,
        *,
        baud: int = 115_200,
        pin: bytes | None = None,
        open_port: Callable[[], Port] | None = None,
    ) -> None:
        self._pin = pin
        self._sequence = 0
        opener = open_port or partial(open_serial, path, baud)
        self._worker = SerialWorker("secure-element", opener, self._greet)

    @property
    def is_connected(self) -> bool:
        """Whether the port was open when last looked at."""
        return self._worker.is_connected

    async def status(self) -> ElementStatus:
        """What it says of itself."""
        return await self._worker.run(self._status, limit_s=ELEMENT_CALL_S)

    async def public_key(self, slot: int) -> VerifyKey:
        """The public half of the key in a slot."""
        data = await self._do(Instruction.PUBLIC_KEY, slot, answer_bytes=_PUBLIC_BYTES)
        return _verify_key(data)

    async def generate(self, slot: int) -> VerifyKey:
        """Make a key in an empty slot; ``CallerError("field_invalid")`` if it holds one."""
        data = await self._do(Instruction.GENERATE, slot, answer_bytes=_PUBLIC_BYTES)
        return _verify_key(data)

    async def initialise(self, pin: bytes) -> None:
        """Give a new element its PIN; ``element_tampered`` for one that has a PIN or an open case.
        An element that was opened starts anew by this, too."""
        await self._do(Instruction.INITIALISE, 0, pin, answer_bytes=0)

    async def delete(self, slot: int) -> None:
        """Forget the key in a slot."""
        await self._do(Instruction.DELETE, slot, answer_bytes=0)

    async def sign(self, slot: int, message: bytes, public: VerifyKey) -> bytes:
        """``r s`` over the message's SHA-256 by the key in a slot, which must be ``public``'s
        other half; ``element_key_missing`` if it is another one."""
        digest = hashlib.sha256(message).digest()
        signature = await self._do(Instruction.SIGN, slot, digest, answer_bytes=_SIGNATURE_BYTES)
        if not await asyncio.to_thread(public.verify, signature, message):
            raise from_code("element_key_missing", f"slot {slot} holds another key")
        return signature

    async def count(self, counter: int) -> int:
        """Add one to a counter; its new value."""
        data = await self._do(Instruction.COUNTER_INCREMENT, counter, answer_bytes=_COUNTER_BYTES)
        return int.from_bytes(data, "big")

    async def counted(self, counter: int) -> int:
        """Where a counter stands."""
        data = await self._do(Instruction.COUNTER_READ, counter, answer_bytes=_COUNTER_BYTES)
        return int.from_bytes(data, "big")

    async def aclose(self) -> None:
        """Let go of the port."""
        await self._worker.aclose()

    async def _do(
        self, instruction: Instruction, p1: int, data: bytes = b"", *, answer_bytes: int
    ) -> bytes:
        def job(dialogue: Dialogue) -> bytes:
            answer = self._ask(dialogue, instruction, p1, data)
            if answer.status == Status.LOCKED and self._pin is not None:
                self._unlock(dialogue, self._pin)
                answer = self._ask(dialogue, instruction, p1, data)
            return _demand(answer, answer_bytes)

        return await self._worker.run(job, limit_s=ELEMENT_CALL_S)

    def _greet(self, dialogue: Dialogue) -> None:
        """Begin at a sequence number that the element draws, so that what an earlier program said
        last is not repeated."""
        drawn = _ask(dialogue, Command(Instruction.RANDOM, 1, sequence=self._sequence))
        if drawn.data:
            self._sequence = drawn.data[0]

    def _status(self, dialogue: Dialogue) -> ElementStatus:
        data = _demand(self._ask(dialogue, Instruction.STATUS, 0, b""), _STATUS_BYTES)
        flags = data[1]
        return ElementStatus(
            serial=data[4:].hex(),
            is_initialised=bool(flags & Flag.INITIALISED),
            is_unlocked=bool(flags & Flag.UNLOCKED),
            is_tampered=bool(flags & Flag.TAMPERED),
            tries_left=data[2],
            slots=tuple(slot for slot in range(8) if data[3] & 1 << slot),
        )

    def _unlock(self, dialogue: Dialogue, pin: bytes) -> None:
        status = self._status(dialogue)
        if not status.is_initialised:
            raise from_code("element_key_missing", "not initialised")
        if status.tries_left <= ELEMENT_TRIES_KEPT:
            raise from_code("element_blocked", f"{status.tries_left} tries left: PIN not said")
        _demand(self._ask(dialogue, Instruction.VERIFY_PIN, 0, pin), 0)

    def _ask(self, dialogue: Dialogue, instruction: int, p1: int, data: bytes) -> Answer:
        self._sequence = (self._sequence + 1) % _SEQUENCES
        return _ask(dialogue, Command(instruction, p1, 0, data, self._sequence))


class ElementDeviceKey:
    """``DeviceKey`` over the key in one slot of an element."""

    def __init__(self, element: SerialSecureElement, *, slot: int, public: VerifyKey) -> None:
        self._element = element
        self._slot = slot
        self._public = public

    async def sign(self, message: bytes) -> bytes:
        """As ``DeviceKey.sign``."""
        return await self._element.sign(self._slot, message, self._public)

    async def aclose(self) -> None:
        """As ``DeviceKey.aclose``."""
        await self._element.aclose()


def _demand(answer: Answer, answer_bytes: int) -> bytes:
    """The data of an answer that grants the command; raises the error of one that does not."""
    status = answer.status
    if status == Status.OK:
        if len(answer.data) != answer_bytes:
            raise OperatingError("device_bad_frame", f"{len(answer.data)} bytes of data")
        return answer.data
    if status & _WRONG_PIN_MASK == Status.WRONG_PIN:
        raise from_code("element_locked", f"wrong PIN, {status & 0x0F} tries left")
    if status in (Status.WRONG_PARAMETER, Status.KEY_EXISTS):
        raise CallerError("field_invalid", f"secure element: status {status:04x}")
    code = _CODES.get(status, "device_bad_frame")
    raise from_code(code, f"secure element: status {status:04x}")


_CODES: dict[int, str] = {
    Status.LOCKED: "element_locked",
    Status.BLOCKED: "element_blocked",
    Status.NOT_NOW: "element_tampered",
    Status.NO_KEY: "element_key_missing",
}


def _verify_key(public: bytes) -> VerifyKey:
    try:
        return VerifyKey(suite_named(SUITE), public)
    except CallerError as error:
        raise OperatingError("device_bad_frame", error.detail) from None


def _ask(dialogue: Dialogue, command: Command) -> Answer:
    """The answer to this command, which is sent again while no sound answer comes."""
    is_damaged = False
    for _ in range(ELEMENT_ATTEMPTS_MAX):
        dialogue.discard_input()
        dialogue.send(wire.encode_command(command))
        parser = wire.FrameParser()
        answer, has_damage = _first_answer(dialogue, parser, command.sequence)
        if answer is not None:
            return answer
        is_damaged = is_damaged or has_damage or parser.is_mid_frame
    raise OperatingError("device_bad_frame" if is_damaged else "device_no_reply", "secure element")


def _first_answer(
    dialogue: Dialogue, parser: wire.FrameParser, sequence: int
) -> tuple[Answer | None, bool]:
    """The answer to this sequence number within the reply's time, and whether damage came."""
    began = time.monotonic()
    until, is_damaged = began + ELEMENT_REPLY_S, False
    while data := dialogue.receive(until):
        for item in parser.feed(data):
            answer = wire.read_answer(item) if isinstance(item, bytes) else None
            if answer is not None and answer.sequence == sequence:
                return answer, is_damaged
            is_damaged = True
        until = min(began + ELEMENT_REPLY_ALL_S, time.monotonic() + ELEMENT_REPLY_GAP_S)
    return None, is_damaged
