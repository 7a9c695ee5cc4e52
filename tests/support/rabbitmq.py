"""A private RabbitMQ node in a temporary folder: own name, ports, cookie and port mapper, on the
loopback only. No system broker is ever touched.

The server's own script is run, not Debian's wrapper, so that any user may run it; root runs it as
an ordinary user. The node and the port mapper are children of ours: they end by their process ids.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tillway.demo.ports import lasting_port

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
PROBE_EVERY_S = 0.05
_ORDINARY_USERS = ("rabbitmq", "nobody")
_LOOPBACK = "{127,0,0,1}"


class NoBroker(Exception):  # noqa: N818 - it is not an error, only a reason to skip
    """RabbitMQ's server is not installed here."""


@dataclass
class Broker:
    """A node that may be killed and started again on its files; ``stop`` removes them."""

    folder: Path
    script: Path
    epmd: Path
    user: str | None
    port: int = 0
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """How programs reach it."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    @property
    def is_running(self) -> bool:
        """Whether it was started and not ended."""
        return "node" in self._children

    def start(self) -> None:
        """Returns when it takes connections."""
        if "epmd" not in self._children:
            self.port, dist_port, epmd_port = (lasting_port() for _ in range(3))
            self._settings = self._environment(dist_port, epmd_port)
            self._run("epmd", self.epmd, "-address", "127.0.0.1", "-port", epmd_port)
        self._run("node", self.script)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self._children["node"].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "words").read_text(errors="replace")[-4000:])
            time.sleep(PROBE_EVERY_S)

    def kill(self) -> None:
        """The power of the broker's machine goes off."""
        self._end("node", signal.SIGKILL)

    def stop(self) -> None:
        """End the node and its port mapper, and remove everything they wrote."""
        for name in list(self._children):
            self._end(name, signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self, dist_port: int, epmd_port: int) -> Mapping[str, str]:
        folder = self.folder
        (folder / "plugins").write_text("[].\n")
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nloopback_users.guest = true\n"
        )
        (folder / "env.conf").touch()
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(epmd_port),
            "RABBITMQ_ALLOW_INPUT": "1",  # the shell becomes the node: one process, one id
            "RABBITMQ_NODENAME": f"tillway-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(dist_port),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +S 1:1 +A 4 +sbwt none"
            f" -kernel inet_dist_use_interface {_LOOPBACK}",
        }

    def _run(self, name: str, *words: object) -> None:
        with (self.folder / "words").open("ab") as out:
            self._children[name] = subprocess.Popen(
                [str(word) for word in words], user=self.user, group=_group(self.user),
                extra_groups=[] if self.user else None, cwd=self.folder, env=self._settings,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    def _end(self, name: str, number: signal.Signals) -> None:
        child = self._children.pop(name)
        child.send_signal(number)
        try:
            child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def start_broker() -> Broker:
    """A broker on free ports of 127.0.0.1; raises ``NoBroker``."""
    scripts = sorted(Path("/usr/lib/rabbitmq/lib").glob("*/sbin/rabbitmq-server"))
    epmd = shutil.which("epmd")
    if not scripts or epmd is None:
        raise NoBroker("RabbitMQ's server is not installed: apt install rabbitmq-server")
    user = _ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="tillway-mq-"))
    if user is not None:
        shutil.chown(folder, user)
    broker = Broker(folder, scripts[-1], Path(epmd), user)
    try:
        broker.start()
    except BaseException:
        broker.stop()
        raise
    return broker


def _ordinary_user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _ORDINARY_USERS if name in names)


def _group(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid
