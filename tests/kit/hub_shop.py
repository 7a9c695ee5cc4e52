"""A shop for the hub's tests: keys, devices, envelopes, a clock that stands until moved."""

import random
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.domain.effects import ParcelKey
from hub.domain.forwarding import ForwardingLimits
from hub.domain.registry import Device
from hub.spool.store import open_connection
from hub.stepped import SteppedHub, SteppedHubPorts
from protocol import answers, batch, envelope
from protocol.answers import Answer
from protocol.batch import Batch
from protocol.crypto.keys import SigningKey, VerifyKey, generate
from protocol.envelope import Envelope
from protocol.errors import CallerError
from protocol.ids import mint
from protocol.topics import reply_address

STORE = "store-1"
HUB = "hub-1"
NOW_MS = 1_790_000_000_000


class FakeClock:
    """Stands until it is moved."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms


class SeededEntropy:
    """The same bytes in every run."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def token_bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)


@dataclass
class Shop:
    """Keys of one store. ES256, because it is the fastest suite here."""

    hub_key: SigningKey = field(default_factory=lambda: generate("ES256"))
    backend_key: SigningKey = field(default_factory=lambda: generate("ES256"))
    devices: dict[str, SigningKey] = field(default_factory=dict)
    entropy: SeededEntropy = field(default_factory=SeededEntropy)
    other_hubs: dict[str, SigningKey] = field(default_factory=dict)

    def open_batch(self, body: bytes) -> Batch:
        """What a hub of this store sent, its signature checked."""
        sealed = batch.unseal(body)
        key = self.other_hubs.get(sealed.batch.hub, self.hub_key)
        return sealed.verify(key.public)

    def key_of(self, tid: str) -> SigningKey:
        return self.devices.setdefault(tid, generate("ES256"))

    def find_backend_key(self, kid: bytes) -> VerifyKey:
        if kid != self.backend_key.kid:
            raise CallerError("signature_invalid", "unknown key")
        return self.backend_key.public

    def row(self, tid: str, *, status: str = "active", revision: int = 1) -> dict[str, Any]:
        key = self.key_of(tid).public
        return {
            "tid": tid,
            "kind": "terminal",
            "store": STORE,
            "status": status,
            "suite": key.suite.name,
            "public": key.public,
            "kid": key.kid,
            "revision": revision,
        }

    def device(self, tid: str, *, status: str = "active", revision: int = 1) -> Device:
        return Device.from_wire(self.row(tid, status=status, revision=revision), store=STORE)

    def request_id(self) -> str:
        return mint("req", time_ms=NOW_MS, random_bytes=self.entropy.token_bytes(10))

    def envelope(
        self,
        tid: str,
        counter: int,
        *,
        transport: Literal["mqtt", "coap", "local"] = "mqtt",
        epoch: int = 1,
        sent_at_ms: int = NOW_MS,
        key: SigningKey | None = None,
        **changed: Any,
    ) -> bytes:
        fields: dict[str, Any] = {
            "message_type": "device.hello",
            "request_id": self.request_id(),
            "device": tid,
            "store": STORE,
            "boot_epoch": epoch,
            "counter": counter,
            "sent_at_ms": sent_at_ms,
            "nonce": self.entropy.token_bytes(12),
            "reply_to": reply_address(STORE, tid, transport),
            "body": {"software": "t", "profile": "pos", "started_at_ms": NOW_MS},
            "trace_id": f"trace-{counter}",
        }
        return envelope.seal(Envelope(**{**fields, **changed}), key or self.key_of(tid))

    def answer_batch(self, body: bytes, *, key: SigningKey | None = None) -> list[bytes]:
        """What a backend answers: the batch's signature checked, one pong per item."""
        opened = self.open_batch(body)
        asked = [envelope.unseal(item.envelope).envelope for item in opened.items]
        return self.seal([self.pong(one) for one in asked], key=key)

    def pong(self, asked: Envelope, *, now_ms: int = NOW_MS) -> Answer:
        return Answer(
            message_type="pong",
            request_id=asked.request_id,
            device=asked.device,
            store=STORE,
            answered_at_ms=now_ms,
            body={"now_ms": now_ms, "counter": asked.counter},
            trace_id=asked.trace_id,
        )

    def push(self, tid: str, number: int) -> bytes:
        news = Answer(
            message_type="pong",
            request_id="",
            device=tid,
            store=STORE,
            answered_at_ms=NOW_MS,
            body={"now_ms": number},
            trace_id="",
        )
        return self.seal([news])[0]

    def seal(self, spoken: Sequence[Answer], *, key: SigningKey | None = None) -> list[bytes]:
        return answers.seal_group(spoken, key or self.backend_key)


@dataclass
class RecordingLine:
    """Batches that left and were not answered yet."""

    batches: dict[int, bytes] = field(default_factory=dict)

    def send(self, number: int, body: bytes) -> None:
        self.batches[number] = body

    def requests(self, number: int) -> list[Envelope]:
        items = batch.unseal(self.batches[number]).batch.items
        return [envelope.unseal(item.envelope).envelope for item in items]


@dataclass
class RecordingLink:
    """What terminals were told."""

    told: list[tuple[str, bytes, ParcelKey | None]] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    cut_off: list[str] = field(default_factory=list)
    states: list[bytes] = field(default_factory=list)

    def deliver(self, device: str, payload: bytes, parcel: ParcelKey | None) -> None:
        self.told.append((device, payload, parcel))

    def settle(self, ticket: int) -> None:
        self.settled.append(ticket)

    def disconnect(self, device: str) -> None:
        self.cut_off.append(device)

    def announce(self, state: bytes) -> None:
        self.states.append(state)

    def words(self) -> list[tuple[str, str]]:
        """The hub's own words: device and code."""
        return [
            (device, answers.unseal(wire).answer.body["error"]["code"])
            for device, wire, parcel in self.told
            if parcel is None
        ]

    def answered(self) -> list[tuple[str, str]]:
        """The backend's answers that were offered: device and request id."""
        return [
            (device, answers.unseal(wire).answer.request_id)
            for device, wire, parcel in self.told
            if parcel is not None
        ]


@dataclass
class Bench:
    """A stepped hub with everything around it."""

    shop: Shop = field(default_factory=Shop)
    clock: FakeClock = field(default_factory=FakeClock)
    line: RecordingLine = field(default_factory=RecordingLine)
    link: RecordingLink = field(default_factory=RecordingLink)
    limits: ForwardingLimits = field(default_factory=ForwardingLimits)
    connection: sqlite3.Connection = field(default_factory=lambda: open_connection(":memory:"))

    def __post_init__(self) -> None:
        self.hub = self.start()

    def start(self) -> SteppedHub:
        """A hub on the same spool: what a restart after a crash is."""
        self.hub = SteppedHub(
            SteppedHubPorts(
                hub_id=HUB,
                store=STORE,
                signing_key=self.shop.hub_key,
                backend_key=self.shop.find_backend_key,
                clock=self.clock,
                entropy=self.shop.entropy,
                line=self.line,
                link=self.link,
                limits=self.limits,
            ),
            self.connection,
        )
        return self.hub

    def enrol(self, *tids: str, **row: Any) -> None:
        self.hub.devices_arrived(
            [*(self.shop.device(tid, **row) for tid in tids), *self._others(tids)]
        )

    def _others(self, tids: Sequence[str]) -> list[Device]:
        known: Mapping[str, SigningKey] = self.shop.devices
        found = [self.hub.core.registry.find(tid) for tid in known if tid not in tids]
        return [device for device in found if device is not None]

    def answer(self, number: int) -> None:
        """The backend answers a batch truly."""
        self.hub.batch_answered(number, self.shop.answer_batch(self.line.batches.pop(number)))

    def close(self) -> None:
        self.connection.close()


def say(bench: Bench, tid: str, counter: int) -> None:
    bench.hub.receive(tid, bench.shop.envelope(tid, counter, sent_at_ms=bench.clock.ms))
