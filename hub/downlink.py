"""Keeps up with the backend: the device table, the long poll, the hub's own report."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor

import structlog

from hub.domain.checking import FindKey
from hub.domain.core import HubCore
from hub.line import BackendLine
from hub.news import read_devices, read_news
from hub.presence import device_states
from hub.shell import HubShell
from hub.shell_limits import (
    DEVICES_EVERY_S,
    POLL_RETRY_MS_MAX,
    POLL_RETRY_MS_MIN,
    POLL_WAIT_S,
    POLLS_FAILED_MAX,
    REPORT_DEVICES_MAX,
    REPORT_EVERY_S,
)
from protocol.clock import Clock, Entropy
from protocol.errors import CallerError, OperatingError

log = structlog.get_logger("hub.downlink")


class Downlink:
    """Three loops. Each failure is logged and tried again; none ends a loop."""

    def __init__(
        self,
        *,
        core: HubCore,
        shell: HubShell,
        line: BackendLine,
        backend_key: FindKey,
        workers: Executor,
        clock: Clock,
        entropy: Entropy,
        connected: Callable[[], frozenset[str]] | None,
    ) -> None:
        """``connected`` names the devices with a line; None where there are no lines."""
        self._core = core
        self._shell = shell
        self._line = line
        self._backend_key = backend_key
        self._workers = workers
        self._clock = clock
        self._entropy = entropy
        self._connected = connected
        self.chargers: Callable[[], Mapping[str, bool]] = dict
        """The store's chargers, and whether each has dialled in."""
        self._failures = 0
        self._polls_failed = 0
        self.first_table = asyncio.Event()
        """Set when the device table came for the first time since the start."""

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._poll_for_ever())
            group.create_task(self._refresh_for_ever())
            group.create_task(self._report_for_ever())

    async def refresh(self) -> None:
        """Fetch the device table and make it count."""
        known = self._core.registry.names()
        data = await self._line.devices(self._core.store)
        devices = await asyncio.get_running_loop().run_in_executor(
            self._workers,
            lambda: read_devices(data, store=self._core.store, backend_key=self._backend_key),
        )
        self._core.devices_arrived(devices, known=known)
        self._shell.changed()
        self.first_table.set()

    async def poll(self) -> None:
        """One long poll; a short one after a failure, to hear at once that the line is back."""
        has_room = self._core.delivery.has_room
        wait_s = 0 if self._polls_failed or not has_room else POLL_WAIT_S
        rows = await self._line.pushes(after=self._core.cursor, wait_s=wait_s)
        if not has_room:
            self._heard()  # The backend is there, though nothing is taken of it now.
            if rows:  # Who was revoked stands in the table, too: that cannot wait for room.
                await self.refresh()
            raise OperatingError("busy", "too many parcels wait; the backend keeps the rest")
        news = await asyncio.get_running_loop().run_in_executor(
            self._workers,
            lambda: read_news(rows, store=self._core.store, backend_key=self._backend_key),
        )
        if news is not None:
            await self._shell.take_news(news)

    async def _poll_for_ever(self) -> None:
        while True:
            try:
                await self.poll()
                self._failures = 0
                self._heard()
            except (OperatingError, CallerError) as error:
                log.warning("poll_failed", code=error.code, detail=error.detail)
                if error.code == "backend_unreachable":
                    self._note_silence()
                await asyncio.sleep(self._pause_ms() / 1000)

    def _heard(self) -> None:
        self._polls_failed = 0
        self._core.poll_answered()
        self._shell.changed()

    def _note_silence(self) -> None:
        self._polls_failed += 1
        if self._polls_failed >= POLLS_FAILED_MAX:
            self._core.poll_failed()
            self._shell.changed()

    async def _refresh_for_ever(self) -> None:
        while True:
            pause_s: float = DEVICES_EVERY_S
            try:
                await self.refresh()
            except (OperatingError, CallerError) as error:
                log.warning("device_table_failed", code=error.code, detail=error.detail)
                pause_s = self._pause_ms() / 1000
            await asyncio.sleep(pause_s)

    async def _report_for_ever(self) -> None:
        while True:
            try:
                for report in self._reports():
                    await self._line.report(report)
            except (OperatingError, CallerError) as error:
                log.info("report_failed", code=error.code, detail=error.detail)
            await asyncio.sleep(REPORT_EVERY_S)

    def _reports(self) -> Iterator[dict[str, object]]:
        """The hub's own state with the first group of devices; at least one report."""
        connected = self._connected() if self._connected is not None else None
        states = list(device_states(self._core, connected, self.chargers()))
        for start in range(0, max(len(states), 1), REPORT_DEVICES_MAX):
            yield {
                "at_ms": self._clock.now_ms(),
                "spool_depth": self._core.forwarding.rows,
                "devices": states[start : start + REPORT_DEVICES_MAX],
            }

    def _pause_ms(self) -> int:
        ceiling = min(POLL_RETRY_MS_MAX, POLL_RETRY_MS_MIN << min(self._failures, 16))
        self._failures += 1
        return ceiling // 2 + self._entropy.token_bytes(1)[0] * ceiling // 512
