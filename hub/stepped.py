"""The hub without sockets and threads, for simulations that run from a seed.

Everything a real hub does in other threads happens here at once, in the caller's: signatures are
really checked, rows really committed (to SQLite in memory, or a file). What a network decides, the
simulation decides: when a batch is answered, lost or refused, when a parcel is acknowledged.

    hub = SteppedHub(config, ports, open_connection(":memory:"))
    hub.receive("till-1", envelope_bytes)        # a terminal published
    hub.batch_answered(number, answer_wires)     # the backend answered what ``ports.line`` was sent
    hub.tick()                                   # after the virtual clock moved
A crash is: drop the object, make another on the same connection.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hub.domain.admission import Arrival, Transport
from hub.domain.checking import FindKey, check_answers, is_signed
from hub.domain.core import HubCore
from hub.domain.effects import (
    Announce,
    Deliver,
    Disconnect,
    Effect,
    Forget,
    Parcel,
    ParcelKey,
    Push,
    RecordAnswers,
    SendBatch,
    Settle,
    Speak,
    Store,
    StoreDevices,
    StorePushes,
    UplinkRow,
    Verify,
)
from hub.domain.floor_limits import FloorRules
from hub.domain.forwarding import ForwardingLimits
from hub.domain.registry import Device
from hub.spool.store import SpoolStore
from hub.words import seal_batch, seal_state
from protocol import answers
from protocol.clock import Clock, Entropy
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError


class SteppedLine(Protocol):
    """The line to the backend as a simulation sees it."""

    def send(self, number: int, batch: bytes) -> None:
        """A signed batch leaves; say later ``batch_answered``, ``_lost`` or ``_refused``."""
        ...


class SteppedLink(Protocol):
    """The lines to the terminals as a simulation sees them."""

    def deliver(self, device: str, payload: bytes, parcel: ParcelKey | None) -> None:
        """A signed answer leaves for a device. With a parcel, say later whether it arrived."""
        ...

    def settle(self, ticket: int) -> None:
        """The line may acknowledge what ``receive`` returned as this ticket."""
        ...

    def disconnect(self, device: str) -> None:
        """Cut a device off."""
        ...

    def announce(self, state: bytes) -> None:
        """The hub's retained, signed state changes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedHubPorts:
    """What a stepped hub is given."""

    hub_id: str
    store: str
    signing_key: SigningKey
    backend_key: FindKey
    clock: Clock
    entropy: Entropy
    line: SteppedLine
    link: SteppedLink
    limits: ForwardingLimits = field(default_factory=ForwardingLimits)
    floor: FloorRules | None = None


class SteppedHub:
    """A core, a spool and nothing else that moves."""

    def __init__(self, ports: SteppedHubPorts, connection: sqlite3.Connection) -> None:
        self._ports = ports
        self._spool = SpoolStore(connection)
        self._sent: dict[int, tuple[UplinkRow, ...]] = {}
        self.core = HubCore(
            store=ports.store,
            clock=ports.clock,
            entropy=ports.entropy,
            remembered=self._spool.begin_epoch(store=ports.store),
            limits=ports.limits,
            floor=ports.floor,
        )
        self._settle()

    def receive(
        self,
        identity: str | None,
        payload: bytes,
        *,
        transport: Transport = "mqtt",
        response_topic: str | None = None,
    ) -> int:
        """Bytes from a terminal; the ticket is settled before this returns."""
        arrival = Arrival(
            transport=transport,
            payload=payload,
            received_at_ms=self._ports.clock.now_ms(),
            identity=identity,
            response_topic=response_topic,
        )
        ticket = self.core.arrive(arrival)
        self._settle()
        return ticket

    def connected(self, device: str, transport: Transport = "mqtt") -> None:
        """A terminal is there."""
        self.core.connected(device, transport)
        self._settle()

    def delivered(self, device: str, parcel: ParcelKey) -> None:
        """A terminal acknowledged a parcel."""
        self.core.delivered(device, parcel)
        self._settle()

    def undelivered(self, device: str, parcel: ParcelKey) -> None:
        """A parcel found nobody."""
        self.core.undelivered(device, parcel)
        self._settle()

    def batch_answered(self, number: int, wires: Sequence[bytes]) -> None:
        """The backend's answers to a batch arrived. Those that cannot be believed count as lost."""
        rows = self._sent.pop(number)
        try:
            checked = check_answers(rows, wires, self._ports.backend_key)
        except CallerError:
            self.core.line_failed(number)
        else:
            self.core.answers_arrived(number, checked)
        self._settle()

    def batch_lost(self, number: int) -> None:
        """The line broke before the answer came."""
        del self._sent[number]
        self.core.line_failed(number)
        self._settle()

    def batch_put_off(self, number: int) -> None:
        """The backend is there and says *busy*."""
        del self._sent[number]
        self.core.batch_put_off(number)
        self._settle()

    def batch_refused(self, number: int) -> None:
        """The backend refused a batch whole."""
        del self._sent[number]
        self.core.batch_refused(number)
        self._settle()

    def pushes_arrived(
        self, cursor: int, pushes: Iterable[Push] = (), devices: Iterable[Device] = ()
    ) -> None:
        """News from the backend, whose signatures the caller has checked."""
        self.core.pushes_arrived(cursor, pushes, devices)
        self._settle()

    def devices_arrived(self, devices: Iterable[Device]) -> None:
        """The device table from the backend."""
        self.core.devices_arrived(devices)
        self._settle()

    def tick(self) -> None:
        """The clock has moved."""
        self.core.tick()
        self._settle()

    def _settle(self) -> None:
        self.core.settle_group()
        while effects := self.core.take_effects():
            for effect in effects:
                self._perform(effect)
            self.core.settle_group()

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Verify(ticket, sealed, key):
                self.core.verified(ticket, is_good=is_signed(sealed, key))
            case Store(ticket, row):
                with self._spool.transaction():
                    number = self._spool.append(row)
                self.core.stored(ticket, number)
            case SendBatch(number, rows):
                self._sent[number] = rows
                self._ports.line.send(number, self._seal(rows))
            case StorePushes(pushes, devices, cursor):
                self.core.pushes_stored(cursor, self._keep(pushes, devices, cursor))
            case Forget() | RecordAnswers() | StoreDevices():
                self._write(effect)
            case _:
                self._tell(effect)

    def _tell(self, effect: Effect) -> None:
        link = self._ports.link
        match effect:
            case Settle(ticket, _):
                link.settle(ticket)
            case Speak(answer):
                (wire,) = answers.seal_group([answer], self._ports.signing_key)
                link.deliver(answer.device, wire, None)
            case Deliver(parcel):
                link.deliver(parcel.device, parcel.payload, parcel.key)
            case Disconnect(device):
                link.disconnect(device)
            case Announce(mode, at_ms, floor):
                link.announce(
                    seal_state(
                        mode,
                        at_ms,
                        store=self._ports.store,
                        epoch=self.core.epoch,
                        key=self._ports.signing_key,
                        floor=floor,
                    )
                )

    def _write(self, effect: Forget | RecordAnswers | StoreDevices) -> None:
        with self._spool.transaction():
            match effect:
                case Forget(keys):
                    self._spool.forget(keys)
                case RecordAnswers(recorded):
                    self._spool.record_answers(recorded, at_ms=self._ports.clock.now_ms())
                case StoreDevices(devices, gone):
                    self._spool.put_devices(devices, gone)

    def _keep(self, pushes: Sequence[Push], devices: Sequence[Device], cursor: int) -> list[Parcel]:
        with self._spool.transaction():
            return self._spool.append_pushes(
                pushes, devices, cursor=cursor, at_ms=self._ports.clock.now_ms()
            )

    def _seal(self, rows: Sequence[UplinkRow]) -> bytes:
        return seal_batch(
            rows,
            hub_id=self._ports.hub_id,
            key=self._ports.signing_key,
            clock=self._ports.clock,
            entropy=self._ports.entropy,
        )
