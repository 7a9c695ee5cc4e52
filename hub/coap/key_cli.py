"""``tillway hub coap-key``: OSCORE keys for devices that cannot agree on one."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hub.adapters.system import SystemClock
from hub.coap.given_keys import KEYS_NAME, GivenKey, KeyBook, libcoap_text
from hub.config import load
from protocol.errors import CallerError, OperatingError

app = typer.Typer(
    help="OSCORE keys for devices that cannot agree on one.",
    add_completion=False,
    no_args_is_help=True,
)

_Config = Annotated[Path, typer.Option(help="The hub's TOML file.")]
_Device = Annotated[str, typer.Argument(help="The device's name.")]


@app.command()
def give(
    device: _Device,
    *,
    config: _Config,
    out: Annotated[Path, typer.Option(help="The new file for the device, in libcoap's form.")],
) -> None:
    """Give a device a key; the one that it had opens nothing any more."""
    with _book(config) as book:
        with _new_file(out) as file:
            key = book.give(device, now_ms=SystemClock().now_ms())
            os.write(file, libcoap_text(key, book.secrets(key)).encode())
        _tell(key)


@app.command()
def take(device: _Device, *, config: _Config) -> None:
    """Take a device's key: from its next message on it is refused."""
    with _book(config) as book:
        book.take(device, now_ms=SystemClock().now_ms())
        _tell(next(key for key in reversed(book.listed()) if key.device == device))


@app.command("list")
def list_keys(*, config: _Config) -> None:
    """Every key that was given, oldest first, a JSON line each."""
    with _book(config) as book:
        for key in book.listed():
            _tell(key)


def _tell(key: GivenKey) -> None:
    sys.stdout.write(json.dumps(asdict(key)) + "\n")


@contextmanager
def _book(config: Path) -> Iterator[KeyBook]:
    settings = load(config)
    if settings.coap.security != "oscore":
        raise CallerError("config_invalid", "coap.security is not oscore")
    book = KeyBook(settings.state_dir / KEYS_NAME, settings.passphrase)
    try:
        yield book
    finally:
        book.close()


@contextmanager
def _new_file(out: Path) -> Iterator[int]:
    """A file that its owner alone may read, and that was not there; none is left of a failure."""
    try:
        file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise OperatingError("file_unwritable", f"{out}: {error.strerror}") from None
    try:
        yield file
        os.fsync(file)
    except BaseException:
        out.unlink()
        raise
    finally:
        os.close(file)
