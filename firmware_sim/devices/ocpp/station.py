"""The charge point's half that talks: registration, calls, transaction messages, reset, firmware.

Rule 1: nothing but the boot notification is said before the central system has accepted it,
unless it asks for it (1.6 §4.2, 2.0.1 part 2 B01 to B03). Rule 2: calls that may be lost wait in
``rpc``, transaction messages in ``outbox``; one call is in flight. Rule 3: what a version says in
its own way is in a method that the version's station supplies.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from firmware_sim.devices.ocpp.firmware import FirmwareFile, FirmwareUpdate, Order, Stage
from firmware_sim.devices.ocpp.limits import (
    BOOT_RETRY_S,
    INTERVAL_S_MAX,
    REBOOT_MS,
    RESET_DELAY_MS,
    RESET_DRAIN_MS,
    START_MS,
)
from firmware_sim.devices.ocpp.log_upload import LogUpload
from firmware_sim.devices.ocpp.log_upload import Stage as UploadStage
from firmware_sim.devices.ocpp.outbox import Letter, Outbox
from firmware_sim.devices.ocpp.rpc import OFFLINE, Question, Reply, Then
from firmware_sim.devices.ocpp.settings import Settings
from firmware_sim.devices.ocpp.talker import Talker
from firmware_sim.devices.ocpp.wall_clock import WallClock
from protocol.framing.ocppj import JsonObject

ACCEPTED, PENDING, REJECTED = "Accepted", "Pending", "Rejected"


@dataclass(frozen=True, slots=True)
class NamePlate:
    """What the charger says of itself."""

    vendor: str
    model: str
    serial: str
    firmware_version: str


class Station(Talker):
    """A charge point without outlets."""

    FIRMWARE_WORDS: ClassVar[Mapping[Stage, str]]

    def __init__(
        self,
        plate: NamePlate,
        settings: Settings,
        clock: WallClock,
        *,
        seed: bytes,
        files: dict[str, FirmwareFile],
        upload_addresses: frozenset[str],
    ) -> None:
        super().__init__(seed=seed)
        self.plate, self.settings, self.clock = plate, settings, clock
        self.firmware_version = plate.firmware_version
        self.outbox = Outbox()
        self.firmware = FirmwareUpdate(files)
        self.upload = LogUpload(upload_addresses)
        self.registration = ""
        self.boot_cause = ""
        self._next_cause = ""
        self._stage_reported = Stage.IDLE
        self._upload_reported = UploadStage.IDLE
        self._is_draining = False

    # -- what a version supplies -----------------------------------------------------------

    @abstractmethod
    def boot_payload(self) -> JsonObject:
        """The boot notification."""

    @abstractmethod
    def tell_of_upload(self) -> bool:
        """Say where the log's upload stands; ``False`` where it could not be said."""

    @abstractmethod
    def heartbeat_s(self) -> int:
        """The heartbeat's interval; 0 is none."""

    @abstractmethod
    def accepted(self, interval_s: int, now_ms: int) -> None:
        """The central system has accepted the boot notification."""

    @abstractmethod
    def reconnected(self, now_ms: int) -> None:
        """The connection is back, within one run of the charger."""

    @abstractmethod
    def started(self, cause: str, now_ms: int) -> None:
        """The charger's program begins."""

    @abstractmethod
    def is_idle(self) -> bool:
        """Whether no transaction runs."""

    @abstractmethod
    def retry_rule(self) -> tuple[int, int]:
        """How often a transaction message is tried, and the wait in s after the first failure."""

    @abstractmethod
    def addressed(self, letter: Letter) -> JsonObject:
        """A transaction message's payload as it is now to be sent."""

    @abstractmethod
    def letter_taken(self, letter: Letter, payload: JsonObject, now_ms: int) -> None:
        """The central system's answer to a transaction message."""

    # -- alarms and the line ----------------------------------------------------------------

    def power_up(self, now_ms: int) -> None:
        """Power comes, or comes back."""
        self._start("PowerUp", now_ms)

    def rang(self, name: str, now_ms: int) -> None:
        """An alarm of this half; a version takes its own before."""
        match name:
            case "reboot":
                self._start(self._next_cause, now_ms)
            case "reset":
                self.reboot(self._next_cause, now_ms)
            case "dial":
                self.dial_or_give_up(now_ms)
            case "register":
                self.register(now_ms)
            case "heartbeat":
                self.beat(now_ms)
            case "firmware":
                self._advance_firmware(now_ms)
            case "upload":
                self._advance_upload(now_ms)

    @property
    def is_registered(self) -> bool:
        """Whether messages other than the boot notification may go now."""
        return self.uplink.is_up and self.registration == ACCEPTED

    def may_answer(self) -> bool:
        """Once the central system has not refused the charger."""
        return self.registration in {ACCEPTED, PENDING}

    def connected(self, now_ms: int) -> None:
        """Register, or say what changed meanwhile."""
        if self.registration == ACCEPTED:
            self._arm_heartbeat(now_ms)
            self.reconnected(now_ms)
        elif not self.timers.is_set("register"):
            self.register(now_ms)

    # -- registration ----------------------------------------------------------------------

    def register(self, now_ms: int) -> None:
        """Send the boot notification, where there is a connection to send it on."""
        del now_ms
        self.timers.clear("register")
        self.ask("BootNotification", self.boot_payload(), self.registered)

    def registered(self, reply: Reply, now_ms: int) -> None:
        """The answer to a boot notification, or what came in its place."""
        if reply.code == OFFLINE:
            return
        interval_s = whole_within(reply.payload.get("interval"), INTERVAL_S_MAX)
        status = reply.payload.get("status")
        if status == ACCEPTED:
            self.registration = ACCEPTED
            self.clock.set_right(str(reply.payload.get("currentTime")), now_ms)
            self.accepted(interval_s, now_ms)
            self._arm_heartbeat(now_ms)
            return
        self.registration = status if status in {PENDING, REJECTED} else self.registration
        if self.registration == ACCEPTED:  # a triggered boot notification that failed
            return
        self.timers.set("register", now_ms + (interval_s or BOOT_RETRY_S) * 1000)

    def beat(self, now_ms: int) -> None:
        """Send a heartbeat and arm the next."""
        if self.uplink.is_up:
            self.ask("Heartbeat", {}, self._heard_time)
        self._arm_heartbeat(now_ms)

    def _arm_heartbeat(self, now_ms: int) -> None:
        interval_s = self.heartbeat_s()
        if interval_s:
            self.timers.set("heartbeat", now_ms + interval_s * 1000)
        else:
            self.timers.clear("heartbeat")

    def rearm_heartbeat(self, now_ms: int) -> None:
        """The interval was changed."""
        if self.registration == ACCEPTED:
            self._arm_heartbeat(now_ms)

    def _heard_time(self, reply: Reply, now_ms: int) -> None:
        if not reply.code:
            self.clock.set_right(str(reply.payload.get("currentTime")), now_ms)

    # -- sending ---------------------------------------------------------------------------

    def pump(self, now_ms: int) -> None:
        """Send what is due: notifications first, then the oldest transaction message."""
        self._tell_of_firmware(now_ms)
        self._tell_of_upload()
        self._end_drain(now_ms)
        if not self.uplink.is_up or self.rpc.is_busy:
            return
        if self.rpc.waiting_count:
            question = self.rpc.take_waiting()
        elif self.is_registered and not self.timers.is_set("letter"):
            letter = self.outbox.first()
            if letter is None:
                return
            question = Question(letter.action, self.addressed(letter), self._then_for(letter))
        else:
            return
        self.send(question, now_ms)

    def _then_for(self, letter: Letter) -> Then:
        def then(reply: Reply, now_ms: int) -> None:
            if reply.code == OFFLINE:
                return
            if not reply.code:
                self.outbox.taken(letter)
                self.letter_taken(letter, reply.payload, now_ms)
                return
            attempts_max, wait_s = self.retry_rule()
            if self.outbox.failed(letter, attempts_max):
                self.timers.set("letter", now_ms + wait_s * 1000 * letter.attempts)

        return then

    # -- reset and firmware ----------------------------------------------------------------

    def _start(self, cause: str, now_ms: int) -> None:
        self.is_on, self.boot_cause = True, cause
        self.forget_line()
        self._is_draining = False
        self.registration = ""
        self.upload.forget()
        self._upload_reported = UploadStage.IDLE
        self.firmware_version = self.firmware.booted() or self.firmware_version
        if self.firmware.is_running:
            self.timers.set("firmware", max(now_ms + 1, self.firmware.resumes_at_ms()))
        self.started(cause, now_ms)
        self.timers.set("dial", now_ms + START_MS)

    def reset_soon(self, cause: str, now_ms: int, *, is_patient: bool) -> None:
        """Reboot once the answer is out; a patient one lets the queue drain first."""
        self._next_cause = cause
        self._is_draining = is_patient
        self.timers.set("reset", now_ms + (RESET_DRAIN_MS if is_patient else RESET_DELAY_MS))

    def _end_drain(self, now_ms: int) -> None:
        is_drained = not (self.outbox.letters or self.rpc.is_busy or self.rpc.waiting_count)
        if self._is_draining and is_drained:
            self._is_draining = False
            self.timers.set("reset", now_ms + RESET_DELAY_MS)

    def reboot(self, cause: str, now_ms: int) -> None:
        """Stop the program and start it again ``REBOOT_MS`` later; power stays on."""
        self.hang_up(now_ms)
        self.forget_line()
        self.is_on, self._next_cause = False, cause
        self.timers.set("reboot", now_ms + REBOOT_MS)

    def order_firmware(self, order: Order, now_ms: int) -> None:
        """Begin an update in time."""
        self.timers.set("firmware", max(now_ms + 1, self.firmware.take(order)))

    def _advance_firmware(self, now_ms: int) -> None:
        due_ms = self.firmware.advance(now_ms, is_idle=self.is_idle())
        if due_ms is not None:
            self.timers.set("firmware", max(now_ms + 1, due_ms))
        elif self.firmware.stage is Stage.REBOOTING:
            self._next_cause = "FirmwareUpdate"
            self.timers.set("reset", now_ms + RESET_DELAY_MS)

    def _tell_of_firmware(self, now_ms: int) -> None:
        stage = self.firmware.stage
        if stage is Stage.DOWNLOADED and not self.timers.is_set("firmware") and self.is_idle():
            self.timers.set("firmware", now_ms + 1)
        if stage is self._stage_reported or not self.is_registered:
            return
        word = self.firmware_word(now_ms)
        if not word or self.ask("FirmwareStatusNotification", self.firmware_payload(word)):
            self._stage_reported = stage

    def order_upload(
        self, location: str, now_ms: int, *, retries: int, retry_s: int, request_id: int | None
    ) -> str:
        """Begin to upload the log; returns its file name."""
        due_ms = self.upload.take(
            location, now_ms, retries=retries, retry_s=retry_s, request_id=request_id
        )
        self._upload_reported = UploadStage.IDLE
        self.timers.set("upload", due_ms)
        return f"{self.plate.serial}-{self.upload.files}.log"

    def _advance_upload(self, now_ms: int) -> None:
        due_ms = self.upload.advance(now_ms)
        if due_ms is not None:
            self.timers.set("upload", due_ms)

    def _tell_of_upload(self) -> None:
        stage = self.upload.stage
        if stage is not self._upload_reported and self.is_registered and self.tell_of_upload():
            self._upload_reported = stage

    def firmware_word(self, now_ms: int) -> str:
        """The stage in the version's words; nothing where it is not told."""
        del now_ms
        return self.FIRMWARE_WORDS.get(self.firmware.stage, "")

    def firmware_payload(self, word: str) -> JsonObject:
        """The firmware notification."""
        return {"status": word}


def whole_within(value: object, maximum: int) -> int:
    """A number above zero of somebody else's message, held to a maximum; 0 where it is none."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return max(0, min(int(value), maximum)) if is_whole else 0  # type: ignore[call-overload]
