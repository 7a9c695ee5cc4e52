"""The controller board: power, reset, bootloader and firmware on one serial line at 115200 baud.

While it boots or has no power it hears nothing. A boot takes as long as the flash it writes.
"""

from dataclasses import dataclass, field

from firmware_sim.devices.device import Output
from firmware_sim.devices.smp_board import bootloader
from firmware_sim.devices.smp_board.bootloader import Start
from firmware_sim.devices.smp_board.flash import Flash, PowerCutError
from firmware_sim.devices.smp_board.server import SmpServer
from firmware_sim.devices.smp_board.slots import Areas
from firmware_sim.limits import FLASH_SECTOR_BYTES, SMP_BUFFER_BYTES
from protocol.errors import CallerError
from protocol.framing import smp
from protocol.framing.mcuboot import Flaw, Image, ImageKey
from protocol.framing.mcuboot_trailer import SwapType

BAUD = 115_200
BOOT_MS, REPLY_MS, RESET_MS = 30, 2, 50
_OVERHEAD_BYTES = 4


@dataclass(slots=True)
class SmpBoard:
    """One board. ``slot_sectors`` of 4 KiB make a slot; without a key any whole image runs."""

    slot_sectors: int = 32
    key: ImageKey | None = None
    is_talkative: bool = False
    erases_pending: bool = False
    flash: Flash = field(init=False)
    boots: int = 0
    power_failures: int = 0
    _areas: Areas = field(init=False)
    _start: Start | None = None
    _server: SmpServer | None = None
    _parser: smp.LineParser = field(default_factory=smp.LineParser)
    _ready_ms: int = 0
    _boots_at_ms: int | None = None
    _wants_recovery: bool = False
    _off_ms: int = 0

    def __post_init__(self) -> None:
        self.flash = Flash(2 * self.slot_sectors + 2)
        self._areas = Areas.on(self.flash, self.slot_sectors, self.key)

    @property
    def baud(self) -> int:
        """Always the same."""
        return BAUD

    @property
    def has_power(self) -> bool:
        """Whether it has power; what runs then is ``start``."""
        return self._server is not None

    @property
    def is_recovery(self) -> bool:
        """Whether its bootloader waits for firmware instead of starting it."""
        return self._server is not None and self._server.is_recovery

    @property
    def start(self) -> Start | None:
        """How the last boot ended; ``None`` without power."""
        return self._start

    @property
    def areas(self) -> Areas:
        """The flash, for whoever looks at the chip itself."""
        return self._areas

    def load(self, image: bytes) -> None:
        """Put an image, or a whole slot with its trailer, into the first slot, as a factory does.

        ``CallerError("field_invalid")`` if it is too large.
        """
        if len(image) > self.slot_sectors * FLASH_SECTOR_BYTES:
            raise CallerError(
                "field_invalid",
                f"{len(image)} bytes do not fit the slot",
                detail_zh=f"{len(image)} 字节放不进固件槽",
            )
        self.flash.put(0, image)

    def boot(self, now_ms: int) -> list[Output]:
        """Power comes, or comes back."""
        self._forget()
        recovery, self._wants_recovery = self._wants_recovery, False
        self.boots += 1
        before_ms = self.flash.busy_ms
        try:
            self._start = bootloader.boot(self._areas)
        except PowerCutError:
            self._lose_power(now_ms)
            return []
        recovery = recovery or isinstance(self._start.image, Flaw)
        self._server = SmpServer(
            self._areas, is_recovery=recovery, erases_pending=self.erases_pending
        )
        self._ready_ms = now_ms + BOOT_MS + self.flash.busy_ms - before_ms
        return self._say(_banner(self._start), self._ready_ms) if self.is_talkative else []

    def reset(self, now_ms: int, *, hold_recovery: bool) -> list[Output]:
        """Press the reset button, with the recovery button held or not. Dark boards stay dark."""
        if not self.has_power:
            return []
        self._wants_recovery = hold_recovery
        return self.boot(now_ms)

    def cut_power(
        self, now_ms: int, *, after_writes: int | None, is_torn: bool, off_ms: int
    ) -> None:
        """Let so many flash writes succeed and the power fail at the next, half way through it if
        ``is_torn``; with ``None`` it fails at once. It comes back ``off_ms`` later.
        """
        self._off_ms = off_ms
        if after_writes is None:
            self._lose_power(now_ms)
        else:
            self.flash.cut_power_after(after_writes, is_torn=is_torn)

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Answer the messages in ``data``."""
        outputs = self.poll(now_ms)
        if self._server is None or now_ms < self._ready_ms:
            return outputs
        at_ms = now_ms
        for item in self._parser.feed(data):
            if isinstance(item, smp.Received):
                before_ms = self.flash.busy_ms
                lines = self._answer(item.message, now_ms)
                at_ms += REPLY_MS + self.flash.busy_ms - before_ms
                outputs += self._say(lines, at_ms)
        return outputs

    def poll(self, now_ms: int) -> list[Output]:
        """Boot when a reset or the power's return is due."""
        if self._boots_at_ms is None or now_ms < self._boots_at_ms:
            return []
        return self.boot(now_ms)

    def next_deadline_ms(self) -> int | None:
        """When it boots by itself."""
        return self._boots_at_ms

    def _answer(self, request: smp.Message, now_ms: int) -> bytes:
        if self._server is None or len(smp.pack(request)) + _OVERHEAD_BYTES > SMP_BUFFER_BYTES:
            return b""  # no power any more, or no buffer of that size: dropped without a word
        try:
            answer = self._server.answer(request, now_ms)
        except PowerCutError:
            self._lose_power(now_ms)
            return b""
        if self._server.os.wants_reset:
            self._wants_recovery = self._server.os.wants_recovery
            self._boots_at_ms = now_ms + RESET_MS
        return smp.encode(answer) if answer else b""

    def _say(self, payload: bytes, at_ms: int) -> list[Output]:
        return [Output(at_ms, payload, BAUD)] if payload else []

    def _lose_power(self, now_ms: int) -> None:
        self._forget()
        self.power_failures += 1
        self._start, self._boots_at_ms = None, now_ms + self._off_ms

    def _forget(self) -> None:
        self._server, self._boots_at_ms = None, None
        self._parser = smp.LineParser()


def _banner(start: Start) -> bytes:
    lines = ["*** Booting MCUboot-format bootloader (simulated) ***"]
    if start.refused is not None:
        lines.append(f"E: Image in the secondary slot is not valid: {start.refused}")
    if start.swap is not SwapType.NONE:
        lines.append(f"I: Swap type: {start.swap.name.lower()}")
    if isinstance(start.image, Image):
        lines.append(f"I: Jumping to firmware {start.image.header.version}")
    else:
        lines.append(f"E: Unable to find bootable image: {start.image}; serial recovery")
    return "\r\n".join(lines).encode() + b"\r\n"
