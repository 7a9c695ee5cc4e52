"""One scanner: commands in, replies and codes out, pictures before its lens.

A picture stays before the lens until it is read (or longer, if the person keeps it there).

Rule 1: only this file says when the scanner looks. Its modes (bits 1-0 of 0000): manual (the
button), command (bit 0 of 0002), continuous (again and again, 0005 between), sensing (when what
stands before the lens changes and has been still for 0004).
Rule 2: power has five states. Manual mode falls asleep by itself after the idle time of 0007, and a
byte or the button wakes it. 00D9 orders light sleep (it answers and does not look, until woken by
00D9 or the button) and deep sleep: any byte wakes it, is lost, and the scanner starts anew.

Not documented by the maker and chosen here: a read or write beyond the last register gets no
answer, as any other malformed frame; a look takes ``READ_MS``; the same-code delay of 0013 holds in
continuous and sensing mode, and a delay of 0 means "not twice in a row"; the button pauses
continuous mode; 00D9 changes the working registers and not flash.
"""

from enum import Enum

from firmware_sim.devices.device import Output
from firmware_sim.devices.gm65 import output, setup_codes
from firmware_sim.devices.gm65.clocks import Clocks
from firmware_sim.devices.gm65.profile import GM65, REGISTERS, Habits, ScannerProfile
from firmware_sim.devices.gm65.registers import Registers
from firmware_sim.devices.sight import Decoder, Lens, Sighting
from protocol.framing import gm65

REPLY_MS = 5
READ_MS = 80
BOOT_LINE = b"<{ready}>\r\n"
_SOUND_ON, _BEEP_ON_DECODE = 0x40, 0x04
_SELF_STARTING = (gm65.MODE_CONTINUOUS, gm65.MODE_SENSING)


class Power(Enum):
    """What the scanner's current says of it."""

    AWAKE = "awake"
    IDLE = "idle"
    LIGHT_SLEEP = "light_sleep"
    DEEP_SLEEP = "deep_sleep"
    STARTING = "starting"


class Gm65:
    """One scanner. ``present``, ``take_away`` and the button are people's hands."""

    def __init__(
        self, decode: Decoder, profile: ScannerProfile = GM65, habits: Habits | None = None
    ) -> None:
        self.profile = profile
        self._decode = decode
        self._habits = habits or Habits()
        self.registers = Registers(profile, version=self._habits.version)
        self._pictures = Lens()
        self._parser = gm65.CommandParser()
        self.power = Power.AWAKE
        self.is_reading = False
        self.codes_read = self.codes_typed = self.codes_failed = self.beeps = 0
        self.setups_done = 0
        self._clocks = Clocks()
        self._last: tuple[bytes, int] | None = None
        self._is_paused = False

    @property
    def baud(self) -> int:
        """The rate that the registers say."""
        return self.registers.baud

    @property
    def pictures_waiting(self) -> int:
        """How many pictures stand before the lens."""
        return len(self._pictures)

    # People

    def present(self, png: bytes, now_ms: int, *, keep: bool = False) -> list[Output]:
        """Hold a picture before the lens until it has been read, or until taken away."""
        self._pictures.hold(png, keep=keep)
        self._scene_changed(now_ms)
        return []

    def take_away(self, now_ms: int) -> list[Output]:
        """Take every picture from the lens."""
        self._pictures.clear()
        self._clocks.read_at = None
        self._scene_changed(now_ms)
        return []

    def press_button(self, now_ms: int) -> list[Output]:
        """Press the button: wakes, reads in manual mode, pauses and resumes continuous mode."""
        if self.power is Power.DEEP_SLEEP:
            return self._wake_deep(now_ms)
        if self.power is Power.STARTING:
            return []
        self.power = Power.AWAKE
        if self.registers.mode == gm65.MODE_MANUAL:
            self._start_reading(now_ms)
        elif self.registers.mode == gm65.MODE_CONTINUOUS:
            self._pause(now_ms, is_paused=not self._is_paused)
        return []

    def release_button(self, now_ms: int) -> list[Output]:
        """Let the button go: manual mode stops looking."""
        if self.registers.mode == gm65.MODE_MANUAL and self.is_reading:
            self._stop_reading(now_ms)
        return []

    # The line

    def boot(self, now_ms: int) -> list[Output]:
        """Power comes, or comes back: the registers are those of flash."""
        self.registers.reload()
        self._parser = gm65.CommandParser()
        self._last, self._is_paused, self.is_reading = None, False, False
        self._clocks = Clocks(ready_at=now_ms + self._habits.boot_ms)
        self.power = Power.STARTING
        return self._get_ready(now_ms) if not self._habits.boot_ms else []

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Answer the commands in ``data``."""
        if not data or self.power is Power.STARTING:
            return []
        if self.power is Power.DEEP_SLEEP:
            return self._wake_deep(now_ms)
        if self.power is Power.IDLE:
            self.power = Power.AWAKE
        outputs: list[Output] = []
        for command in self._parser.feed(data, now_ms):
            baud = self.baud  # the acknowledgement of a new rate still leaves at the old one
            reply = self._execute(command, now_ms)
            if reply is not None:
                outputs.append(Output(now_ms + REPLY_MS, gm65.encode_reply(reply), baud))
            if self.power is Power.DEEP_SLEEP:
                break
        self._touch(now_ms)
        return outputs

    def poll(self, now_ms: int) -> list[Output]:
        """Do what time makes due: get ready, begin to look, see, give up, fall asleep."""
        clocks, outputs = self._clocks, []
        if clocks.take("ready_at", now_ms):
            outputs += self._get_ready(now_ms)
        if clocks.take("start_at", now_ms) and self.power is Power.AWAKE:
            self._start_reading(now_ms)
        if clocks.take("read_at", now_ms):
            outputs += self._look(now_ms)
        if self.is_reading and clocks.take("stop_at", now_ms):
            self._stop_reading(now_ms)
            outputs += self._fail(now_ms)
        if clocks.take("idle_at", now_ms) and not self.is_reading and self.power is Power.AWAKE:
            self.power = Power.IDLE
        return outputs

    def next_deadline_ms(self) -> int | None:
        """The soonest thing that time alone brings."""
        return self._clocks.soonest()

    # Commands

    def _execute(self, command: gm65.Command, now_ms: int) -> gm65.Reply | None:
        match command.type:
            case gm65.CommandType.READ:
                return self._read(command)
            case gm65.CommandType.WRITE:
                return self._write(command.address, command.data, now_ms)
            case gm65.CommandType.SAVE:
                return self._save(command, now_ms)
        if not self.profile.has_heartbeat:
            return None
        return gm65.Reply(gm65.STATUS_OK, b"\x00", is_heartbeat=True)

    def _read(self, command: gm65.Command) -> gm65.Reply | None:
        count = command.data[0] or REGISTERS
        if len(command.data) != 1 or command.address + count > REGISTERS:
            return None
        return gm65.Reply(gm65.STATUS_OK, self.registers.span(command.address, count))

    def _write(self, address: int, values: bytes, now_ms: int) -> gm65.Reply | None:
        if address + len(values) > REGISTERS:
            return None
        mode = self.registers.mode
        for offset, value in enumerate(values):
            if address + offset == gm65.REG_CONTROL:
                self._control(value, now_ms)
            else:
                self.registers.put(address + offset, value)
        if address <= gm65.REG_TRIGGER < address + len(values):
            self._triggered(now_ms)
        if self.registers.mode != mode:
            self._mode_changed(now_ms)
        return gm65.Reply(gm65.STATUS_OK, b"\x00")

    def _save(self, command: gm65.Command, now_ms: int) -> gm65.Reply | None:
        if len(command.data) != 1 or command.data[0] not in (0x00, 0xFF):
            return None
        if command.data == b"\xff":
            self.registers.restore_factory()
            self._mode_changed(now_ms)
        self.registers.save()
        return gm65.Reply(gm65.STATUS_OK, b"\x00")

    def _control(self, value: int, now_ms: int) -> None:
        match value:
            case gm65.CONTROL_FACTORY:
                self.registers.restore_factory()
                self._mode_changed(now_ms)
            case gm65.CONTROL_DEFAULTS:
                self.registers.restore_defaults()
                self._mode_changed(now_ms)
            case gm65.CONTROL_KEEP_DEFAULTS if self.profile.has_heartbeat:
                self.registers.keep_defaults()
            case gm65.CONTROL_LIGHT_SLEEP | gm65.CONTROL_DEEP_SLEEP:
                self._sleep(now_ms, is_deep=value == gm65.CONTROL_DEEP_SLEEP)
            case gm65.CONTROL_WAKE if self.power is Power.LIGHT_SLEEP:
                self.power = Power.AWAKE
                self._begin_by_itself(now_ms)
            case gm65.CONTROL_BAUD_9600:
                self.registers.reset_baud()

    def _triggered(self, now_ms: int) -> None:
        is_on = bool(self.registers[gm65.REG_TRIGGER] & 1)
        if self.registers.mode == gm65.MODE_CONTINUOUS:
            self._pause(now_ms, is_paused=not is_on)
        elif is_on and self.registers.mode != gm65.MODE_MANUAL and self.power is Power.AWAKE:
            self._start_reading(now_ms)
        else:
            self._stop_reading(now_ms)

    # Power

    def _sleep(self, now_ms: int, *, is_deep: bool) -> None:
        self._stop_reading(now_ms)
        self._clocks = Clocks()
        self.power = Power.DEEP_SLEEP if is_deep else Power.LIGHT_SLEEP

    def _wake_deep(self, now_ms: int) -> list[Output]:
        return self.boot(now_ms)

    def _get_ready(self, now_ms: int) -> list[Output]:
        self.power = Power.AWAKE
        self._clocks.ready_at = None
        self._begin_by_itself(now_ms)
        self._touch(now_ms)
        return [Output(now_ms, BOOT_LINE, self.baud)] if self._habits.has_boot_line else []

    def _touch(self, now_ms: int) -> None:
        """Something happened: the idle time begins anew."""
        idle_ms = self.registers.idle_ms
        can_idle = self.registers.mode == gm65.MODE_MANUAL and self.power is Power.AWAKE
        self._clocks.idle_at = now_ms + idle_ms if idle_ms is not None and can_idle else None

    # Looking

    def _mode_changed(self, now_ms: int) -> None:
        self._stop_reading(now_ms)
        self._clocks.start_at, self._is_paused = None, False
        self._begin_by_itself(now_ms)

    def _begin_by_itself(self, now_ms: int) -> None:
        if self.registers.mode == gm65.MODE_CONTINUOUS and self.power is Power.AWAKE:
            self._clocks.start_at = now_ms
        elif self._pictures:
            self._scene_changed(now_ms)

    def _scene_changed(self, now_ms: int) -> None:
        if self.is_reading:
            if self._pictures and self._clocks.read_at is None:
                self._clocks.read_at = now_ms + READ_MS
        elif self.registers.mode == gm65.MODE_SENSING and self.power is Power.AWAKE:
            still_at = now_ms + self.registers.ticks_ms(gm65.REG_STABILISE)
            self._clocks.start_at = max(still_at, self._clocks.quiet_until)

    def _pause(self, now_ms: int, *, is_paused: bool) -> None:
        self._is_paused = is_paused
        self._stop_reading(now_ms)
        self._clocks.start_at = None if is_paused else now_ms

    def _start_reading(self, now_ms: int) -> None:
        limit_ms = self.registers.ticks_ms(gm65.REG_READ_TIME)
        self.is_reading = True
        self._clocks.stop_at = now_ms + limit_ms if limit_ms else None
        self._clocks.read_at = now_ms + READ_MS if self._pictures else None

    def _stop_reading(self, now_ms: int) -> None:
        """The look is over; modes that begin by themselves wait for the interval of 0005."""
        was_reading, self.is_reading = self.is_reading, False
        self.registers.clear_trigger()
        self._clocks.read_at = self._clocks.stop_at = None
        if was_reading and self.registers.mode in _SELF_STARTING:
            quiet_until = now_ms + self.registers.ticks_ms(gm65.REG_INTERVAL)
            self._clocks.quiet_until = quiet_until
            if self.registers.mode == gm65.MODE_CONTINUOUS and not self._is_paused:
                self._clocks.start_at = quiet_until
        self._touch(now_ms)

    def _look(self, now_ms: int) -> list[Output]:
        """At the pictures in turn; the first whose code may be read is read."""
        while self._pictures:
            picture = self._pictures[0]
            sighting = picture.sighting(self._decode)
            if sighting is not None and self._is_enabled(sighting):
                said = output.dress(sighting, self.registers, self.profile)
                wait_ms = self._same_code_wait_ms(said, now_ms)
                if wait_ms == 0:
                    self._pictures.done()
                    return self._deliver(sighting, said, now_ms)
                if picture.keep:
                    self._clocks.read_at = now_ms + wait_ms if wait_ms is not None else None
                    return []
            elif picture.keep:
                return []
            self._pictures.popleft()
        return []

    def _same_code_wait_ms(self, said: bytes, now_ms: int) -> int | None:
        """How long the same code is not said again: 0 for a new one, ``None`` without end."""
        rule = self.registers[gm65.REG_SAME_CODE]
        is_held_back = self.registers.mode in _SELF_STARTING and rule & 0x80
        if not is_held_back or self._last is None or self._last[0] != said:
            return 0
        delay_ms = (rule & 0x7F) * self._habits.same_code_unit_ms
        return max(0, self._last[1] + delay_ms - now_ms) if delay_ms else None

    def _is_enabled(self, sighting: Sighting) -> bool:
        """Bits 2-1 of 002C allow none, all, or what the symbology's own register says."""
        rule = self.registers[gm65.REG_SYMBOLOGIES] >> 1 & 3
        known = self.profile.symbologies.get(sighting.symbology)
        if known is None or rule == 0:
            return False
        if known.has_lengths:
            shortest, longest = self.registers.span(known.register + 1, 2)
            if not shortest <= len(sighting.text) <= longest:
                return False
        return rule == 1 or bool(self.registers[known.register] & 1)

    def _deliver(self, sighting: Sighting, said: bytes, now_ms: int) -> list[Output]:
        self._stop_reading(now_ms)
        is_setup = self._set_up(sighting.text, now_ms)
        if is_setup and not self.registers[gm65.REG_SETUP_CODE] & 1:
            return []
        self.codes_read += 1
        self._last = (said, now_ms)
        self._beep()
        if not output.is_for_uart(self.registers):
            self.codes_typed += 1
            return []
        return [Output(now_ms, said, self.baud)] if said else []

    def _set_up(self, text: str, now_ms: int) -> bool:
        """Whether the text was a setup code, and register 0003 lets it work."""
        code = setup_codes.read(text)
        if code is None or self.registers[gm65.REG_SETUP_CODE] & 2:
            return False
        if self._write(code.address, code.values, now_ms) is None:
            return False
        self.registers.save()
        self.setups_done += 1
        return True

    def _fail(self, now_ms: int) -> list[Output]:
        self.codes_failed += 1
        said = output.failure(self.registers)
        return [Output(now_ms, said, self.baud)] if said else []

    def _beep(self) -> None:
        is_loud = self.registers[gm65.REG_MODE] & _SOUND_ON
        self.beeps += bool(is_loud and self.registers[gm65.REG_BEEP] & _BEEP_ON_DECODE)
