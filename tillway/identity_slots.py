"""Where a machine's identity lies, so that it has a whole one at every moment of its renewal.

    identity                a symbolic link to the slot in use; programs read through it
    identity.a, identity.b  the slots; each holds the files of protocol.identity

Rule 1: the link is switched by one rename: a power cut leaves the old identity or the new one.
Rule 2: ``request.csr`` marks a slot that is on its way in. The backend may know its keys already,
        so they are never made anew. A slot without it that is not in use is the identity before.
Rule 3: a slot with the mark and with all files was answered by the backend: it alone counts from
        then on, so it is put in use before anything else is done.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from protocol.identity import FILE_NAMES, SIGNING_KEY, SM_KEY, TLS_KEY
from tillway.private_files import read_files, sync_directory, write_files

IDENTITY = "identity"
SLOTS = ("identity.a", "identity.b")
REQUEST_FILE = "request.csr"
SM_REQUEST_FILE = "sm-request.csr"
PENDING_NAMES = (TLS_KEY, SIGNING_KEY, REQUEST_FILE)
_SM_PENDING_NAMES = (SM_KEY, SM_REQUEST_FILE)
"""Written before the others. A renewal that was begun when there were none goes on without."""
_NEXT_LINK = "identity.next"
_UNLINKED = "identity.old"
"""Where an identity goes that is a directory, not a link: one copied without its links."""


def slot_in_use(state: Path) -> Path | None:
    """The directory that ``identity`` stands for, if there is one."""
    found = (state / IDENTITY).resolve()
    return found if found.is_dir() else None


def pending_files(state: Path) -> dict[str, bytes]:
    """The keys and the request that are on their way in; empty when there are none.

    They are on the disk, also when the process that wrote them ended before it could see to that.
    """
    slot = _spare(state)
    files = read_files(slot, PENDING_NAMES)
    if set(files) != set(PENDING_NAMES):
        return {}
    sync_directory(slot)
    sync_directory(state)
    return {**read_files(slot, _SM_PENDING_NAMES), **files}


def begin(state: Path, files: Mapping[str, bytes]) -> None:
    """Put keys and request into the spare slot. The request goes last: it makes them count."""
    slot = _spare(state)
    if slot.exists():
        shutil.rmtree(slot)
        sync_directory(state)
    write_files(slot, {name: files[name] for name in (*_SM_PENDING_NAMES, *PENDING_NAMES)})


def settle(state: Path, files: Mapping[str, bytes]) -> None:
    """Add what the backend answered, and put the slot in use."""
    write_files(_spare(state), files)
    finish_interrupted(state)


def finish_interrupted(state: Path) -> bool:
    """Put a slot in use that the backend has answered. Whether there was one."""
    slot = _spare(state)
    is_answered = all((slot / name).is_file() for name in (REQUEST_FILE, *FILE_NAMES))
    if is_answered:
        _switch(state, slot)
    in_use = slot_in_use(state)
    if in_use is not None and (in_use / REQUEST_FILE).exists():
        for name in (SM_REQUEST_FILE, REQUEST_FILE):
            (in_use / name).unlink(missing_ok=True)
            sync_directory(in_use)
    return is_answered


def _switch(state: Path, slot: Path) -> None:
    link, upcoming = state / IDENTITY, state / _NEXT_LINK
    upcoming.unlink(missing_ok=True)
    upcoming.symlink_to(slot.name, target_is_directory=True)
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(state / _UNLINKED, ignore_errors=True)
        link.rename(state / _UNLINKED)
    upcoming.replace(link)
    sync_directory(state)


def _spare(state: Path) -> Path:
    """The slot that is not in use."""
    link = state / IDENTITY
    used = link.readlink().name if link.is_symlink() else None
    return state / SLOTS[used == SLOTS[0]]
