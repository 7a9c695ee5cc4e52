"""Debian's Mosquitto as a process of its own."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.identity.broker import certify_broker
from backend.identity.ca import CertificateAuthority
from tests.kit.hub_world import now_ms, until
from tillway.demo.mosquitto import PROGRAM, SHIPPED, configuration, key_and_request
from tillway.demo.ports import lasting_port


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
    key, csr = key_and_request()
    found.ca.write_bytes(ca.certificate_pem)
    found.certificate.write_bytes(
        certify_broker(ca, csr, name="broker", host_names=("127.0.0.1",), now_ms=now_ms())
    )
    found.key.write_bytes(key)
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
        self._conf.write_text(self._open() if tls is None else self._shipped(tls))

    def _open(self) -> str:
        own = "user root\n" if os.geteuid() == 0 else ""
        return f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n{own}"

    def _shipped(self, tls: BrokerTls) -> str:
        self.acl.write_bytes((SHIPPED / "acl").read_bytes())
        text = configuration(
            self.port, ca=tls.ca, certificate=tls.certificate, key=tls.key, acl=self.acl
        )
        return f"{text}\nlog_type all\n"

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
