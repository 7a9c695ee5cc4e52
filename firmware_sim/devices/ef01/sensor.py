"""The sensor on its line: packets in, acknowledgements and data packets out.

Rule 1: it does one thing after the other. What comes while it works is answered afterwards, in
order; while AutoEnroll or AutoIdentify waits for a finger, only Cancel and ReadSysPara are done.
Rule 2: a new line rate counts after its acknowledgement; a new address already in it.
Rule 3: packets for another address, and whatever comes while it starts, are not heard. A packet
whose bytes stop coming is forgotten, so that the next one is read.

Reply lengths are those fixed-length readers rely on: Search always carries page and score,
ReadSysPara is 28 bytes on the wire, the count 14, the index table 44.
"""

from collections.abc import Callable
from dataclasses import replace

from firmware_sim.devices.device import Output
from firmware_sim.devices.ef01 import auto, imaging, settings
from firmware_sim.devices.ef01.commands import AUTO_BYTES, REPLY_MS, command_of
from firmware_sim.devices.ef01.finger import Touch, template_of
from firmware_sim.devices.ef01.profiles import ZFM20, Profile
from firmware_sim.devices.ef01.state import Answer, Flash, State, Volatile
from firmware_sim.limits import FINGER_NAME_CHARS_MAX
from protocol.errors import CallerError
from protocol.framing import ef01
from protocol.framing.ef01 import Confirmation, Instruction, Pid

RATE_BAUD = 9600
PACKET_GAP_MS = 500
PACKET_BYTES = (32, 64, 128, 256)
CourseStart = Callable[[State, bytes, int], auto.Auto]
_COURSES: dict[int, CourseStart] = {
    Instruction.AUTO_ENROL: auto.enrol,
    Instruction.AUTO_IDENTIFY: auto.identify,
}


class Ef01:
    """One sensor. ``place`` and ``lift`` are the person's hand; ``enrol`` is the shop's."""

    def __init__(
        self,
        profile: Profile = ZFM20,
        *,
        password: int = 0,
        address: int = ef01.ADDRESS_DEFAULT,
        capacity: int | None = None,
        seed: bytes = b"",
    ) -> None:
        if capacity is not None:
            profile = replace(profile, capacity=capacity)
        self.state = State(profile, seed, Flash(password, address))
        self._parser = ef01.PacketParser()
        self._auto: auto.Auto | None = None
        self._free_at_ms = 0
        self._deaf_until_ms = 0
        self._heard_at_ms = 0

    @property
    def profile(self) -> Profile:
        """What kind of sensor this is."""
        return self.state.profile

    @property
    def baud(self) -> int:
        """9600 times the rate code."""
        return RATE_BAUD * self.state.flash.rate_code

    @property
    def finger(self) -> str | None:
        """Whose finger lies on the glass."""
        return self.state.touch.finger if self.state.touch else None

    @property
    def slots(self) -> list[int]:
        """The library's used slots."""
        return sorted(self.state.flash.library)

    @property
    def searches(self) -> int:
        """How often the library was searched."""
        return self.state.searches

    @property
    def is_waiting(self) -> bool:
        """Whether AutoEnroll or AutoIdentify is under way."""
        return self._auto is not None

    def place(self, finger: str, *, quality: int = 100, is_smudged: bool = False) -> None:
        """Lay a finger on the glass; ``quality`` is how much of it shows, 0 to 100 percent."""
        if not 0 <= quality <= 100:
            raise CallerError(
                "field_invalid",
                f"quality {quality} is not within 0..100",
                detail_zh=f"质量 {quality} 不在 0 到 100 之间",
            )
        self.state.touches += 1
        touch = Touch(_checked_name(finger), quality, is_smudged, self.state.touches)
        self.state.touch = touch

    def lift(self) -> None:
        """Take the finger away."""
        self.state.touch = None

    def enrol(self, finger: str, slot: int) -> None:
        """Put a finger's template into the library without the enrolment dance."""
        last = self.profile.capacity - 1
        if not 0 <= slot <= last:
            raise CallerError(
                "field_invalid",
                f"slot {slot} is not within 0..{last}",
                detail_zh=f"位置 {slot} 不在 0 到 {last} 之间",
            )
        self.state.flash.library[slot] = template_of(_checked_name(finger), self.profile)

    def damage(self, *, glass: bool, flash: bool) -> None:
        """Break the glass or the flash memory, or mend them."""
        self.state.is_glass_broken, self.state.is_flash_broken = glass, flash

    def boot(self, now_ms: int) -> list[Output]:
        """Power comes: flash stays, all else is gone; some kinds say 55h when they are ready."""
        self.state.now = Volatile()
        self._auto = None
        self._parser.clear()
        self._deaf_until_ms = self._free_at_ms = now_ms + self.profile.boot_ms
        if not self.profile.says_ready:
            return []
        return [Output(self._deaf_until_ms, ef01.READY, self.baud)]

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Answer the packets in ``data``."""
        outputs: list[Output] = []
        if now_ms < self._deaf_until_ms:
            return outputs
        if now_ms - self._heard_at_ms > PACKET_GAP_MS:
            self._parser.clear()
        self._heard_at_ms = now_ms
        for packet in self._parser.feed(data):
            if packet.address != self.state.flash.address or now_ms < self._deaf_until_ms:
                continue
            if isinstance(packet, ef01.BadPacket):
                self.state.now.download = None
                outputs += self._answer((Confirmation.RECEIVE_ERROR, b""), now_ms)
            elif packet.pid == Pid.COMMAND and packet.payload:
                outputs += self._command(packet.payload, now_ms)
            elif packet.pid in (Pid.DATA, Pid.END_OF_DATA):
                self._fill(packet)
        return outputs

    def poll(self, now_ms: int) -> list[Output]:
        """Let a course that waits for fingers go on."""
        if self._auto is None:
            return []
        said = self._auto.advance(now_ms)
        if self._auto.is_over:
            self._auto = None
        return [self._packet(answer, now_ms, self.baud) for answer in said]

    def next_deadline_ms(self) -> int | None:
        """When a course that waits for fingers must look again."""
        return None if self._auto is None else self._auto.due_ms

    def _command(self, payload: bytes, now_ms: int) -> list[Output]:
        state, code, arguments = self.state, payload[0], payload[1:]
        state.now.download = None
        is_locked = state.flash.password and not state.now.is_unlocked
        if is_locked and code != Instruction.VERIFY_PASSWORD:
            return self._answer((Confirmation.PASSWORD_NEEDED, b""), now_ms)
        if self._auto is not None:
            return self._interrupt(code, now_ms)
        if code in _COURSES and code in self.profile.extra:
            return self._begin(_COURSES[code], arguments, now_ms)
        command = command_of(self.profile, code)
        if command is None:
            return self._answer((self.profile.unknown, b""), now_ms)
        if len(arguments) != command.length:
            return self._answer((Confirmation.RECEIVE_ERROR, b""), now_ms)
        baud = self.baud
        answer = command.run(state, arguments)
        outputs = self._answer(answer, now_ms, baud, command.cost_ms(self.profile))
        if code == Instruction.SOFT_RESET:
            outputs += self.boot(self._free_at_ms)
        return outputs

    def _begin(self, course: CourseStart, arguments: bytes, now_ms: int) -> list[Output]:
        if len(arguments) != AUTO_BYTES:
            return self._answer((Confirmation.RECEIVE_ERROR, b""), now_ms)
        self._auto = course(self.state, arguments, max(now_ms, self._free_at_ms))
        return self.poll(now_ms) if self._auto.due_ms <= now_ms else []

    def _interrupt(self, code: int, now_ms: int) -> list[Output]:
        """An instruction that comes while the sensor waits for a finger."""
        if code == Instruction.CANCEL:
            self._auto = None
            return self._answer((Confirmation.OK, b""), now_ms)
        if code == Instruction.READ_SYS_PARA:
            busy = settings.parameters(self.state, is_busy=True)
            return self._answer((Confirmation.OK, busy), now_ms)
        return self._answer((Confirmation.NOT_DONE, b""), now_ms)

    def _answer(
        self, answer: Answer, now_ms: int, baud: int | None = None, cost_ms: int = 0
    ) -> list[Output]:
        """The acknowledgement, and the data packets that the instruction has laid ready."""
        at_ms = max(now_ms, self._free_at_ms) + REPLY_MS + cost_ms
        self._free_at_ms = at_ms
        outputs = [self._packet(answer, at_ms, baud or self.baud)]
        content, self.state.now.upload = self.state.now.upload, None
        if content is not None:
            outputs += self._upload(content, at_ms)
        return outputs

    def _packet(self, answer: Answer, at_ms: int, baud: int) -> Output:
        payload = bytes([answer[0]]) + answer[1]
        packet = ef01.Packet(Pid.ACK, payload, self.state.flash.address)
        return Output(at_ms, ef01.encode(packet), baud)

    def _upload(self, content: bytes, at_ms: int) -> list[Output]:
        size = PACKET_BYTES[self.state.flash.packet_code]
        outputs = []
        for start in range(0, len(content), size):
            pid = Pid.END_OF_DATA if start + size >= len(content) else Pid.DATA
            packet = ef01.Packet(pid, content[start : start + size], self.state.flash.address)
            outputs.append(Output(at_ms, ef01.encode(packet), self.baud))
        return outputs

    def _fill(self, packet: ef01.Packet) -> None:
        download = self.state.now.download
        if download is None:
            return
        download.take(packet.payload)
        if packet.pid == Pid.END_OF_DATA:
            self.state.now.download = None
            imaging.finish_download(self.state, download)


def _checked_name(finger: str) -> str:
    if not finger or len(finger) > FINGER_NAME_CHARS_MAX:
        raise CallerError(
            "field_invalid",
            f"a finger's name has 1 to {FINGER_NAME_CHARS_MAX} characters",
            detail_zh=f"手指的名字须有 1 到 {FINGER_NAME_CHARS_MAX} 个字符",
        )
    return finger
