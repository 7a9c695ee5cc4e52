"""The asyncio shell of the agent: one task owns the state, everybody else sends it inputs.

Rule 1: only `_own` feeds the agent; its effects are carried out after the turn's commit.
Rule 2: no device or link is waited for in that task.
Rule 3: printer trouble never stops a sale: it is written down and shown.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from protocol.errors import CallerError, OperatingError, TillwayError, from_code
from terminal.agent import Agent
from terminal.board_renewal import BoardRenewal
from terminal.domain.at_counter import AtCounter
from terminal.domain.screen import Screen
from terminal.effects import (
    DispenseItem,
    Effect,
    PrintReceipt,
    ReadFinger,
    ReadItself,
    RenewBoard,
    ScanCode,
    StopDevices,
    Transmit,
    TryOtherHub,
    TrySettings,
)
from terminal.inputs import (
    BoardStep,
    CashierInput,
    CodeScanned,
    FingerMatched,
    FingerRefused,
    Input,
    ItemFailed,
    ItemGiven,
    ItselfRead,
    LinkInput,
    PrintStored,
    ReceiptFailed,
    Reprint,
    ScanFailed,
    SettingsTried,
    Tick,
)
from terminal.journal.database import UNWRITABLE
from terminal.limits import COUNTER_SHOWN_S, DISPENSE_WAIT_S, INBOX_MAX, PRINT_WAIT_S
from terminal.ports import (
    CardPinPad,
    CodeScanner,
    ControllerBoard,
    DeviceReader,
    Dispenser,
    FingerprintSensor,
    FirmwareSource,
    ReceiptPrinter,
)
from terminal.printing import Printing
from terminal.profile import Profile
from terminal.sale_facts import trial_facts
from terminal.timing import TerminalClock
from terminal.uplink import UplinkPort

log = structlog.get_logger("terminal")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellPorts:
    """What the shell drives (the PIN pad, the counter). A device that is not there is None."""

    agent: Agent
    link: UplinkPort
    clock: TerminalClock
    render: Callable[[Mapping[str, Any]], bytes]
    scanner: CodeScanner | None = None
    printer: ReceiptPrinter | None = None
    sensor: FingerprintSensor | None = None
    pinpad: CardPinPad | None = None
    dispenser: Dispenser | None = None
    reader: DeviceReader | None = None
    board: ControllerBoard | None = None
    firmware: FirmwareSource | None = None


_REVISIONS_PER_BOOT = 1_000_000
_Mail = tuple[Input, "asyncio.Future[Screen] | None"]


class Shell:
    """Drives one agent."""

    def __init__(self, ports: ShellPorts) -> None:
        self._ports = ports
        self._agent = ports.agent
        self._inbox: asyncio.Queue[_Mail] = asyncio.Queue(INBOX_MAX)
        self._printing = Printing(ports.printer, ports.render, self._put)
        self._reading: asyncio.Task[None] | None = None
        self._group: asyncio.TaskGroup | None = None
        self._is_reading_itself = False
        self._renewing: asyncio.Task[None] | None = None
        self._renewal = BoardRenewal(
            ports.firmware, ports.board, is_idle=lambda: self._agent.current() is None
        )
        self._changed = asyncio.Event()
        self._is_stopping = False
        self._at_counter: AtCounter | None = None
        self._counter_ends: asyncio.TimerHandle | None = None
        self.screen = self._agent.screen()
        # Revisions go on above those of an earlier start, so that a page that comes back is told.
        self.revision = self._agent.boot_epoch * _REVISIONS_PER_BOOT

    async def run(self) -> None:
        """Serve until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._own(), name="terminal-owner")
                group.create_task(self._printing.run(), name="terminal-printer")
                group.create_task(self._ports.link.run(self._arrived), name="terminal-link")
        finally:
            self._stop_reading()
            self._forget_counter_ends()

    def now_ms(self) -> int:
        """This terminal's time."""
        return self._ports.clock.now_ms()

    async def command(self, wish: CashierInput) -> Screen:
        """Do what the cashier wants; the screen after it, or the ``CallerError`` that says no."""
        answer: asyncio.Future[Screen] = asyncio.get_running_loop().create_future()
        try:
            self._inbox.put_nowait((wish, answer))
        except asyncio.QueueFull:
            raise OperatingError("busy") from None
        return await answer

    async def print(self, wish: PrintStored | Reprint, receipt_id: int) -> tuple[Screen, bool]:
        """Print it; the screen, and whether it is on paper yet. The printer's code if it is not."""
        with self._printing.watched(receipt_id) as outcome:
            screen = await self.command(wish)
            await asyncio.wait({outcome}, timeout=PRINT_WAIT_S)
            told = outcome.result() if outcome.done() else None
        if isinstance(told, ReceiptFailed):
            raise from_code(told.code)
        return screen, told is not None

    def show_at_counter(self, shown: AtCounter | None) -> None:
        """What the counter takes itself, beside the keypad: a sale that begins ends it."""
        self._forget_counter_ends()
        if shown is not None and shown.is_over:
            loop = asyncio.get_running_loop()
            self._counter_ends = loop.call_later(COUNTER_SHOWN_S, self.leave_counter)
        self._at_counter = shown
        self._refresh()

    def _forget_counter_ends(self) -> None:
        if self._counter_ends is not None:
            self._counter_ends.cancel()
            self._counter_ends = None

    def leave_counter(self) -> None:
        """Whoever paid at the counter has gone, or pays otherwise; not while a card is asked."""
        at = self._at_counter
        if at is not None and not at.is_card_asked:
            self.show_at_counter(None)

    async def screens(self, after: int) -> AsyncIterator[tuple[int, Screen]]:
        """Each new screen beyond revision ``after``; skips those that nobody was there to see."""
        seen = after
        while not self._is_stopping:
            changed = self._changed
            if self.revision != seen:
                seen = self.revision
                yield seen, self.screen
            else:
                await changed.wait()

    def end_streams(self) -> None:
        """The program stops: whoever follows the screen is let go."""
        self._is_stopping = True
        self._changed.set()

    # The owner

    async def _own(self) -> None:
        self._carry_out(self._agent.start())
        self._refresh()
        while True:
            event, answer = await self._next()
            self._turn(event, answer)

    async def _next(self) -> _Mail:
        due = self._agent.due_ms()
        if due is None:
            return await self._inbox.get()
        wait_ms = max(due - self._ports.clock.ticks_ms(), 0)
        try:
            async with asyncio.timeout(wait_ms / 1000):
                return await self._inbox.get()
        except TimeoutError:
            return Tick(), None

    def _turn(self, event: Input, answer: "asyncio.Future[Screen] | None") -> None:
        try:
            effects = self._agent.feed(event)
        except TillwayError as refused:
            if answer is None or answer.cancelled():
                log.warning("input_refused", what=type(event).__name__, code=refused.code)
            else:
                answer.set_exception(refused)
            if refused.code == UNWRITABLE:
                raise  # what is in memory is not what is on the disk
            return
        self._carry_out(effects)
        self._refresh()
        if answer is not None and not answer.cancelled():
            answer.set_result(self.screen)

    def _refresh(self) -> None:
        screen = self._agent.screen()
        if screen.kind != "keypad":
            self._at_counter = None
        screen = replace(screen, at_counter=self._at_counter)
        if screen != self.screen:
            self.screen = screen
            self.announce()

    def announce(self) -> None:
        """Show the screen again to whoever follows it."""
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _arrived(self, event: LinkInput) -> None:
        self._put(event)

    def _put(self, event: Input) -> None:
        """A lost answer is asked for again; a lost link event would be, too, by its next one."""
        try:
            self._inbox.put_nowait((event, None))
        except asyncio.QueueFull:
            log.warning("inbox_full", what=type(event).__name__)

    # Effects

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Transmit():
                    self._ports.link.transmit(effect)
                case TryOtherHub():
                    self._ports.link.try_other_hub()
                case ScanCode(payment_id, timeout_s):
                    self._read(self._scan(payment_id, timeout_s))
                case ReadFinger(payment_id, timeout_s):
                    self._read(self._identify(payment_id, timeout_s))
                case StopDevices():
                    self._stop_reading()
                case PrintReceipt():
                    self._printing.put(effect)
                case DispenseItem(payment_id, item):
                    assert self._group is not None
                    self._group.create_task(self._dispense(payment_id, item))
                case ReadItself():
                    assert self._group is not None
                    self._group.create_task(self._read_itself())
                case RenewBoard():
                    self._renew(effect)
                case TrySettings(version, profile):
                    assert self._group is not None
                    self._group.create_task(self._try_settings(version, profile))

    def _read(self, work: Any) -> None:  # noqa: ANN401  # a coroutine
        self._stop_reading()
        self._reading = asyncio.get_running_loop().create_task(work)

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    async def _scan(self, payment_id: str, timeout_s: int) -> None:
        scanner = self._ports.scanner
        if scanner is None:
            self._put(ScanFailed(payment_id, "device_disconnected"))
            return
        try:
            code = await scanner.scan(timeout_s)
        except TillwayError as failed:
            self._put(ScanFailed(payment_id, failed.code))
        else:
            self._put(CodeScanned(payment_id, code.strip()))

    async def _identify(self, payment_id: str, timeout_s: int) -> None:
        sensor = self._ports.sensor
        if sensor is None:
            self._put(FingerRefused(payment_id, "biometric_unavailable"))
            return
        try:
            match = await sensor.identify(timeout_s)
        except TillwayError as failed:
            log.warning("finger_not_read", code=failed.code, detail=failed.detail)
            self._put(FingerRefused(payment_id, "biometric_unavailable"))
            return
        if match is None:
            self._put(FingerRefused(payment_id, "biometric_mismatch"))
        else:
            self._put(FingerMatched(payment_id, score=match.score, slot=match.slot))

    async def _dispense(self, payment_id: str, item: str) -> None:
        """The dispenser's word, whatever it is, reaches the owner, who waits for it."""
        code = None
        try:
            async with asyncio.timeout(DISPENSE_WAIT_S):
                await self._fall(item)
        except TimeoutError:
            code = "device_no_reply"
        except TillwayError as failed:
            code = failed.code
        if code is not None:
            log.warning("item_failed", payment_id=payment_id, item=item, code=code)
        word = ItemGiven(payment_id) if code is None else ItemFailed(payment_id, code)
        await self._inbox.put((word, None))

    async def _read_itself(self) -> None:
        """On a thread, one at a time: a file of the system's may be slow to answer."""
        if self._ports.reader is None or self._is_reading_itself:
            return
        self._is_reading_itself = True
        try:
            attrs = await asyncio.to_thread(self._ports.reader.read)
        finally:
            self._is_reading_itself = False
        self._put(ItselfRead(attrs))

    def _renew(self, wish: RenewBoard) -> None:
        """Do the work of this wish, and of no other any more."""
        assert self._group is not None
        if self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None
        work = self._renewal.run if wish.digest else self._renewal.take_back
        self._renewing = self._group.create_task(work(wish, self._board_said))

    async def _board_said(self, step: BoardStep) -> None:
        await self._inbox.put((step, None))

    async def _try_settings(self, version: int, profile: Profile) -> None:
        """A sale's receipt is made, and the devices that the settings call for are looked at."""
        has_sensor = self._ports.sensor is not None
        try:
            if profile.biometric_above_minor is not None and not has_sensor:
                raise CallerError("setting_unfit", "biometric_above_minor: no fingerprint sensor")
            await asyncio.to_thread(self._ports.render, trial_facts(profile))
        except TillwayError as failed:
            word = SettingsTried(version, failed.code, failed.detail)
        except Exception as failed:  # whatever they break, they are taken back
            log.exception("settings_trial_failed", version=version)
            word = SettingsTried(version, "setting_trial_failed", type(failed).__name__)
        else:
            word = SettingsTried(version, None)
        await self._inbox.put((word, None))

    async def _fall(self, item: str) -> None:
        if self._ports.dispenser is None:
            raise CallerError("item_not_given", "this machine has no dispenser")
        await self._ports.dispenser.dispense(item)
