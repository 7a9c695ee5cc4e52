"""The hub: ``SteppedHub`` on its spool, and the line to the backend, which may always break."""

import random
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from hub.domain.effects import ParcelKey
from hub.domain.floor_limits import FloorRules
from hub.news import read_devices, read_news
from hub.shell_limits import POLLS_FAILED_MAX
from hub.spool.store import open_connection
from hub.stepped import SteppedHub, SteppedHubPorts
from protocol import answers
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError, OperatingError
from protocol.topics import reply_address
from tests.simulation.auditor import Auditor
from tests.simulation.backend_room import BackendRoom
from tests.simulation.events import DriftingClock, Fuse, PowerCut, Schedule, SeededEntropy, Trace
from tests.simulation.faults import Faults

HUBS = ("hub-1", "hub-2")
FLOOR = FloorRules(
    payment_minor_max={"new": 5_000},
    device_minor_max=12_000,
    device_tokens_max=6,
    store_minor_max=40_000,
    age_ms_max=24 * 3_600_000,
)
TICK_MS, POLL_WAIT_MS, TABLE_EVERY_MS, LINE_TIMEOUT_MS = 250, 25_000, 60_000, 3_000


class Terminals(Protocol):
    """What the hub reaches of the terminals' connections."""

    def down(self, hub: "HubRoom", tid: str, payload: bytes, parcel: ParcelKey | None) -> None: ...
    def cut_off(self, hub: "HubRoom", tid: str) -> None: ...
    def cut_all(self, hub: "HubRoom") -> None: ...
    def state_changed(self, hub: "HubRoom", state: bytes) -> None: ...


class HubRoom:
    """One hub. Implements the stepped hub's line and link."""

    def __init__(
        self,
        directory: Path,
        *,
        name: str,
        store: str,
        schedule: Schedule,
        trace: Trace,
        clock: DriftingClock,
        dice: random.Random,
        faults: Faults,
        key: SigningKey,
        backend: BackendRoom,
        backend_down: Callable[[], None],
        terminals: Terminals,
        auditor: Auditor,
    ) -> None:
        self.name = name
        self.path = directory / f"{name}.db"
        self.store = store
        self.is_alive = False
        self.line_is_cut = False
        self.retained = b""
        self._schedule, self._trace, self._dice, self._faults = schedule, trace, dice, faults
        self._backend, self._backend_down = backend, backend_down
        self._terminals, self._auditor = terminals, auditor
        self._fuse = Fuse(name, dice)
        self.overflowed = 0
        self._is_counted = True
        self._life = 0
        self._receiving: tuple[str, bytes] | None = None
        self._is_refused = False
        self._is_polling = False
        self._polls_failed = 0
        backend.on_push.append(self._news)
        self._ports = SteppedHubPorts(
            hub_id=name,
            store=store,
            signing_key=key,
            backend_key=self._backend_key,
            clock=clock,
            entropy=SeededEntropy(dice),
            line=self,
            link=self,
            floor=FLOOR,
        )
        self.boot()

    # --- life

    def boot(self) -> None:
        """Start on what is in the spool."""
        self._life += 1
        self._trace.add(self.name, "boots")
        self._fuse.light(self._faults.hub_dies)
        self._connection = open_connection(self.path)
        self._connection.execute("PRAGMA synchronous = OFF")
        self.is_alive = True
        try:
            self.hub = SteppedHub(self._ports, self._connection)
        except PowerCut:
            self.die()
            return
        self._is_counted = False
        self._in_life(0, self._refresh)
        self._in_life(0, self._poll)
        self._in_life(TICK_MS, self._tick)

    def die(self) -> None:
        """The power is gone; it comes back later."""
        if not self.is_alive:
            return
        self._trace.add(self.name, "dies")
        self._count_overflow()
        self.is_alive = False
        self._is_polling = False
        self._connection.close()
        self._terminals.cut_all(self)
        self._schedule.after(self._dice.randint(200, 15_000), self.boot)

    def _count_overflow(self) -> None:
        self.overflowed += self._delivery_lost()
        self._is_counted = True

    def _delivery_lost(self) -> int:
        return 0 if self._is_counted else self.hub.core.delivery.lost["overflow"]

    def overflow(self) -> int:
        """Answers that a full shelf let go: their terminal was away for hundreds of them, and
        asks again for what it still wants to know."""
        return self.overflowed + self._delivery_lost()

    def close(self) -> None:
        """The end of the simulation."""
        self._life += 1
        if self.is_alive:
            self.is_alive = False
            self._connection.close()

    # --- terminals

    def receive(self, tid: str, payload: bytes) -> None:
        """A terminal's bytes arrive."""
        self._receiving, self._is_refused = (tid, payload), False
        topic = reply_address(self.store, tid, "mqtt")
        self.turn(lambda: self.hub.receive(tid, payload, response_topic=topic))
        self._receiving = None

    def turn(self, work: Callable[[], object]) -> None:
        """One input of the hub, or its death on the way."""
        if not self.is_alive:
            return
        self._fuse.light(self._faults.hub_dies)
        try:
            work()
        except PowerCut:
            self.die()

    def admits(self, tid: str) -> bool:
        """Whether a terminal may connect now."""
        return self.is_alive and self.hub.core.registry.admits(tid)

    # --- the stepped hub's link

    def settle(self, ticket: int) -> None:
        if self._receiving is not None and not self._is_refused:
            tid, payload = self._receiving
            self._trace.add(self.name, f"accepts from {tid}", payload)
            self._auditor.accepted(self.name, tid, payload)
        self._fuse.burn()

    def deliver(self, device: str, payload: bytes, parcel: ParcelKey | None) -> None:
        if parcel is None and self._receiving is not None:
            self._is_refused = True
            said = answers.unseal(payload).answer.body
            self._auditor.tally[f"hub says {said['error']['code']}"] += 1
        self._trace.add(self.name, f"tells {device}", payload)
        self._terminals.down(self, device, payload, parcel)
        self._fuse.burn()

    def disconnect(self, device: str) -> None:
        self._terminals.cut_off(self, device)

    def announce(self, state: bytes) -> None:
        self.retained = state
        self._terminals.state_changed(self, state)

    # --- the stepped hub's line

    def send(self, number: int, batch: bytes) -> None:
        self._trace.add(self.name, f"sends batch {number}", batch)
        life = self._life
        self._schedule.after(self._delay(), lambda: self._at_backend(life, number, batch))
        if self._dice.random() < self._faults.duplicate:
            again = self._delay() + self._delay()
            self._schedule.after(again, lambda: self._answers(batch, "again"))
        self._fuse.burn()

    def _at_backend(self, life: int, number: int, batch: bytes) -> None:
        if self._is_line_broken():
            self._back(life, LINE_TIMEOUT_MS, lambda: self.hub.batch_lost(number))
            return
        if self._backend.is_alive and self._backend.is_full:
            self._trace.add("backend", f"is too busy for batch {number}")
            self._auditor.tally["batches put off"] += 1
            self._back(life, self._delay(), lambda: self.hub.batch_put_off(number))
            return
        try:
            wires = self._answers(batch, str(number))
        except CallerError as error:
            self._trace.add("backend", f"refuses batch {number}: {error}")
            self._back(life, self._delay(), lambda: self.hub.batch_refused(number))
            return
        if wires is None or self._is_line_broken():
            self._trace.add("line", f"answers of batch {number} are lost")
            self._back(life, LINE_TIMEOUT_MS, lambda: self.hub.batch_lost(number))
        else:
            found = wires
            self._back(life, self._delay(), lambda: self.hub.batch_answered(number, found))

    def _answers(self, batch: bytes, name: str) -> Sequence[bytes] | None:
        if not self._backend.is_alive:
            return None
        try:
            wires = self._backend.answer_batch(self.name, batch)
        except OperatingError as error:
            self._trace.add("backend", f"cannot take batch {name}: {error}")
            return None
        except PowerCut:
            self._backend_down()
            return None
        for wire in wires:
            self._trace.add("backend", f"answers in batch {name}", wire)
        self._auditor.answered(batch, wires)
        return wires

    def _back(self, life: int, ms: int, work: Callable[[], object]) -> None:
        def arrive() -> None:
            if life == self._life:
                self.turn(work)

        self._schedule.after(ms, arrive)

    # --- news

    def _poll(self) -> None:
        if not self._backend.is_alive or self._is_line_broken():
            self._polls_failed += 1
            if self._polls_failed >= POLLS_FAILED_MAX:
                self.turn(self.hub.core.poll_failed)
            self._in_life(1_000, self._poll)
            return
        self._polls_failed = 0
        self.turn(self.hub.core.poll_answered)
        rows = self._backend.pushes(self.name, self.hub.core.cursor)
        news = read_news(rows, store=self.store, backend_key=self._backend_key)
        if news is None:
            self._is_polling = True
            self._in_life(POLL_WAIT_MS, self._poll_again)
            return
        self._trace.add(self.name, f"hears news up to {news.cursor}")
        arrive = lambda: self.hub.pushes_arrived(news.cursor, news.pushes, news.devices)  # noqa: E731
        self._in_life(self._delay(), lambda: self.turn(arrive))
        self._in_life(self._faults.delay_ms_max + 1, self._poll)

    def _poll_again(self) -> None:
        if self._is_polling:
            self._news()

    def _news(self) -> None:
        if self._is_polling:
            self._is_polling = False
            self._in_life(self._delay(), self._poll)

    def _refresh(self) -> None:
        if not self._backend.is_alive or self._is_line_broken():
            self._in_life(1_000, self._refresh)
            return
        table = self._backend.devices(self.name, self.store)
        devices = read_devices(table, store=self.store, backend_key=self._backend_key)
        self._in_life(self._delay(), lambda: self.turn(lambda: self.hub.devices_arrived(devices)))
        self._in_life(TABLE_EVERY_MS, self._refresh)

    # --- below: time and chance

    def _tick(self) -> None:
        self.turn(self.hub.tick)
        self._in_life(TICK_MS, self._tick)

    def _in_life(self, ms: int, work: Callable[[], None]) -> None:
        life = self._life

        def later() -> None:
            if life == self._life and self.is_alive:
                work()

        self._schedule.after(ms, later)

    def _delay(self) -> int:
        return self._dice.randint(1, self._faults.delay_ms_max)

    def _is_line_broken(self) -> bool:
        return self.line_is_cut or self._dice.random() < self._faults.line_lost

    def _backend_key(self, kid: bytes) -> VerifyKey:
        if kid != self._backend.key.kid:
            raise CallerError("signature_invalid")
        return self._backend.key.public

    def rows_left(self) -> int:
        """What the spool still keeps."""
        with sqlite3.connect(self.path) as connection:
            counts = [
                connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("uplink", "downlink")
            ]
        connection.close()
        return sum(counts)
