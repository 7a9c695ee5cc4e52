"""``tillway doctor``: what this machine can do, and what to install for the rest."""

import importlib.util
import os
import platform
import shutil
import sqlite3
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from faces.tables import draw
from protocol.crypto.sm2 import sm2_backend
from tillway.origin import how_to_install
from transport.contexts import has
from transport.profiles import P256, SM

app = typer.Typer(help="Say what this machine can do.", add_completion=False)

PACKAGES = {
    "terminal": ("paho.mqtt.client", "aiocoap", "serial", "qrcode", "fastapi"),
    "hub": ("mqtt5", "aiocoap", "aiohttp", "uvloop"),
    "backend": ("sqlmodel", "alembic", "psycopg", "fastapi", "lxml"),
    "sim": ("zxingcpp", "PIL", "serial"),
}

PASSPHRASE = "passphrase"  # noqa: S105  # a file's name
SEALED = (
    "ca/ca.key",
    "ca/sm-ca.key",
    "code.key",
    "identity/signing.key",
    "identity/tls.key",
    "identity/sm.key",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``is_needed`` findings decide the exit code."""

    what: str
    found: str
    is_good: bool
    is_needed: bool
    advice: str = ""


def examine() -> Iterator[Finding]:
    """Everything the stack depends on, one finding each."""
    version = platform.python_version()
    yield Finding("Python", version, sys.version_info >= (3, 11), True, "install Python 3.11")
    yield Finding("TLS 1.3", ssl.OPENSSL_VERSION, ssl.HAS_TLSv1_3, True, "a newer OpenSSL")
    lacking = [profile.name for profile in (P256, SM) if not has(profile)]
    yield Finding(
        "TLS profiles",
        "p256, sm" if not lacking else f"without {', '.join(lacking)}",
        not lacking,
        False,
        "a newer cryptography package, whose OpenSSL has the profile's algorithms",
    )
    backend = sm2_backend()
    yield Finding(
        "SM2",
        backend,
        backend == "libcrypto",
        False,
        "the slow fallback is in use: install OpenSSL 3 with SM2 for speed",
    )
    yield Finding("SQLite", sqlite3.sqlite_version, sqlite3.sqlite_version_info >= (3, 35), True)
    for room, modules in PACKAGES.items():
        missing = [module for module in modules if not _has(module)]
        found = "all packages" if not missing else f"missing {', '.join(missing)}"
        yield Finding(room, found, not missing, False, how_to_install(room))
    yield _server("PostgreSQL", _postgres(), "apt-get install postgresql (for scale and its tests)")
    broker = shutil.which("mosquitto") or _first(Path("/usr/sbin"), "mosquitto")
    yield _server("Mosquitto", broker, "apt-get install mosquitto (external broker and its tests)")
    yield _server("RabbitMQ", _rabbitmq(), "apt-get install rabbitmq-server (callbacks' own queue)")
    redis = shutil.which("redis-server")
    yield _server("Redis", redis, "apt-get install redis-server (several backends' one memory)")
    yield Finding("Pseudo-terminals", "ok", hasattr(os, "openpty"), False, "a Unix machine")


def examine_state(state: Path) -> Iterator[Finding]:
    """Whether a copy of a program's private directory would be enough to be that program."""
    sealed = [name for name in SEALED if (state / name).is_file()]
    if not sealed:
        advice = "name a directory that 'tillway enroll' or 'tillway backend init' made"
        yield Finding("Sealed keys", f"none in {state}", False, True, advice)
        return
    is_beside = (state / PASSPHRASE).is_file()
    yield Finding(
        "Passphrase",
        f"lies beside {', '.join(sealed)}" if is_beside else f"not in {state}",
        not is_beside,
        False,
        "one copy of the directory opens the keys: keep it elsewhere (docs/runbook/backend.md)",
    )


@app.callback(invoke_without_command=True)
def doctor(
    state: Annotated[
        Path | None, typer.Option(help="A program's private directory, to look at, too.")
    ] = None,
) -> None:
    """Look at everything, print a table, and end with 1 if something needed is missing."""
    findings = [*examine(), *(examine_state(state) if state is not None else ())]
    table = Table("", "what", "found", "advice")
    for finding in findings:
        mark = "✓" if finding.is_good else ("✗" if finding.is_needed else "–")
        table.add_row(mark, finding.what, finding.found, "" if finding.is_good else finding.advice)
    draw(table)
    raise typer.Exit(int(any(f.is_needed and not f.is_good for f in findings)))


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _postgres() -> str | None:
    found = shutil.which("postgres")
    newest = max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=None)
    return str(newest) if newest is not None else found


def _rabbitmq() -> str | None:
    """Debian's own wrapper lies where an ordinary user's PATH does not look."""
    folder = Path("/usr/lib/rabbitmq/lib")
    newest = max(folder.glob("*/sbin/rabbitmq-server"), default=None)
    return str(newest) if newest is not None else shutil.which("rabbitmq-server")


def _first(folder: Path, name: str) -> str | None:
    path = folder / name
    return str(path) if path.exists() else None


def _server(name: str, path: str | None, advice: str) -> Finding:
    return Finding(name, path or "not installed", path is not None, False, advice)
