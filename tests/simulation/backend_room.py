"""The backend's real parts, in one thread: desk, writer, ledger, pushes; killed and started again.

Wired as ``backend.bootstrap`` does it, but for threads: what runs aside there runs at once here,
and commands that are submitted together are committed in groups of random size.
"""

import asyncio
import random
import shutil
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from backend.db.command import Command, Outcome
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.db.sqlite_store import SqliteStore
from backend.db.working_set import WorkingSet
from backend.devices.directory import Directory
from backend.devices.repository import DeviceRepository
from backend.hub_api.batches import BatchDesk
from backend.hub_api.guard import Hello
from backend.hub_api.known_hubs import KnownHubs
from backend.hub_api.push_repository import PushRepository
from backend.hub_api.pushes import PushFeed
from backend.hub_api.service import HubService
from backend.ledger.repository import LedgerRepository
from backend.ledger.service import LedgerSeal
from backend.ledger.verify import Report, verify
from backend.notify.tables import PUSH
from backend.observability.metrics import Metrics
from backend.payments.model import PaymentRules
from backend.payments.repository import PaymentRepository
from backend.payments.requests import REQUEST_COMMANDS, command_of
from backend.payments.service import ExpirePayment
from backend.twins.service import ReportSettings
from protocol import cbor
from protocol.crypto.keys import SigningKey
from protocol.errors import OperatingError
from protocol.limits import BATCH_BYTES_MAX
from tests.simulation.events import DriftingClock, Fuse, PowerCut
from tests.simulation.faults import Faults

_T = TypeVar("_T")
GROUP_MAX = 6


async def _at_once(work: Callable[..., _T], *arguments: object) -> _T:
    return work(*arguments)


class BackendRoom:
    """One backend on one database file."""

    def __init__(
        self,
        directory: Path,
        *,
        template: Path,
        clock: DriftingClock,
        key: SigningKey,
        rules: PaymentRules,
        dice: random.Random,
        faults: Faults,
    ) -> None:
        self.path = directory / "backend.db"
        shutil.copyfile(template, self.path)
        self.url = f"sqlite:///{self.path}"
        self.rules = rules
        self.key = key
        self._clock = clock
        self._dice = dice
        self._faults = faults
        self._fuse = Fuse("backend", dice)
        self._loop = asyncio.new_event_loop()
        self._waiting: list[tuple[Command, asyncio.Future[Outcome]]] = []
        self.on_push: list[Callable[[], None]] = []
        self.is_alive = False
        self.is_full = False
        """Whether its queue has no room for another batch."""
        self.boot()

    def boot(self) -> None:
        """Start on what is on the disk. All memory is new."""
        self._waiting = []
        self._engine = open_engine(self.url)
        store = open_store(self._engine)
        assert isinstance(store, SqliteStore)
        # No disk fails here: a program dies, the machine under it does not.
        store._connection.execute("PRAGMA synchronous = OFF")
        self.writer = GroupCommitWriter(
            store,
            clock=self._clock,
            seals=[LedgerSeal()],
            observers=[self._committed],
        )
        self.reader = Reader.open(self.url)
        self._devices = DeviceRepository(self.reader)
        self._hubs = KnownHubs(self._devices, _at_once, lambda: self._clock.now_ms() / 1000)
        self.hub = self._service()
        self._payments = PaymentRepository(self.reader)
        self.is_alive = True

    def kill(self) -> None:
        """The power is gone."""
        self.is_alive = False
        self.writer.close()
        self.reader.close()
        self._engine.dispose()

    def close(self) -> None:
        """The end of the simulation."""
        if self.is_alive:
            self.kill()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Drive a coroutine of the backend, or of a device without a port, to its end."""
        return self._loop.run_until_complete(work)

    def answer_batch(self, hub: str, data: bytes) -> list[bytes]:
        """What the hub's POST gets; ``busy`` where there is no room. ``PowerCut`` if the backend
        dies on the way."""
        if self.is_full:
            raise OperatingError("busy")
        answered = self.run(self.hub.answer_batch(hub, data))
        wires: list[bytes] = cbor.decode(answered, bytes_max=8 * BATCH_BYTES_MAX)
        return wires

    def pushes(self, hub: str, after: int) -> object:
        """What a poll finds now."""
        page = self.run(self.hub.pushes(hub, after, 0))
        return cbor.decode(page, bytes_max=8 * BATCH_BYTES_MAX)

    def devices(self, hub: str, store: str) -> bytes:
        """The signed device table."""
        return self.run(self.hub.registry(hub, store))

    def do(self, command: Command) -> Any:
        """One command of somebody else than a device; its answer or its error."""
        return self.run(self._submit(command))

    def expire(self) -> int:
        """One sweep of the clock's task."""
        overdue = self._payments.overdue(self._clock.now_ms())
        return sum(bool(self.do(ExpirePayment(payment_id=one))) for one in overdue)

    def verify(self) -> Report:
        """The ledger's own proof."""
        with self.reader.snapshot() as connection:
            return verify(LedgerRepository(connection))

    # --- below: the wiring

    def _service(self) -> HubService:
        metrics = Metrics()
        payments = dict.fromkeys(REQUEST_COMMANDS, self._command)
        desk = BatchDesk(
            directory=Directory(self._devices, _at_once),
            submit_all=self._submit_all,
            dispatcher={
                "device.hello": lambda _request: Hello(),
                "device.settings": ReportSettings,
                **payments,
            },
            signing_key=self.key,
            clock=self._clock,
            aside=_at_once,
            verify_threads=1,
            metrics=metrics,
        )
        feed = PushFeed(
            source=PushRepository(self.reader),
            run_read=_at_once,
            signing_key=self.key,
            clock=self._clock,
            aside=_at_once,
            metrics=metrics,
        )
        return HubService(
            desk=desk,
            hubs=self._hubs,
            feed=feed,
            repository=self._devices,
            run_read=_at_once,
            submit=self._submit,
            signing_key=self.key,
            clock=self._clock,
        )

    def _command(self, request: Any) -> Command:
        return command_of(request, self.rules)

    def _committed(self, ws: WorkingSet) -> None:
        self._hubs.committed(ws)
        if ws.inserted(PUSH):
            for told in self.on_push:
                told()

    async def _submit(self, command: Command) -> Any:
        [outcome] = await self._submit_all([command])
        return outcome.value()

    async def _submit_all(self, commands: Sequence[Command]) -> list[Outcome]:
        futures: list[asyncio.Future[Outcome]] = [self._loop.create_future() for _ in commands]
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting += zip(commands, futures, strict=True)
        return [*await asyncio.gather(*futures)]

    def _flush(self) -> None:
        self._fuse.light(self._faults.backend_dies)
        try:
            while self._waiting:
                size = self._dice.randint(1, GROUP_MAX)
                group, self._waiting = self._waiting[:size], self._waiting[size:]
                try:
                    self._apply(group)
                except PowerCut:
                    self._fail(group)
                    raise
        except PowerCut:
            self._fail(self._waiting)
            self._waiting = []

    def _apply(self, group: list[tuple[Command, asyncio.Future[Outcome]]]) -> None:
        self._fuse.burn()
        outcomes = self.writer.apply([command for command, _ in group])
        self._fuse.burn()
        for (_, future), outcome in zip(group, outcomes, strict=True):
            future.set_result(outcome)

    @staticmethod
    def _fail(group: list[tuple[Command, asyncio.Future[Outcome]]]) -> None:
        for _, future in group:
            if not future.done():
                future.set_exception(PowerCut("backend"))
