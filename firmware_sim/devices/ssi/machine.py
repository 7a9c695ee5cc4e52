"""One scan engine: commands in, acknowledgements and codes out, pictures before its lens.

Rule 1: every packet of the host is answered: ACK, the reply asked for, or NAK with a reason
(1 checksum wrong, 2 not known, 6 not now). Without handshaking (parameter 9F) nothing is.
Rule 2: a packet that the host sends again (status bit 0) is answered as before and not done again.
Rule 3: asleep, any byte wakes the engine and is lost, as is what comes in the 50 ms after it.

Chosen here: a look takes ``READ_MS``; an unfinished packet is forgotten after 300 ms; in the
continuous and the sensing mode the same code waits for parameter 89; "no read" has the type 00.
"""

from enum import Enum

from firmware_sim.devices.device import Output
from firmware_sim.devices.sight import Decoder, Lens, Sighting
from firmware_sim.devices.ssi.profile import SWITCHES, ZEBRA, SsiProfile
from firmware_sim.devices.ssi.settings import TICK_MS, Settings
from firmware_sim.devices.ssi.show import Show
from firmware_sim.devices.ssi.transfer import Transfer
from protocol.framing import ssi
from protocol.framing.limits import SSI_DATA_BYTES_MAX, SSI_LONG_BYTES_MAX
from protocol.framing.ssi import Opcode, Parameter, Reason

READ_MS = 60
REPLY_MS = 3
WAKE_MS = 50
PACKET_GAP_MS = 300
_LONG_TEXT_BYTES_MAX = SSI_LONG_BYTES_MAX - 8
_SELF_STARTING = (ssi.TRIGGER_CONTINUOUS, ssi.TRIGGER_SENSING)
_NO_READ = b"\x00NR"
_DECODE_MODE, _RESTORE, _KEEP = b"\x00", b"\x00", b"\x01"


class Power(Enum):
    """What the engine's current says of it."""

    AWAKE = "awake"
    ASLEEP = "asleep"
    WAKING = "waking"


class SsiScanner:
    """One engine. ``present``, ``take_away`` and the trigger are people's hands."""

    def __init__(self, decode: Decoder, profile: SsiProfile = ZEBRA) -> None:
        self.profile = profile
        self._decode = decode
        self.settings = Settings(profile)
        self._pictures = Lens()
        self._parser = ssi.PacketParser(ssi.HOST)
        self.transfer = Transfer()
        self.show = Show()
        self.power = Power.AWAKE
        self.is_enabled = True
        self.is_reading = False
        self.codes_read = self.codes_failed = 0
        self._last_heard: ssi.Packet | None = None
        self._last_reason: Reason | None = None
        self._last_code: tuple[Sighting, int] | None = None
        self._heard_at = 0
        self._wake_at: int | None = None
        self._start_at: int | None = None
        self._read_at: int | None = None
        self._stop_at: int | None = None

    @property
    def baud(self) -> int:
        """The rate that the parameters say."""
        return self.settings.baud

    @property
    def mode(self) -> int:
        """The trigger mode of parameter 8A."""
        return self.settings[Parameter.TRIGGER_MODE]

    @property
    def pictures_waiting(self) -> int:
        """How many pictures stand before the lens."""
        return len(self._pictures)

    # People

    def present(self, png: bytes, now_ms: int, *, keep: bool = False) -> list[Output]:
        """Hold a picture before the lens until it has been read, or until taken away."""
        self._pictures.hold(png, keep=keep)
        if self.is_reading and self._read_at is None:
            self._read_at = now_ms + READ_MS
        elif not self.is_reading and self.mode == ssi.TRIGGER_SENSING:
            self._start_at = now_ms
        return []

    def take_away(self, now_ms: int) -> list[Output]:
        """Take every picture from the lens."""
        del now_ms
        self._pictures.clear()
        self._read_at = None
        return []

    def pull_trigger(self, now_ms: int) -> list[Output]:
        """Pull the trigger: modes "hold" and "edge" begin to look."""
        if self.mode in (ssi.TRIGGER_HOLD, ssi.TRIGGER_EDGE):
            self._start_reading(now_ms)
        return []

    def release_trigger(self, now_ms: int) -> list[Output]:
        """Let the trigger go: mode "hold" stops looking."""
        if self.mode == ssi.TRIGGER_HOLD:
            self._stop_reading(now_ms)
        return []

    # The line

    def boot(self, now_ms: int) -> list[Output]:
        """Power comes, or comes back: the parameters are those of flash, scanning is enabled."""
        self.settings.keep_or_restore(is_kept=False)
        self._parser.clear()
        self.transfer.drop()
        self.show = Show(beeps=self.show.beeps)
        self.power, self.is_enabled, self.is_reading = Power.AWAKE, True, False
        self._last_heard = self._last_reason = self._last_code = None
        self._wake_at = self._read_at = self._stop_at = None
        self._begin_by_itself(now_ms)
        return []

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Answer the packets in ``data``."""
        if not data or not self._is_awake(now_ms):
            return []
        if self._parser.is_mid_item and now_ms - self._heard_at > PACKET_GAP_MS:
            self._parser.clear()
        self._heard_at = now_ms
        baud, said = self.baud, list[ssi.Packet]()
        items = self._parser.feed(data)
        for item in items:
            if isinstance(item, ssi.Packet):
                said += self._answer(item, now_ms)
        if any(isinstance(item, ssi.Damaged) for item in items):
            said += self._refusal(Reason.RESEND)
        return [Output(now_ms + REPLY_MS, ssi.encode(packet), baud) for packet in said]

    def poll(self, now_ms: int) -> list[Output]:
        """Do what time makes due: wake, begin to look, see, give up, say again."""
        outputs: list[Output] = []
        if self._wake_at is not None and now_ms >= self._wake_at:
            self._wake_at, self.power = None, Power.AWAKE
        if self._start_at is not None and now_ms >= self._start_at:
            self._start_at = None
            self._start_reading(now_ms)
        if self._read_at is not None and now_ms >= self._read_at:
            self._read_at = None
            outputs += self._look(now_ms)
        if self._stop_at is not None and now_ms >= self._stop_at:
            self._stop_reading(now_ms)
            outputs += self._fail(now_ms)
        if self.transfer.due_ms is not None and now_ms >= self.transfer.due_ms:
            outputs += self._sent(self.transfer.again(now_ms, self._wait_ms()), now_ms)
        return outputs

    def next_deadline_ms(self) -> int | None:
        """The soonest thing that time alone brings."""
        at = (self._wake_at, self._start_at, self._read_at, self._stop_at, self.transfer.due_ms)
        return min((one for one in at if one is not None), default=None)

    # Commands

    def _is_awake(self, now_ms: int) -> bool:
        if self.power is Power.ASLEEP:
            self.power, self._wake_at = Power.WAKING, now_ms + WAKE_MS
        elif self.power is Power.WAKING and self._wake_at is not None and now_ms >= self._wake_at:
            self.power, self._wake_at = Power.AWAKE, None
        return self.power is Power.AWAKE

    def _answer(self, packet: ssi.Packet, now_ms: int) -> list[ssi.Packet]:
        match packet.opcode:
            case Opcode.ACK:
                return self.transfer.acknowledged(now_ms, self._wait_ms())
            case Opcode.NAK:
                return self._refused(packet, now_ms)
        is_again = packet.status & ssi.STATUS_RESENT and self._is_last(packet)
        if not is_again:
            self._last_heard, self._last_reason = packet, self._obey(packet, now_ms)
        if self._last_reason is not None:
            return self._refusal(self._last_reason)
        asked = self._asked(packet)
        if asked is not None:
            return self.transfer.start([asked], now_ms, self._wait_ms())
        return [ssi.Packet(Opcode.ACK, source=ssi.DECODER)] if self._has_handshake() else []

    def _refused(self, packet: ssi.Packet, now_ms: int) -> list[ssi.Packet]:
        if packet.data[:1] == bytes([Reason.RESEND]):
            return self.transfer.again(now_ms, self._wait_ms())
        self.transfer.drop()
        return []

    def _is_last(self, packet: ssi.Packet) -> bool:
        last = self._last_heard
        return last is not None and (last.opcode, last.data) == (packet.opcode, packet.data)

    def _refusal(self, reason: Reason) -> list[ssi.Packet]:
        return [ssi.nak(reason, source=ssi.DECODER)] if self._has_handshake() else []

    def _asked(self, packet: ssi.Packet) -> ssi.Packet | None:
        """The reply that is more than an acknowledgement."""
        if packet.opcode == Opcode.REQUEST_REVISION:
            text = self.profile.revision.encode("ascii")
            return ssi.Packet(Opcode.REPLY_REVISION, text, ssi.DECODER)
        if packet.opcode != Opcode.PARAM_REQUEST:
            return None
        values = self.settings.told(ssi.read_numbers(packet.data) or [])
        data = ssi.told_parameters(values)
        return ssi.Packet(Opcode.PARAM_SEND, data, ssi.DECODER)

    def _obey(self, packet: ssi.Packet, now_ms: int) -> Reason | None:
        """Do it; why not, if not."""
        if self.show.obey(packet):
            return None
        first = packet.data[:1]
        match packet.opcode:
            case Opcode.START_SESSION | Opcode.SCAN_ENABLE | Opcode.SCAN_DISABLE:
                return self._scan_order(packet, now_ms)
            case Opcode.STOP_SESSION:
                self._stop_reading(now_ms)
            case Opcode.PARAM_SEND | Opcode.PARAM_DEFAULTS | Opcode.CUSTOM_DEFAULTS:
                return self._set(packet, now_ms)
            case Opcode.FLUSH_QUEUE:
                self.transfer.drop()
            case Opcode.SLEEP:
                self._stop_reading(now_ms)
                self.power = Power.ASLEEP
            case Opcode.IMAGER_MODE:
                return None if first == _DECODE_MODE else Reason.DENIED
            case Opcode.PARAM_REQUEST:
                return Reason.BAD_CONTEXT if not ssi.read_numbers(packet.data) else None
            case Opcode.REQUEST_REVISION:
                return None
            case _:
                return Reason.BAD_CONTEXT
        return None

    def _scan_order(self, packet: ssi.Packet, now_ms: int) -> Reason | None:
        if packet.opcode != Opcode.START_SESSION:
            self._stop_reading(now_ms)
            self.is_enabled = packet.opcode == Opcode.SCAN_ENABLE
            self._begin_by_itself(now_ms)
        elif self.mode != ssi.TRIGGER_HOST or not self.is_enabled:
            return Reason.DENIED
        else:
            self._start_reading(now_ms)
        return None

    def _set(self, packet: ssi.Packet, now_ms: int) -> Reason | None:
        mode, first = self.mode, packet.data[:1]
        reason: Reason | None = None
        match packet.opcode:
            case Opcode.PARAM_SEND:
                reason = self.settings.take(packet)
            case Opcode.PARAM_DEFAULTS:
                self.settings.restore_first_values()
            case _ if first in (_RESTORE, _KEEP):
                self.settings.keep_or_restore(is_kept=first == _KEEP)
            case _:
                reason = Reason.BAD_CONTEXT
        if self.mode != mode:
            self._stop_reading(now_ms)
            self._begin_by_itself(now_ms)
        return reason

    def _begin_by_itself(self, now_ms: int) -> None:
        is_due = self.mode == ssi.TRIGGER_CONTINUOUS and self.is_enabled
        self._start_at = now_ms if is_due else None

    def _has_handshake(self) -> bool:
        return bool(self.settings[Parameter.HANDSHAKING])

    def _wait_ms(self) -> int:
        return max(TICK_MS, self.settings.ticks_ms(Parameter.RESPONSE_TIME))

    # Looking

    def _start_reading(self, now_ms: int) -> None:
        if not self.is_enabled or self.power is not Power.AWAKE:
            return
        if self.transfer.is_busy:  # the host has not taken the last code yet
            self._start_at = now_ms + TICK_MS if self.mode in _SELF_STARTING else None
            return
        limit_ms = self.settings.ticks_ms(Parameter.SESSION_TIME)
        self.is_reading = True
        self._stop_at = now_ms + limit_ms if limit_ms else None
        self._read_at = now_ms + READ_MS if self._pictures else None

    def _stop_reading(self, now_ms: int) -> None:
        was_reading, self.is_reading = self.is_reading, False
        self._read_at = self._stop_at = None
        if was_reading and self.mode == ssi.TRIGGER_CONTINUOUS and self.is_enabled:
            self._start_at = now_ms + TICK_MS

    def _look(self, now_ms: int) -> list[Output]:
        """At the pictures in turn; the first whose code may be read is read."""
        while self._pictures:
            picture = self._pictures[0]
            sighting = picture.sighting(self._decode)
            if sighting is not None and self._is_switched_on(sighting):
                wait_ms = self._same_code_wait_ms(sighting, now_ms)
                if not wait_ms:
                    self._pictures.done()
                    return self._deliver(sighting, now_ms)
                self._read_at = now_ms + wait_ms
                return []
            if picture.keep:
                return []
            self._pictures.popleft()
        return []

    def _same_code_wait_ms(self, sighting: Sighting, now_ms: int) -> int:
        if self.mode not in _SELF_STARTING or self._last_code is None:
            return 0
        last, at_ms = self._last_code
        delay_ms = self.settings.ticks_ms(Parameter.SAME_CODE_DELAY)
        return max(0, at_ms + delay_ms - now_ms) if last == sighting else 0

    def _is_switched_on(self, sighting: Sighting) -> bool:
        switch = SWITCHES.get(sighting.symbology)
        return switch is not None and bool(self.settings[switch])

    def _deliver(self, sighting: Sighting, now_ms: int) -> list[Output]:
        self.codes_read += 1
        self.show.beeps += 1
        self._last_code = (sighting, now_ms)
        text = sighting.text.encode("utf-8", errors="replace")
        if not self.settings[Parameter.PACKETED]:
            self._stop_reading(now_ms)
            return [Output(now_ms, self._dressed(text), self.baud)]
        code_type = bytes([self.profile.code_types[sighting.symbology]])
        return self._send_decode(code_type, text, now_ms)

    def _send_decode(self, code_type: bytes, text: bytes, now_ms: int) -> list[Output]:
        self._stop_reading(now_ms)
        packets = self._packets(code_type, text)
        if not self._has_handshake():
            return self._sent(packets, now_ms)
        return self._sent(self.transfer.start(packets, now_ms, self._wait_ms()), now_ms)

    def _packets(self, code_type: bytes, text: bytes) -> list[ssi.Packet]:
        """One packet; a long code is one long packet or several that are continued."""
        room = SSI_DATA_BYTES_MAX - len(code_type)
        if self.profile.has_long_form and len(text) > room:
            data = code_type + text[:_LONG_TEXT_BYTES_MAX]
            return [ssi.Packet(Opcode.LONG_DECODE_DATA, data, ssi.DECODER)]
        pieces = [text[start : start + room] for start in range(0, len(text), room)] or [b""]
        return [
            ssi.Packet(
                Opcode.DECODE_DATA, code_type + piece, ssi.DECODER,
                0 if number == len(pieces) else ssi.STATUS_CONTINUED,
            )
            for number, piece in enumerate(pieces, start=1)
        ]  # fmt: skip

    def _dressed(self, text: bytes) -> bytes:
        """Unpacketed text: bit 2 of parameter EB adds the prefix, bits 0 and 1 the suffixes."""
        wanted, values = self.settings[Parameter.FORMAT], self.settings
        prefix = bytes([values[Parameter.PREFIX]]) if wanted & 4 else b""
        first = bytes([values[Parameter.SUFFIX_1]]) if wanted & 1 else b""
        second = bytes([values[Parameter.SUFFIX_2]]) if wanted & 2 else b""
        return prefix + text + first + second

    def _fail(self, now_ms: int) -> list[Output]:
        self.codes_failed += 1
        is_told = self.settings[Parameter.NO_READ_MESSAGE] and self.settings[Parameter.PACKETED]
        return self._send_decode(_NO_READ[:1], _NO_READ[1:], now_ms) if is_told else []

    def _sent(self, packets: list[ssi.Packet], now_ms: int) -> list[Output]:
        return [Output(now_ms, ssi.encode(packet), self.baud) for packet in packets]
