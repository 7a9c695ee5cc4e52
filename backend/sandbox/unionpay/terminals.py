"""The terminals of the switch and their master keys, each in a private file of the switch's.

A key file is what an acquirer's key ceremony would hand over: 32 hexadecimal digits and a line end.
"""

import os
import secrets
from pathlib import Path

from backend.sandbox.unionpay.switch import Terminal

KEY_BYTES = 16


def known_terminal(directory: Path, *, tid: str, mid: str) -> Terminal:
    """A terminal with its master key, made when first asked for."""
    path = key_path(directory, tid)
    if not path.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
        partial.replace(path)
    return Terminal(tid, mid, bytes.fromhex(path.read_text("ascii").strip()))


def key_path(directory: Path, tid: str) -> Path:
    """Where a terminal's master key is."""
    return directory / f"terminal-{tid}.key"
