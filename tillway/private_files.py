"""Files that only their owner may read, written so that a crash leaves the old or the new one.

Rule: when a function here returns, a power cut undoes nothing of it. A new name in a directory is
      on the disk only when the directory is synced, so each is.
"""

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from protocol.crypto.limits import PASSPHRASE_BYTES_MAX
from protocol.errors import CallerError

_FILE_MODE, _DIRECTORY_MODE = 0o600, 0o700
_PASSPHRASE_RANDOM_BYTES = 32


def make_directory(directory: Path) -> None:
    """A directory with mode 0700, and the parents it needs."""
    if directory.is_dir():
        return
    if not directory.parent.is_dir():
        directory.parent.mkdir(parents=True, exist_ok=True)
        for parent in directory.parent.parents:
            sync_directory(parent)
    directory.mkdir(mode=_DIRECTORY_MODE, exist_ok=True)
    sync_directory(directory.parent)


def write_files(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their path below a directory, mode 0600, one after the other in their order,
    each atomically and to the disk."""
    for name, content in files.items():
        target = directory / name
        make_directory(target.parent)
        partial = target.with_name(target.name + ".partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        sync_directory(target.parent)


def sync_directory(directory: Path) -> None:
    """Bring to the disk what was made, renamed or removed in a directory."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_files(directory: Path, names: Iterable[str]) -> dict[str, bytes]:
    """The files that are there."""
    return {name: (directory / name).read_bytes() for name in names if (directory / name).is_file()}


def passphrase_in(file: Path, *, create: bool = False) -> bytes:
    """The passphrase in a file of mode 0600; with ``create``, a random one if there is no file.

    ``CallerError("config_invalid")`` when others may read it, or it is missing or too long.
    """
    if create and not file.exists():
        write_files(
            file.parent, {file.name: secrets.token_urlsafe(_PASSPHRASE_RANDOM_BYTES).encode()}
        )
    if not file.is_file():
        raise CallerError("config_invalid", f"no passphrase file {file}")
    if file.stat().st_mode & 0o077:
        raise CallerError("config_invalid", f"{file} may be read by others; chmod 600 it")
    passphrase = file.read_bytes().strip()
    if len(passphrase) > PASSPHRASE_BYTES_MAX:
        raise CallerError("config_invalid", f"{file} is too long")
    return passphrase
