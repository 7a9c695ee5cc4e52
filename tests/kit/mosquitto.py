"""Debian's Mosquitto as a process of its own."""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from backend.identity.broker import certify_broker
from backend.identity.ca import CertificateAuthority
from tests.kit.hub_world import now_ms, until
from tests.kit.ports import lasting_port

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "mosquitto"
PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@dataclass(frozen=True)
class BrokerTls:
    """What a broker has of certificates."""

    ca: Path
    certificate: Path
    key: Path


def certified(folder: Path, ca: CertificateAuthority) -> BrokerTls:
    """A new key in this folder, and its certificate by this CA."""
    folder.mkdir(exist_ok=True)
    found = BrokerTls(folder / "ca.pem", folder / "broker.pem", folder / "broker.key")
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = request.sign(key, SHA256()).public_bytes(Encoding.PEM)
    found.ca.write_bytes(ca.certificate_pem)
    found.certificate.write_bytes(
        certify_broker(ca, csr, name="broker", host_names=("127.0.0.1",), now_ms=now_ms())
    )
    found.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return found


class Mosquitto:
    """One broker on one port of the loopback, which may be killed and started again.

    With certificates it has the configuration that we ship; without, nobody has to say who he is.
    """

    def __init__(self, folder: Path, tls: BrokerTls | None) -> None:
        folder.mkdir(exist_ok=True)
        self.port = lasting_port()
        self.acl = folder / "acl"
        self._conf = folder / "mosquitto.conf"
        self._log = folder / "broker.log"
        self._process: asyncio.subprocess.Process | None = None
        own = "user root\n" if os.geteuid() == 0 else ""
        self._conf.write_text(f"{self._open() if tls is None else self._shipped(tls)}\n{own}")

    def _open(self) -> str:
        return f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true"

    def _shipped(self, tls: BrokerTls) -> str:
        self.acl.write_bytes((DEPLOY / "acl").read_bytes())
        text = (DEPLOY / "mosquitto.conf").read_text()
        for shipped, here in (
            ("listener 8883", f"listener {self.port} 127.0.0.1"),
            ("/etc/tillway/ca.pem", str(tls.ca)),
            ("/etc/tillway/broker.pem", str(tls.certificate)),
            ("/etc/tillway/broker.key", str(tls.key)),
            ("/etc/tillway/acl", str(self.acl)),
        ):
            assert shipped in text
            text = text.replace(shipped, here)
        return f"{text}\nlog_type all"

    async def start(self) -> None:
        """Returns when it listens, at once if it does. Skips the test where there is none."""
        if self._process is not None:
            return
        if PROGRAM is None:
            pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                PROGRAM, "-c", str(self._conf), stdout=log, stderr=log
            )
        await until(self._is_listening)

    async def end(self, number: signal.Signals) -> None:
        """SIGTERM asks, SIGKILL does not."""
        if self._process is not None:
            self._process.send_signal(number)
            await self._process.wait()
            self._process = None

    def reload(self) -> None:
        """Read the ACL again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def said(self, *words: str) -> int:
        """How many lines of its log, of all its lives, hold all of these words."""
        lines = self._log.read_text(errors="replace").splitlines()
        return sum(all(word in line for word in words) for line in lines)

    async def heard(self, *words: str, above: int = 0) -> None:
        """Wait until more than ``above`` lines hold all of these words."""
        await until(lambda: self.said(*words) > above)

    def _is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@asynccontextmanager
async def running_mosquitto(folder: Path, tls: BrokerTls | None) -> AsyncIterator[Mosquitto]:
    """A broker that listens, and ends with the block."""
    broker = Mosquitto(folder, tls)
    try:
        await broker.start()
        yield broker
    finally:
        await broker.end(signal.SIGTERM)
