"""A simulated charger at our central system, with a real shop's books behind, in virtual time.

Nothing is stubbed but the sockets: the charger's lines go to the version's dialect, an account's
envelope is opened, carried out by the shop's database, and answered under the backend's signature.
Every message is held against the schemas that the ``ocpp`` package ships, in both directions.
"""

import json
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ocpp.messages import Call, CallResult, _validate_payload

from backend.devices.model import REQUESTS_OF, DeviceKind
from backend.payments.confirm import ConfirmByPayer
from firmware_sim.devices.device import Output
from firmware_sim.devices.ocpp.charging import ChargingStation, Make
from firmware_sim.devices.ocpp.station import NamePlate
from firmware_sim.devices.ocpp.v16.station import Ocpp16
from firmware_sim.devices.ocpp.v201.station import Ocpp201
from firmware_sim.devices.ocpp.wall_clock import WallClock
from hub.ocpp.account import ChargerAccount
from hub.ocpp.answering import Answering, Patience
from hub.ocpp.book import ChargeBook
from hub.ocpp.dialect import Desk
from hub.ocpp.journal import ChargeJournal, open_journal
from hub.ocpp.keeper import Keeper
from hub.ocpp.model import Charge, Tariff
from hub.ocpp.post import Post
from hub.ocpp.server import DIALECTS
from hub.ocpp.time import ChargingTime
from protocol import answers, envelope
from protocol.answers import Answer
from protocol.crypto.keys import generate
from protocol.errors import CallerError, TillwayError
from protocol.framing import ocppj
from protocol.identity import Facts, Identity, TlsFiles
from tests.support.at_once import AtOnce
from tests.support.full_disk import Grow, no_larger_files
from tests.support.shop import MERCHANT, START_MS, Shop
from tests.support.things import STORE, told_to

CHARGER, CARD = "charger-1", "CARD-1"
TARIFF = Tariff("CNY", per_kwh_minor=150, per_minute_minor=6)
VERSIONS = {"ocpp1.6": ("1.6", Ocpp16), "ocpp2.0.1": ("2.0.1", Ocpp201)}


class Luck:
    """The same bytes in every run."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def token_bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)


@dataclass
class Backend:
    """Carries envelopes out. ``loses`` says what becomes of an answer, or that nobody hears."""

    shop: Shop
    loses: Callable[[str], str] = lambda _: ""
    asked: list[str] = field(default_factory=list)
    hub_refuses: str = ""
    """The hub, which is asked first, hears no more of this device: why."""
    refuses: str = ""
    """The backend does so."""

    def __post_init__(self) -> None:
        self.key, self.hub_key, self.device_key = (generate("ES256") for _ in range(3))

    async def exchange(self, device: str, wire: bytes) -> bytes:
        """As ``exchange_local`` of a hub that has a backend."""
        sealed = envelope.unseal(wire)
        sealed.verify(self.device_key.public)
        asked = sealed.envelope
        assert asked.device == device
        self.asked.append(asked.message_type)
        if self.hub_refuses:
            return self._word_of_hub(asked, self.hub_refuses)
        fate = self.loses(asked.message_type)
        if fate == "request":
            return self._word_of_hub(asked, "backend_unreachable")
        options = {"device": device, "request_id": asked.request_id}
        try:
            if self.refuses:
                raise CallerError(self.refuses)
            if asked.message_type not in REQUESTS_OF[DeviceKind.THING]:
                raise CallerError("not_authorized", asked.message_type)
            found = self.shop.ask(asked.message_type, dict(asked.body), **options)
            said = self._answer(asked, found.pop("type"), found)
        except TillwayError as error:
            said = self._answer(asked, "refusal", {"error": error.to_wire()})
        if fate == "answer":
            return self._word_of_hub(asked, "backend_unreachable")
        return answers.seal_group([said], self.key)[0]

    def push(self, kind: str, body: dict[str, Any]) -> bytes:
        """Say something unasked."""
        return answers.seal_group([self._word(kind, body)], self.key)[0]

    def _word_of_hub(self, asked: envelope.Envelope, code: str) -> bytes:
        error = TillwayError(code).to_wire()
        said = self._answer(asked, "refusal", {"error": error})
        return answers.seal_group([said], self.hub_key)[0]

    def _answer(self, asked: envelope.Envelope, kind: str, body: dict[str, Any]) -> Answer:
        return self._word(kind, body, request_id=asked.request_id, trace_id=asked.trace_id)

    def _word(
        self, kind: str, body: dict[str, Any], *, request_id: str = "", trace_id: str = ""
    ) -> Answer:
        return Answer(
            message_type=kind,
            request_id=request_id,
            device=CHARGER,
            store=STORE,
            answered_at_ms=self.shop.clock.at_ms,
            body=body,
            trace_id=trace_id,
        )

    def identity(self) -> Identity:
        """The charger's device."""
        facts = Facts(CHARGER, "thing", STORE, (self.key.public,))
        return Identity(facts, self.device_key, TlsFiles(Path(), Path(), b"", ""))


@dataclass
class Registry:
    """The hub's registry, as far as the charger's device goes."""

    row: int | None = 1
    stopped: set[str] = field(default_factory=set)

    def is_stopped(self, tid: str) -> bool:
        return self.row is None or tid in self.stopped

    def revision(self, tid: str) -> int | None:
        assert tid == CHARGER
        return self.row


@dataclass
class Clocks:
    """The hub's: its wall clock is right but for ``jumped_ms``; the other shows what has passed."""

    stop: "ChargingStop"
    jumped_ms: int = 0

    def now_ms(self) -> int:
        return self.stop.shop.clock.at_ms + self.jumped_ms

    def ticks_ms(self) -> int:
        return self.stop.now_ms


class ChargingStop:
    """One charger, its central system, the backend, and time."""

    def __init__(
        self, shop: Shop, path: Path, subprotocol: str, *, prepay_minor: int = 0, **settings: str
    ) -> None:
        self.shop, self.path = shop, path
        self.backend = Backend(shop)
        self.post = Post(CHARGER, MERCHANT, TARIFF, prepay_minor)
        self.subprotocol = subprotocol
        self.version, make = VERSIONS[subprotocol]
        clock = WallClock(datetime.fromtimestamp(START_MS / 1000, UTC))
        plate = NamePlate("Tillway", "AC22", "S1", "1.0")
        self.station: ChargingStation = make(Make(plate, clock, b"seed", 2))
        for name, value in settings.items():
            self.station.settings.put(name.replace("__", "."), value)
        self.now_ms = 0
        self.clock = Clocks(self)
        self.registry = Registry()
        self.starts = 0
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.is_reachable = True
        self.pushed = 0
        self.loses_answers_to: set[str] = set()
        self.spoils: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda _, payload: payload
        """What becomes of what the charger says, before it is heard."""
        self.patience = Patience()
        self._asked: dict[str, str] = {}
        self._queue: list[bytes] = []
        self._worker = AtOnce()
        self.begin()

    def begin(self) -> None:
        """The hub's program starts (again), on the same journal."""
        self.starts += 1
        self.journal = ChargeJournal(open_journal(self.path / "charges.db"))
        account = ChargerAccount(
            self.backend.identity(),
            exchange=self.backend.exchange,
            hub_key=self.backend.hub_key.public,
            boot_epoch=self.starts,
            clock=self.clock,
            entropy=Luck(self.starts),
        )
        self.book = ChargeBook(
            self.journal,
            {CHARGER: self.post},
            {CHARGER: account},
            time=ChargingTime(self.clock),
            worker=self._worker,
        )
        self.keeper = Keeper(self.book, self.registry)
        self.is_resumed = False

    async def resume(self) -> None:
        """What a start does before the first charger is heard."""
        if not self.is_resumed:
            self.is_resumed = True
            await self.book.resume()

    def kill(self) -> None:
        """The hub's program ends where it stands; the charger finds nobody."""
        self.is_reachable = False
        self.journal.close()

    def close(self) -> None:
        self.journal.close()
        self._worker.shutdown()

    def full_disk(self) -> AbstractContextManager[Grow]:
        """The journal finds no room, until ``grow``."""
        return no_larger_files((self.path / "charges.db-wal").stat().st_size)

    def bind(self, mandate_id: str, tag: str = CARD) -> None:
        """The card pays by the mandate."""
        with self.journal.transaction():
            self.journal.bind_tag(CHARGER, tag, mandate_id)

    async def power_on(self) -> None:
        await self.hear(self.station.boot(self.now_ms))
        await self.pass_s(1)

    async def do(self, act: str, *args: Any) -> None:
        """A person acts at the charger."""
        await self.hear(getattr(self.station, act)(*args, self.now_ms))
        await self.settle()

    async def pass_s(self, seconds: float) -> None:
        """Time passes for the charger, the hub and the shop."""
        end_ms = self.now_ms + round(seconds * 1000)
        while self.now_ms < end_ms:
            due = self.station.next_deadline_ms()
            next_ms = min(end_ms, (self.now_ms // 1000 + 1) * 1000)
            if due is not None and due <= next_ms:
                next_ms = max(due, self.now_ms)
            self.shop.clock.at_ms += next_ms - self.now_ms
            self.now_ms = next_ms
            await self.hear(self.station.poll(self.now_ms))
            if self.now_ms % 1000 == 0:
                await self.settle()

    def skip_s(self, seconds: float) -> None:
        """Time passes, and nobody looks."""
        self.now_ms += round(seconds * 1000)
        self.shop.clock.at_ms += round(seconds * 1000)

    async def settle(self) -> None:
        """Let the hub do what is due, and both sides hear of it."""
        if self.is_reachable:
            await self.resume()
            await self.keeper.tick()
            await self.keeper.settle()
        await self._pump()

    async def cut(self) -> None:
        """The charger's line is cut; it finds nobody when it dials."""
        self.is_reachable = False
        self.book.lines.clear()
        await self.hear(self.station.feed(b"NO CARRIER\n", self.now_ms))

    async def mend(self) -> None:
        self.is_reachable = True
        await self.pass_s(30)

    async def hear_news(self) -> None:
        """The hub's poll brings what waits for the charger, and what follows happens."""
        told = told_to(self.shop, CHARGER)
        news, self.pushed = told[self.pushed :], len(told)
        for kind, body in news:
            self.keeper.take_news(CHARGER, self.backend.push(kind, body))
        await self.keeper.settle()
        await self._pump()

    def charges(self) -> list[Charge]:
        """The newest first."""
        return self.journal.latest()

    def payments(self) -> list[dict[str, Any]]:
        return self.shop.rows("SELECT * FROM payment ORDER BY created_at_ms")

    def said_of(self, action: str) -> list[dict[str, Any]]:
        return [payload for said, payload in self.said if said == action]

    def told_of(self, action: str) -> list[dict[str, Any]]:
        return [payload for told, payload in self.told if told == action]

    def confirm(self, payer: str, payment_id: str) -> str:
        """The payer says yes in the wallet, with the PIN; the hub hears the push."""
        command = ConfirmByPayer(
            payment_id=payment_id,
            attempt_id=self.shop.id("att"),
            payer_id=payer,
            is_pin_verified=True,
            rules=self.shop.rules,
        )
        return str(self.shop.do(command)[1]["state"])

    # The line between the charger and the dialect.

    def send(self, action: str, payload: dict[str, Any], /, *, shows: int | None = None) -> None:
        """As the connection's outbox."""
        del shows
        message_id = f"c{len(self._asked)}"
        _validate_payload(Call(message_id, action, payload), self.version)
        self._asked[message_id] = action
        self.told.append((action, payload))
        self._queue.append(json.dumps([2, message_id, action, payload]).encode())

    async def hear(self, outputs: list[Output]) -> None:
        for output in outputs:
            for line in output.payload.splitlines():
                await self._line(line)
        await self._pump()

    async def _pump(self) -> None:
        while self._queue:
            line = self._queue.pop(0)
            if self.is_reachable:
                await self.hear(self.station.feed(line + b"\n", self.now_ms))

    async def _line(self, line: bytes) -> None:
        if line.startswith(b"DIAL"):
            await self._dialled()
        elif line.startswith(b"[") and self.is_reachable:
            kind, message_id, *rest = json.loads(line)
            if kind == 2:
                await self._call(message_id, *rest)
            elif kind == 3:
                answer = CallResult(message_id, rest[0], self._asked[message_id])
                _validate_payload(answer, self.version)

    async def _dialled(self) -> None:
        if not self.is_reachable:
            await self.hear(self.station.feed(b"NO CARRIER\n", self.now_ms))
            return
        await self.resume()
        desk = Desk(CHARGER, self.book, self.keeper)
        self.dialect = DIALECTS[self.subprotocol](desk, self.send)
        self.answering = Answering(desk, self.dialect, self.patience)
        self.book.lines[CHARGER] = self.dialect
        word = f"CONNECT {self.subprotocol}\n".encode()
        await self.hear(self.station.feed(word, self.now_ms))
        self.dialect.greet()

    async def _call(self, message_id: str, action: str, payload: dict[str, Any]) -> None:
        _validate_payload(Call(message_id, action, payload), self.version)
        self.said.append((action, payload))
        answer = await self.answering.answer(
            ocppj.Call(message_id, action, self.spoils(action, payload))
        )
        if isinstance(answer, ocppj.CallResult):
            _validate_payload(CallResult(message_id, answer.payload, action), self.version)
        else:
            assert (answer.code, answer.description) != ("InternalError", ""), "a bug of ours"
        if action in self.loses_answers_to:
            self.loses_answers_to.discard(action)
            await self.cut()
            return
        await self.hear(self.station.feed(ocppj.encode(answer), self.now_ms))
