"""A simulated terminal for load: one MQTT connection, real envelopes, answers that are checked.

It is raw asyncio and the ``mqtt5`` codec, because paho costs 350 to 800 µs a round trip, which
would make the generator the bottleneck. What it says and checks is what a terminal says and checks:
an envelope of its own key, QoS 1 with a reply address, and for every answer the inclusion proof,
the backend's signature, the request, the amount and the state. A signature that several answers of
a group share is checked once for all terminals; real terminals each spend their own processor.
"""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import mqtt5

from bench.way_payers import Wallet
from protocol import answers, envelope, ids
from protocol.crypto.keys import VerifyKey
from protocol.envelope import Envelope
from protocol.errors import CallerError
from protocol.identity import Identity, TlsProfileName
from protocol.limits import NONCE_BYTES
from protocol.topics import terminal_topic
from transport.contexts import ClientTls
from transport.streams import TlsLayer

IN_FLIGHT_MAX = 16
"""What the hub takes of one terminal at a time."""
KEEP_ALIVE_S = 60
GROUPS_REMEMBERED = 256
MERCHANT_CURRENCY = "CNY"
_KIND = "payment.create"


class WrongAnswer(Exception):  # noqa: N818  # it is not an error of the program that raises it
    """An answer that no terminal would take for a payment: the benchmark fails."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A payment that is signed and ready to be sent."""

    request_id: str
    payment_id: str
    amount_minor: int
    sealed: bytes


class GroupKeys:
    """The roots whose signature held, the backend's or a hub's: the dear part of an answer, which
    its group shares."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._good: deque[tuple[bytes, ...]] = deque(maxlen=GROUPS_REMEMBERED)

    def open(self, wire: bytes) -> answers.Answer:
        """The answer, its inclusion proof and signature checked; ``CallerError`` otherwise."""
        sealed = answers.unseal(wire)
        signed = sealed.sign1
        mark = (signed.protected, signed.payload, signed.signature, sealed.root or b"")
        if mark not in self._good:
            sealed.verify(self._key(signed.kid))
            self._good.append(mark)
        return sealed.answer

    def _key(self, kid: bytes) -> VerifyKey:
        for key in self._identity.facts.hub_keys:
            if key.kid == kid:
                return key
        return self._identity.backend_key(kid)


class Till(asyncio.Protocol):
    """One terminal. ``on_paid(seconds)`` is called for every payment that was captured; ``on_busy``
    for one that was refused because too many others were there, ``on_late`` for one whose answer
    will come later. Where these two are not set, nothing may be refused or late."""

    def __init__(self, identity: Identity, merchant_id: str) -> None:
        self.identity = identity
        self.on_paid: Callable[[float], None] = lambda _began: None
        self.on_busy: Callable[[], None] | None = None
        self.on_late: Callable[[], None] | None = None
        self.on_wrong: Callable[[WrongAnswer], None] = lambda _wrong: None
        self.asks: deque[Ask] = deque()
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._merchant_id = merchant_id
        self._wallets: deque[Wallet] = deque()
        self._groups = GroupKeys(identity)
        self._counter = 0
        self._epoch = time.time_ns() // 1_000_000_000
        self._open: dict[str, tuple[Ask, float]] = {}
        self._rest = b""
        self._packet_id = 0
        self._transport: asyncio.Transport | None = None

    @property
    def waiting(self) -> int:
        """Payments sent and not answered."""
        return len(self._open)

    async def connect(
        self,
        host: str,
        port: int,
        groups: GroupKeys | None = None,
        *,
        tls_profile: TlsProfileName = "p256",
    ) -> None:
        """Mutual TLS, CONNECT, SUBSCRIBE; returns when answers can come."""
        self._groups = groups or self._groups
        layer = TlsLayer(ClientTls(self.identity.tls_of(tls_profile)).machine(host), self)
        await asyncio.get_running_loop().create_connection(lambda: layer, host, port)
        await layer.opened()
        await self.ready

    def close(self) -> None:
        """Say goodbye."""
        if self._transport is not None:
            self._transport.write(mqtt5.DisconnectPacket().write())
            self._transport.close()

    def serve(self, wallets: Sequence[Wallet]) -> None:
        """These customers come from now on."""
        self._wallets = deque(wallets)

    # --- signing

    def sign(self, amount_minor: int) -> None:
        """Have one more payment ready. A real terminal's own processor does this."""
        self.asks.append(self._signed(amount_minor))

    def _signed(self, amount_minor: int) -> Ask:
        now_ms = time.time_ns() // 1_000_000
        request_id, payment_id, attempt_id = (
            ids.mint(kind, time_ms=now_ms, random_bytes=secrets.token_bytes(ids.RANDOM_BYTES))
            for kind in (ids.REQUEST, ids.PAYMENT, ids.ATTEMPT)
        )
        self._counter += 1
        facts = self.identity.facts
        asked = Envelope(
            message_type=_KIND,
            request_id=request_id,
            device=facts.name,
            store=facts.store,
            boot_epoch=self._epoch,
            counter=self._counter,
            sent_at_ms=now_ms,
            nonce=secrets.token_bytes(NONCE_BYTES),
            reply_to=terminal_topic(facts.store, facts.name, "res"),
            body={
                "payment_id": payment_id,
                "attempt_id": attempt_id,
                "method": "pay_code",
                "amount_minor": amount_minor,
                "currency": MERCHANT_CURRENCY,
                "merchant_id": self._merchant_id,
                "description": "早餐",
                "pay_code": self._code(now_ms),
                "till": facts.name,
                "cashier": "1",
            },
            trace_id=secrets.token_hex(16),
        )
        sealed = envelope.seal(asked, self.identity.signing_key)
        return Ask(request_id, payment_id, amount_minor, sealed)

    def _code(self, now_ms: int) -> str:
        """The code of the next customer who has one left."""
        for _ in range(len(self._wallets)):
            self._wallets.rotate(-1)
            code = self._wallets[-1].code(now_ms)
            if code is not None:
                return code
        raise WrongAnswer("too few payers for so many payments")

    # --- paying

    def pay(self, began: float) -> None:
        """Send the next signed payment; its time counts from ``began`` (``perf_counter``)."""
        assert self._transport is not None, "connect first"
        ask = self.asks.popleft()
        self._open[ask.request_id] = (ask, began)
        self._packet_id = self._packet_id % 0xFFFF + 1
        facts = self.identity.facts
        packet = mqtt5.PublishPacket(
            terminal_topic(facts.store, facts.name, "req"),
            ask.sealed,
            qos=mqtt5.QoS.AT_LEAST_ONCE,
            packet_id=self._packet_id,
            response_topic=terminal_topic(facts.store, facts.name, "res"),
            correlation_data=ask.request_id.encode("ascii"),
        )
        self._transport.write(packet.write())

    def _answered(self, wire: bytes) -> None:
        try:
            answer = self._groups.open(wire)
        except CallerError as error:
            raise WrongAnswer(str(error)) from error
        body = answer.body
        code = (body.get("error") or {}).get("code")
        if code == "backend_unreachable" and self.on_late is not None:
            self.on_late()  # The answer comes later, or has overtaken this word.
            return
        found = self._open.get(answer.request_id)
        if found is None or answer.device != self.identity.name:
            raise WrongAnswer("an answer to another request")
        ask, began = found
        del self._open[answer.request_id]
        if code == "busy" and self.on_busy is not None:
            self.on_busy()
            return
        said = (body.get("payment_id"), body.get("amount_minor"), body.get("state"))
        if said != (ask.payment_id, ask.amount_minor, "captured"):
            raise WrongAnswer(f"{answer.message_type}: {said} {body.get('error')}")
        self.on_paid(began)

    # --- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """CONNECT and SUBSCRIBE go together."""
        self._transport = cast(asyncio.Transport, transport)
        facts = self.identity.facts
        hello = mqtt5.ConnectPacket(facts.name, keep_alive=KEEP_ALIVE_S)
        topic = terminal_topic(facts.store, facts.name, "res")
        wanted = mqtt5.TopicFilter(topic, max_qos=mqtt5.QoS.AT_LEAST_ONCE)
        self._transport.write(hello.write() + mqtt5.SubscribePacket(1, [wanted]).write())

    def connection_lost(self, exc: Exception | None) -> None:
        """A line that is lost while payments wait fails the benchmark."""
        self._transport = None
        if self._open or not self.ready.done():
            self._fail(WrongAnswer(f"{self.identity.name}: the line is lost ({exc})"))

    def data_received(self, data: bytes) -> None:
        """Whole packets are taken, the rest waits."""
        data = self._rest + data
        view, at = memoryview(data), 0
        while at < len(data):
            try:
                packet, size = mqtt5.read(view[at:])
            except IndexError:
                break
            at += size
            try:
                self._take(packet)
            except WrongAnswer as wrong:
                self._fail(wrong)
        self._rest = data[at:]

    def _take(self, packet: mqtt5.Packet) -> None:
        assert self._transport is not None
        if isinstance(packet, mqtt5.PublishPacket):
            assert packet.packet_id is not None, "answers come with QoS 1"
            self._transport.write(mqtt5.PubAckPacket(packet.packet_id).write())
            assert isinstance(packet.payload, bytes)
            self._answered(packet.payload)
        elif isinstance(packet, mqtt5.PubAckPacket):
            if packet.reason_code is not mqtt5.PubAckReasonCode.SUCCESS:
                raise WrongAnswer(f"PUBACK {packet.reason_code}")
        elif isinstance(packet, mqtt5.SubAckPacket):
            if not self.ready.done():
                self.ready.set_result(None)
        elif isinstance(packet, mqtt5.DisconnectPacket):
            raise WrongAnswer(f"DISCONNECT {packet.reason_code}")

    def _fail(self, wrong: WrongAnswer) -> None:
        if not self.ready.done():
            self.ready.set_exception(wrong)
        self.on_wrong(wrong)
