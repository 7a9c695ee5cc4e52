"""A private PostgreSQL cluster in a temporary folder, for tests and benchmarks.

``initdb`` and ``postgres`` refuse to run as root, so root runs them as an ordinary user.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from tillway.demo.ports import lasting_port

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
_COPIES_FILES = 15_00_00
"""The first version that can copy a database without writing all of it to its log, too."""
_ORDINARY_USERS = ("postgres", "nobody")


class NoServer(Exception):  # noqa: N818 - it is not an error, only a reason to skip
    """PostgreSQL's server is not installed here."""


@dataclass(frozen=True)
class Cluster:
    """A running server, with fsync on. ``stop`` ends it and removes its folder."""

    folder: Path
    binaries: Path
    port: int
    user: str | None

    def create_database(
        self, name: str, *, template: str = "template0", icu_locale: str | None = None
    ) -> str:
        """Make a database; returns its SQLAlchemy URL. It is empty, or a copy of the ``template``,
        which nobody may use meanwhile. The cluster sorts by bytes; with ``icu_locale``
        (PostgreSQL 15 and later) the empty database sorts as people do."""
        options = f" LOCALE_PROVIDER icu ICU_LOCALE '{icu_locale}'" if icu_locale else ""
        if self._keeper.info.server_version >= _COPIES_FILES:
            options += " STRATEGY file_copy"
        self._keeper.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{options}'.encode())
        return f"postgresql+psycopg://tester@127.0.0.1:{self.port}/{name}"

    def drop_database(self, name: str) -> None:
        """Remove a database, and cut off who still uses it."""
        self._keeper.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())

    @cached_property
    def _keeper(self) -> psycopg.Connection[TupleRow]:
        """Makes and removes databases: the server forks, and knows its catalogue, once for all."""
        return psycopg.connect(self.dsn("postgres"), autocommit=True)

    def dsn(self, database: str) -> str:
        """A libpq connection string."""
        return f"host=127.0.0.1 port={self.port} user=tester dbname={database}"

    def stop(self) -> None:
        """Stop the server and remove everything it wrote."""
        self._keeper.close()
        _run(self.user, self.binaries / "pg_ctl", "-D", self.folder / "data", "-m", "immediate",
             "-w", "-t", STOP_TIMEOUT_S, "stop")  # fmt: skip
        shutil.rmtree(self.folder, ignore_errors=True)


def start_cluster(*settings: str) -> Cluster:
    """Make a cluster and start it on a free port of 127.0.0.1; raises ``NoServer``."""
    binaries = find_binaries()
    user = _ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="tillway-pg-"))
    folder.chmod(0o700)
    if user is not None:
        shutil.chown(folder, user)
    try:
        _run(user, binaries / "initdb", "-D", folder / "data", "-U", "tester", "-A", "trust",
             "-E", "UTF8", "--locale=C", "--no-sync")  # fmt: skip
        port = lasting_port()
        options = " ".join(
            f"-c {setting}"
            for setting in (
                f"port={port}",
                "listen_addresses=127.0.0.1",
                f"unix_socket_directories={folder}",
                "fsync=on",
                "max_connections=50",
                "dynamic_shared_memory_type=mmap",  # in the folder, so that it goes with it
                *settings,
            )
        )
        _run(user, binaries / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w",
             "-t", START_TIMEOUT_S, "-o", options, "start")  # fmt: skip
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Cluster(folder, binaries, port, user)


def find_binaries() -> Path:
    """The folder of the newest installed server."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    if on_path is None:
        raise NoServer("PostgreSQL's server is not installed: apt install postgresql")
    return Path(on_path).parent


def _ordinary_user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _ORDINARY_USERS if name in names)


def _run(user: str | None, *arguments: object) -> None:
    """Run a server tool; its words are shown only if it fails."""
    with tempfile.TemporaryFile() as words:
        done = subprocess.run(
            [str(argument) for argument in arguments], user=user, group=_group(user),
            extra_groups=[] if user else None, cwd="/", stdin=subprocess.DEVNULL, stdout=words,
            stderr=words, check=False, timeout=START_TIMEOUT_S + STOP_TIMEOUT_S,
        )  # fmt: skip
        if done.returncode:
            words.seek(0)
            raise RuntimeError(words.read().decode(errors="replace"))


def _group(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid
