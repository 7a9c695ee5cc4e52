"""Certificates, paho terminals, and the two terminal links to try them on."""

import asyncio
import datetime as dt
import os
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from hub.mqtt.broker_line import BrokerSettings
from hub.mqtt.endpoint import EndpointSettings, MqttEndpoint
from hub.mqtt.external import ExternalBroker
from hub.ports import Inbound, OnPublish, TerminalLink
from protocol.crypto.tls_keys import TlsKey
from protocol.identity import TlsFiles
from tests.kit.mosquitto import BrokerTls, Mosquitto
from tests.kit.patience import PATIENCE_S
from tillway.demo.ports import lasting_port
from transport.contexts import ClientTls, ServerTls

T = TypeVar("T")
STORE = "store-1"
HUB = "hub-1"


# --- certificates


@dataclass
class Authority:
    """A certificate authority in a directory."""

    folder: Path

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
        self.certificate = self._build(self.name, self.key, is_ca=True)
        self.path = self.folder / "ca.pem"
        self.path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, kind: str = "terminal") -> Path:
        """A certificate and key in one file, for a client or a server on loopback."""
        path = self.folder / f"{name}-{kind}.pem"
        if not path.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
            certificate = self._build(subject, key, is_ca=False, uri=f"tillway:{kind}:{name}")
            path.write_bytes(
                certificate.public_bytes(serialization.Encoding.PEM)
                + key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        return path

    def client(
        self, name: str | None, trusted: "Authority | None" = None, *, kind: str = "terminal"
    ) -> ssl.SSLContext:
        """A client's TLS context, with or without a certificate."""
        context = ssl.create_default_context(cafile=str((trusted or self).path))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if name is not None:
            context.load_cert_chain(self.issue(name, kind))
        return context

    def ours(self, name: str, kind: str = "terminal") -> TlsFiles:
        """What a program of ours has of a certificate."""
        pair = self.issue(name, kind)
        key = serialization.load_pem_private_key(pair.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        sealed = pair.with_suffix(".sealed")
        sealed.write_bytes(TlsKey(key).seal(b"a passphrase"))
        return TlsFiles(pair, sealed, b"a passphrase", self.path.read_text())

    def _build(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_ca: bool, uri: str = ""
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if is_ca:
            usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        else:
            names = x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.UniformResourceIdentifier(uri)]
            )
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())


# --- a terminal


def _sends_at_once(_client: Client, _userdata: object, line: Any) -> None:
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Terminal:
    """A real paho client; what happens to it arrives in asyncio queues."""

    def __init__(self, rig: "Rig", tid: str, **options: Any) -> None:
        self.tid = tid
        self._loop = asyncio.get_running_loop()
        self.connects: asyncio.Queue[tuple[int, bool]] = asyncio.Queue()
        self.goodbyes: asyncio.Queue[int] = asyncio.Queue()
        self.messages: asyncio.Queue[MQTTMessage] = asyncio.Queue()
        self.subscribed: asyncio.Queue[list[int]] = asyncio.Queue()
        self.published: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        protocol = options.pop("protocol", MQTTProtocolVersion.MQTTv5)
        manual_ack = options.pop("manual_ack", False)
        context = options.pop("context", None) or rig.authority.client(tid)
        will = options.pop("will", None)
        client_id = options.pop("client_id", tid)
        self.expiry_s = options.pop("expiry_s", 0)
        self.clean_start = options.pop("clean_start", False)
        self.receive_max = options.pop("receive_max", None)
        assert not options
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=protocol, manual_ack=manual_ack
        )
        self.client.tls_set_context(context)
        if will is not None:
            self.client.will_set(self.topic("state"), will, qos=1, retain=True)
        self.client.on_socket_open = _sends_at_once
        self.client.on_connect = lambda _c, _u, flags, reason, _p: self._post(
            self.connects, (reason.value, flags.session_present)
        )
        self.client.on_disconnect = lambda _c, _u, _f, reason, _p: self._post(
            self.goodbyes, reason.value
        )
        self.client.on_message = lambda _c, _u, message: self._post(self.messages, message)
        self.client.on_subscribe = lambda _c, _u, _m, reasons, _p: self._post(
            self.subscribed, [one.value for one in reasons]
        )
        self.client.on_publish = lambda _c, _u, mid, reason, _p: self._post(
            self.published, (mid, reason.value)
        )
        self._port = rig.port

    def _post(self, queue: asyncio.Queue[T], news: T) -> None:
        """From the client's own thread."""
        self._loop.call_soon_threadsafe(queue.put_nowait, news)

    def topic(self, kind: str) -> str:
        return f"tw1/{STORE}/t/{self.tid}/{kind}"

    async def connect(self) -> tuple[int, bool]:
        """Connect; the CONNACK's reason code and whether there was a session."""
        await self.begin()
        return await within(self.connects.get())

    async def begin(self) -> None:
        """Send the CONNECT."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = self.expiry_s
        if self.receive_max is not None:
            properties.ReceiveMaximum = self.receive_max
        is_5 = self.client.protocol == MQTTProtocolVersion.MQTTv5
        options: dict[str, Any] = (
            {"clean_start": self.clean_start, "properties": properties} if is_5 else {}
        )
        await asyncio.to_thread(self.client.connect, "localhost", self._port, 30, **options)
        self.client.loop_start()

    async def subscribe(self, *topics: str) -> list[int]:
        options = SubscribeOptions(qos=1)
        self.client.subscribe([(one, options) for one in topics])
        return await within(self.subscribed.get())

    async def listen(self, *kinds: str) -> None:
        assert await self.subscribe(*[self.topic(kind) for kind in kinds or ("res",)])

    def tell(self, kind: str, payload: bytes, *, retain: bool = False, **values: Any) -> int:
        return self.publish(self.topic(kind), payload, retain=retain, **values)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, **values: Any) -> int:
        properties = Properties(PacketTypes.PUBLISH)
        for name, value in values.items():
            setattr(properties, name, value)
        return self.client.publish(topic, payload, 1, retain, properties).mid

    async def answered(self) -> int:
        """The reason code of the next PUBACK."""
        return (await within(self.published.get()))[1]

    async def break_line(self) -> None:
        """Lose the connection without a goodbye, and stay away."""
        cut(self.client)
        await within(self.goodbyes.get())
        await self.leave()

    async def leave(self) -> None:
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)


def cut(client: Client) -> None:
    """Shut down the connection below TLS, whose own end another thread may be reading just now."""
    sock = client.socket()
    assert sock is not None
    with socket.socket(fileno=os.dup(sock.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


async def within(awaitable: Awaitable[T]) -> T:
    """Wait, but not for ever."""
    async with asyncio.timeout(PATIENCE_S):
        return await awaitable


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a state that announces itself by no event, with a deadline."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


# --- the hub's side


@dataclass
class Hub:
    """Takes messages, or fails, or waits, as a test says."""

    inbox: asyncio.Queue[Inbound] = field(default_factory=asyncio.Queue)
    began: asyncio.Queue[Inbound] = field(default_factory=asyncio.Queue)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    held: set[str] = field(default_factory=set)
    failures: list[Exception] = field(default_factory=list)

    async def on_publish(self, message: Inbound) -> None:
        self.began.put_nowait(message)
        if message.tid in self.held:
            await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.inbox.put_nowait(message)

    async def next(self, kind: str = "req") -> Inbound:
        while (message := await within(self.inbox.get())).kind != kind:
            pass
        return message


class Rig(Protocol):
    """A terminal link under test, and its surroundings."""

    authority: Authority
    port: int
    is_own_server: bool
    hub: Hub
    revoked: set[str]
    presence: list[tuple[str, bool]]

    @property
    def link(self) -> TerminalLink: ...

    async def start(self, on_publish: OnPublish) -> None:
        """Start a (new) link."""
        ...

    async def stop(self) -> None: ...


class _Base:
    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.port = lasting_port()
        self.hub = Hub()
        self.revoked: set[str] = set()
        self.presence: list[tuple[str, bool]] = []

    def admits(self, tid: str) -> bool:
        return tid not in self.revoked

    def note(self, tid: str, is_reachable: bool) -> None:
        self.presence.append((tid, is_reachable))


class OwnServerRig(_Base):
    """The hub's own endpoint."""

    is_own_server = True
    link: MqttEndpoint

    async def start(self, on_publish: OnPublish) -> None:
        settings = EndpointSettings(
            STORE, "127.0.0.1", self.port, ServerTls(self.authority.ours("broker"))
        )
        self.link = MqttEndpoint(settings, admits=self.admits, on_presence=self.note)
        await self.link.start(on_publish)

    async def stop(self) -> None:
        await self.link.stop()


class MosquittoRig(_Base):
    """The same hub on the real Mosquitto, with the configuration that we ship."""

    is_own_server = False
    link: ExternalBroker

    def __init__(self, authority: Authority, folder: Path) -> None:
        super().__init__(authority)
        pair = authority.issue("broker")
        self.broker = Mosquitto(folder, BrokerTls(authority.path, pair, pair))
        self.port = self.broker.port

    async def start(self, on_publish: OnPublish) -> None:
        await self.broker.start()
        tls = ClientTls(self.authority.ours(HUB, "hub"))
        settings = BrokerSettings(STORE, HUB, "localhost", self.port, tls, hub_will=b"gone")
        self.link = ExternalBroker(
            settings,
            admits=self.admits,
            is_online=lambda payload: payload.startswith(b"on"),
            on_presence=self.note,
        )
        await self.link.start(on_publish)

    async def stop(self) -> None:
        await self.link.stop()
        await self.broker.end(signal.SIGTERM)
