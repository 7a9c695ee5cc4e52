"""What tests of the backend's edge share: a backend on a fresh database, hubs and devices."""

import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from socket import socket
from typing import Any

from backend import state as backend_state
from backend.app import hub_app, public_app
from backend.bootstrap import Backend, Parts, build
from backend.clock import SystemClock
from backend.config import Settings
from backend.db.command import Command
from backend.devices.model import DeviceCommand, DeviceKind, DeviceRow
from backend.devices.service import ChangeDevice, CreateStore, EnrolDevice, NewKey
from backend.identity.ca import CertificateAuthority, Holder
from backend.listeners import Listener, Listeners, bind, public_tls
from backend.merchants.service import CreateMerchant
from backend.observability.metrics import Metrics
from backend.serving import drain
from protocol import batch, cbor, envelope, ids
from protocol.answers import Answer, unseal
from protocol.batch import Batch, BatchItem
from protocol.clock import Clock
from protocol.crypto import generate
from protocol.crypto.keys import SigningKey
from protocol.crypto.tls_keys import TlsKey, pem_chain
from protocol.envelope import Envelope
from protocol.identity import TlsFiles
from protocol.tls import joining_context
from protocol.topics import reply_address
from tests.kit.foreign_tls import client_context
from tests.support.migrated import migrated_sqlite
from transport.contexts import ServerTls

NOW_MS = 1_763_900_000_000
STORE, MERCHANT, HUB, TILL = "store-1", "merchant-1", "hub-1", "till-1"


class StepClock:
    """A clock that a test moves."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.at_ms = now_ms

    def now_ms(self) -> int:
        return self.at_ms


class CountingEntropy:
    """Bytes that never repeat and are the same in every run."""

    def __init__(self) -> None:
        self._count = 0

    def token_bytes(self, count: int) -> bytes:
        self._count += 1
        return self._count.to_bytes(count, "big")


@dataclass
class Machine:
    """A device or hub: a name, a key, a counter."""

    tid: str
    store: str = STORE
    kind: DeviceKind = DeviceKind.TERMINAL
    key: SigningKey = field(default_factory=generate)
    counter: int = 0
    clock: Clock = field(default_factory=StepClock)

    def envelope(self, message_type: str, body: Mapping[str, Any], **changes: Any) -> bytes:
        """A signed request."""
        self.counter += 1
        made = Envelope(
            message_type=message_type,
            request_id=mint("req", self.counter, self.tid),
            device=self.tid,
            store=self.store,
            boot_epoch=1,
            counter=self.counter,
            sent_at_ms=self.clock.now_ms(),
            nonce=self.counter.to_bytes(12, "big"),
            reply_to=reply_address(self.store, self.tid, "mqtt"),
            body=body,
            trace_id=f"trace-{self.counter}",
        )
        return envelope.seal(replace(made, **changes), self.key)

    def batch(
        self, envelopes: Sequence[bytes], *, received_at_ms: int | None = None, **changes: Any
    ) -> bytes:
        """A signed batch."""
        received_at_ms = self.clock.now_ms() if received_at_ms is None else received_at_ms
        self.counter += 1
        items = tuple(BatchItem(received_at_ms, one) for one in envelopes)
        made = Batch(self.tid, f"batch-{self.counter}", received_at_ms, items)
        return batch.seal(replace(made, **changes), self.key)

    @property
    def new_key(self) -> NewKey:
        public = self.key.public
        return NewKey(suite=public.suite.name, public_key=public.public, kid=public.kid)


def mint(prefix: str, number: int, salt: str = "") -> str:
    """An id that is the same in every run."""
    tail = (salt + str(number)).encode()[-10:].rjust(10, b"\0")
    return ids.mint(prefix, time_ms=NOW_MS, random_bytes=tail)


def settings_in(directory: Path, **changes: Any) -> Settings:
    """Settings for one test: private directory, free ports, fresh database."""
    found: dict[str, Any] = {
        "state_dir": directory / "state",
        "public_port": 0,
        "hub_port": 0,
        **changes,
    }
    return Settings(**found)


def initialised(directory: Path, *, now_ms: int = NOW_MS, **changes: Any) -> tuple[Settings, str]:
    """A state directory as ``tillway backend init`` leaves it, with a migrated database unless
    the changes name one; and the operator token. Every directory of a process has the same keys.
    """
    settings = settings_in(directory, **changes)
    files, token = _initialised_once(now_ms)
    for name, content in files.items():
        path = settings.state_dir / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(content)
    if not settings.database_url:
        migrated_sqlite(settings.state_dir / "backend.db")
    return settings, token


@cache
def _initialised_once(now_ms: int) -> tuple[dict[Path, bytes], str]:
    with tempfile.TemporaryDirectory(prefix="tillway-init-") as folder:
        settings = settings_in(Path(folder))
        token = backend_state.initialise(settings, entropy=CountingEntropy(), now_ms=now_ms)
        root = settings.state_dir
        paths = [path for path in root.rglob("*") if path.is_file()]
        return {path.relative_to(root): path.read_bytes() for path in paths}, token


def make_backend(
    settings: Settings,
    *,
    clock: StepClock | None = None,
    dispatcher: Mapping[str, Callable[[Any], Command]] | None = None,
) -> Backend:
    """A backend that is not started yet."""
    parts = Parts(
        state=backend_state.read(settings),
        clock=clock or StepClock(),
        entropy=CountingEntropy(),
        metrics=Metrics(),
    )
    return build(settings, parts, dispatcher=dispatcher)


def a_merchant(merchant_id: str = MERCHANT) -> CreateMerchant:
    """A merchant with a plain fee."""
    return CreateMerchant(
        merchant_id=merchant_id,
        name="A shop",
        currency="CNY",
        rate_bps=60,
        min_minor=0,
        cap_minor=0,
        payout_bank="ICBC",
        payout_account_name="A shop",
        payout_account_no="6222000000000001",
        biometric_above_minor=100_000,
    )


async def enrol(backend: Backend, *machines: Machine) -> None:
    """Take machines (and their stores) into the registry."""
    await backend.writer.submit(a_merchant())
    for store in sorted({machine.store for machine in machines}):
        await backend.writer.submit(CreateStore(store=store, merchant_id=MERCHANT, name=store))
    for machine in machines:
        await backend.writer.submit(
            EnrolDevice(
                tid=machine.tid,
                kind=machine.kind,
                store=machine.store,
                key=machine.new_key,
                actor="test",
                is_active=True,
            )
        )


async def change(backend: Backend, tid: str, command: DeviceCommand) -> DeviceRow:
    """What an operator does to a device."""
    row: DeviceRow = await backend.writer.submit(
        ChangeDevice(tid=tid, command=command, actor="test")
    )
    return row


def answers_in(backend: Backend, data: bytes) -> list[Answer]:
    """The verified answers of a batch."""
    key = backend.state.identity.signing_key.public
    return [unseal(one).verify(key) for one in cbor.decode(data, bytes_max=2**20)]


def code_of(answer: Answer) -> str:
    """The error code of a refusal; ``done`` for anything else."""
    if answer.message_type != "refusal":
        return "done"
    return str(answer.body["error"]["code"])


class Served:
    """A backend on real sockets, and TLS contexts for those who call it."""

    def __init__(self, backend: Backend, directory: Path, public: socket) -> None:
        self.backend = backend
        self._directory = directory
        hub = bind("127.0.0.1", 0)
        tls = backend.state.identity.tls
        self.listeners = Listeners(
            [
                Listener("public", public, public_app(backend), public_tls(tls)),
                Listener("hub", hub, hub_app(backend), ServerTls(tls)),
            ]
        )

    def url(self, listener: str, path: str = "") -> str:
        """An address on one of the listeners."""
        return f"https://127.0.0.1:{self.listeners.ports[listener]}{path}"

    def anonymous(self) -> ssl.SSLContext:
        """For a client without a certificate."""
        return joining_context(self.backend.state.identity.tls.ca_pem)

    def client(self, kind: str, name: str) -> ssl.SSLContext:
        """For a client with a certificate of our CA."""
        return self.client_of(self.backend.state.ca, kind, name)

    def client_of(self, ca: CertificateAuthority, kind: str, name: str) -> ssl.SSLContext:
        """For a client with a certificate of that CA."""
        key = TlsKey()
        chain = (ca.issue(key.request(), Holder(kind, name), now_ms=clock_ms()), ca.certificate_der)
        directory = self._directory / f"tls-{kind}-{name}-{id(ca)}"
        directory.mkdir(exist_ok=True)
        (directory / "chain").write_bytes(pem_chain(chain))
        (directory / "key").write_bytes(key.seal(b"passphrase"))
        files = TlsFiles(
            directory / "chain",
            directory / "key",
            b"passphrase",
            self.backend.state.identity.tls.ca_pem,
        )
        return client_context(files)


@asynccontextmanager
async def served(directory: Path, **changes: Any) -> AsyncIterator[tuple[Served, str]]:
    """A running backend with its listeners, and the operator's token. Its clock is the machine's,
    because certificates are judged by that. Its wallet takes passkeys at ``localhost``."""
    public = bind("127.0.0.1", 0)
    origin = f"https://localhost:{public.getsockname()[1]}"
    changes["wallet"] = {"origins": (origin,)} | changes.get("wallet", {})
    settings, token = initialised(directory, now_ms=_first_clock_ms(), **changes)
    backend = make_backend(settings, clock=StepClock(clock_ms()))
    server = Served(backend, directory, public)
    await backend.start()
    await server.listeners.start()
    try:
        yield server, token
    finally:
        await drain(backend, server.listeners)


@cache
def _first_clock_ms() -> int:
    """When the first was asked for: so that all have the same keys."""
    return clock_ms()


def clock_ms() -> int:
    """The machine's time."""
    return SystemClock().now_ms()
