"""A secure element: keys that never leave it, a PIN with few tries, counters that only rise, and a
switch under its lid.

Rule 1: a private key, a PIN and the seed of its randomness are in no answer.
Rule 2: a try of the PIN is spent before the PIN is looked at, so that no power cut gives it back.
Rule 3: an opened case wipes keys and PIN for good; the counters stay, for they must never fall.
Rule 4: everything it draws comes from the seed it was made with: two alike behave alike.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_sim.devices.device import Output
from protocol.crypto.curves import P256
from protocol.crypto.p256 import P256Signer
from protocol.framing import secure_element as wire
from protocol.framing.secure_element import Answer, Command, Flag, Instruction, Status

BAUD = 115_200
SLOTS, COUNTERS = 4, 4
PIN_TRIES_MAX = 5
PIN_BYTES_MIN, PIN_BYTES_MAX = 4, 16
RANDOM_BYTES_MAX = 64
DIGEST_BYTES = 32
COUNTER_VALUE_MAX = 2**63 - 1
USES_MAX = 2**32 - 1
SERIAL_BYTES = 8
FRAME_GAP_MS = 200
VERSION = 1
REPLY_MS, PIN_MS, SIGN_MS, GENERATE_MS = 2, 60, 40, 150
_PRIVATE_BYTES = 32


@dataclass(slots=True)
class _Key:
    signer: P256Signer
    uses: int = 0


Done = tuple[int, bytes]
"""A status and the answer's data."""
OK: Done = (Status.OK, b"")


@dataclass(slots=True)
class SecureElement:
    """One element. ``open_case`` and ``close_case`` are a person's hands at its lid."""

    seed: bytes
    _pin: bytes | None = field(default=None, repr=False)
    _tries_left: int = PIN_TRIES_MAX
    _keys: dict[int, _Key] = field(default_factory=dict, repr=False)
    _counters: list[int] = field(default_factory=lambda: [0] * COUNTERS)
    _draws: int = 0
    signatures: int = 0
    _is_tampered: bool = False
    _is_case_open: bool = False
    _is_unlocked: bool = False
    _last: tuple[bytes, Answer] | None = field(default=None, repr=False)
    _heard_ms: int = 0
    _parser: wire.FrameParser = field(default_factory=wire.FrameParser, repr=False)

    @property
    def baud(self) -> int:
        """Always the same."""
        return BAUD

    @property
    def flags(self) -> int:
        """What STATUS says: bits of ``Flag``."""
        bits = (
            (Flag.INITIALISED, self._pin is not None),
            (Flag.UNLOCKED, self._is_unlocked),
            (Flag.TAMPERED, self._is_tampered),
            (Flag.CASE_OPEN, self._is_case_open),
        )
        return sum(flag for flag, is_so in bits if is_so)

    @property
    def tries_left(self) -> int:
        """Wrong PINs that are still allowed."""
        return self._tries_left

    @property
    def slots(self) -> list[int]:
        """The slots that hold a key."""
        return sorted(self._keys)

    @property
    def counters(self) -> list[int]:
        """Where the counters stand."""
        return list(self._counters)

    @property
    def serial(self) -> bytes:
        """Its own number."""
        return hashlib.sha256(b"serial" + self.seed).digest()[:SERIAL_BYTES]

    def initialise(self, pin: bytes) -> None:
        """Set a PIN and wipe the keys, as a factory does."""
        self._keys.clear()
        self._pin, self._tries_left = pin, PIN_TRIES_MAX
        self._is_tampered, self._is_unlocked = False, False

    def open_case(self) -> None:
        """Lift the lid: keys and PIN are gone."""
        self._is_case_open, self._is_tampered, self._is_unlocked = True, True, False
        self._pin, self._tries_left = None, 0
        self._keys.clear()
        self._last = None

    def close_case(self) -> None:
        """Put the lid back. What is gone stays gone."""
        self._is_case_open = False

    def boot(self, now_ms: int) -> list[Output]:
        """Power comes, or comes back: it is locked, everything else is as it was."""
        del now_ms
        self._is_unlocked, self._last = False, None
        self._parser.clear()
        return []

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Answer the commands in ``data``."""
        if now_ms - self._heard_ms > FRAME_GAP_MS:
            self._parser.clear()
        self._heard_ms = now_ms
        outputs: list[Output] = []
        at_ms = now_ms
        for body in self._parser.feed(data):
            command = wire.read_command(body) if isinstance(body, bytes) else None
            if command is not None and isinstance(body, bytes):
                at_ms += REPLY_MS
                if self._last is None or self._last[0] != body:
                    at_ms += _COST_MS.get(command.instruction, 0)
                    self._last = (body, self._answer(command))
                outputs.append(Output(at_ms, wire.encode_answer(self._last[1]), BAUD))
        return outputs

    def poll(self, now_ms: int) -> list[Output]:
        """Nothing happens here by time alone."""
        del now_ms
        return []

    def next_deadline_ms(self) -> int | None:
        """Nothing happens here by time alone."""
        return None

    def _answer(self, command: Command) -> Answer:
        status, data = self._carry_out(command)
        return Answer(status, data, command.sequence)

    def _carry_out(self, command: Command) -> Done:
        entry = self._commands().get(command.instruction)
        if entry is None:
            return Status.UNKNOWN_INSTRUCTION, b""
        lengths, needs, work = entry
        if len(command.data) not in lengths:
            return Status.WRONG_LENGTH, b""
        if needs is not _ANY and (self._is_tampered or self._is_case_open):
            return Status.NOT_NOW, b""
        if needs is _PIN and not self._is_unlocked:
            return Status.LOCKED, b""
        return work(command)

    def _commands(self) -> "dict[int, tuple[range, str, Callable[[Command], Done]]]":
        none, pins = range(1), range(PIN_BYTES_MIN, PIN_BYTES_MAX + 1)
        return {
            Instruction.STATUS: (none, _ANY, self._status),
            Instruction.RANDOM: (none, _WHOLE, self._random),
            Instruction.INITIALISE: (pins, _ANY, self._initialise),
            Instruction.VERIFY_PIN: (pins, _WHOLE, self._verify_pin),
            Instruction.CHANGE_PIN: (range(2, 2 * PIN_BYTES_MAX + 2), _WHOLE, self._change_pin),
            Instruction.LOCK: (none, _WHOLE, self._lock),
            Instruction.GENERATE: (none, _PIN, self._generate),
            Instruction.PUBLIC_KEY: (none, _WHOLE, self._public_key),
            Instruction.SIGN: (range(DIGEST_BYTES, DIGEST_BYTES + 1), _PIN, self._sign),
            Instruction.DELETE: (none, _PIN, self._delete),
            Instruction.KEY_INFO: (none, _WHOLE, self._key_info),
            Instruction.COUNTER_READ: (none, _ANY, self._read_counter),
            Instruction.COUNTER_INCREMENT: (none, _PIN, self._increment),
        }

    def _status(self, _: Command) -> Done:
        mask = sum(1 << slot for slot in self._keys)
        return Status.OK, bytes((VERSION, self.flags, self._tries_left, mask)) + self.serial

    def _random(self, command: Command) -> Done:
        if not 1 <= command.p1 <= RANDOM_BYTES_MAX:
            return Status.WRONG_PARAMETER, b""
        return Status.OK, self._draw(command.p1)

    def _initialise(self, command: Command) -> Done:
        is_free = self._pin is None or self._tries_left == 0 or self._is_unlocked
        if self._is_case_open or not is_free:
            return Status.NOT_NOW, b""
        self.initialise(command.data)
        return OK

    def _verify_pin(self, command: Command) -> Done:
        return self._try_pin(command.data)

    def _change_pin(self, command: Command) -> Done:
        old_bytes = command.data[0]
        old, new = command.data[1 : 1 + old_bytes], command.data[1 + old_bytes :]
        if not PIN_BYTES_MIN <= len(new) <= PIN_BYTES_MAX:
            return Status.WRONG_LENGTH, b""
        done = self._try_pin(old)
        if done == OK:
            self._pin = new
        return done

    def _try_pin(self, pin: bytes) -> Done:
        if self._pin is None:
            return Status.NOT_NOW, b""
        if self._tries_left == 0:
            return Status.BLOCKED, b""
        self._tries_left -= 1
        self._is_unlocked = hmac.compare_digest(pin, self._pin)
        if not self._is_unlocked:
            return Status.WRONG_PIN + self._tries_left, b""
        self._tries_left = PIN_TRIES_MAX
        return OK

    def _lock(self, _: Command) -> Done:
        self._is_unlocked = False
        return OK

    def _generate(self, command: Command) -> Done:
        slot = command.p1
        if slot >= SLOTS:
            return Status.WRONG_PARAMETER, b""
        if slot in self._keys:
            return Status.KEY_EXISTS, b""
        scalar = int.from_bytes(self._draw(_PRIVATE_BYTES + 8), "big") % (P256.n - 1) + 1
        key = _Key(P256Signer(scalar.to_bytes(_PRIVATE_BYTES, "big")))
        self._keys[slot] = key
        return Status.OK, key.signer.public

    def _public_key(self, command: Command) -> Done:
        return self._with_key(command, lambda key: (Status.OK, key.signer.public))

    def _sign(self, command: Command) -> Done:
        def sign(key: _Key) -> Done:
            key.uses = min(key.uses + 1, USES_MAX)
            self.signatures += 1
            return Status.OK, key.signer.sign_digest(command.data)

        return self._with_key(command, sign)

    def _delete(self, command: Command) -> Done:
        def delete(_: _Key) -> Done:
            del self._keys[command.p1]
            return OK

        return self._with_key(command, delete)

    def _key_info(self, command: Command) -> Done:
        return self._with_key(command, lambda key: (Status.OK, key.uses.to_bytes(4, "big")))

    def _with_key(self, command: Command, work: Callable[[_Key], Done]) -> Done:
        if command.p1 >= SLOTS:
            return Status.WRONG_PARAMETER, b""
        key = self._keys.get(command.p1)
        return (Status.NO_KEY, b"") if key is None else work(key)

    def _read_counter(self, command: Command) -> Done:
        if command.p1 >= COUNTERS:
            return Status.WRONG_PARAMETER, b""
        return Status.OK, self._counters[command.p1].to_bytes(8, "big")

    def _increment(self, command: Command) -> Done:
        if command.p1 >= COUNTERS:
            return Status.WRONG_PARAMETER, b""
        if self._counters[command.p1] == COUNTER_VALUE_MAX:
            return Status.NOT_NOW, b""
        self._counters[command.p1] += 1
        return self._read_counter(command)

    def _draw(self, count: int) -> bytes:
        self._draws += 1
        return hashlib.shake_256(self.seed + self._draws.to_bytes(8, "big")).digest(count)


# What a command needs: nothing, an element nobody has opened, or that and the PIN.
_ANY, _WHOLE, _PIN = "any", "whole", "pin"
_COST_MS: dict[int, int] = {
    Instruction.VERIFY_PIN: PIN_MS,
    Instruction.CHANGE_PIN: PIN_MS,
    Instruction.SIGN: SIGN_MS,
    Instruction.GENERATE: GENERATE_MS,
}
