"""The terminals of the switch and their master keys, each in a private file of the switch's.

A key file is what an acquirer's key ceremony would hand over: 32 hexadecimal digits and a line end.
"""

import secrets
from pathlib import Path

from backend.sandbox.institution.state_files import write_private
from backend.sandbox.unionpay.switch import Terminal

KEY_BYTES = 16


def known_terminal(directory: Path, *, tid: str, mid: str) -> Terminal:
    """A terminal with its master key, made when first asked for."""
    path = key_path(directory, tid)
    if not path.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, f"{secrets.token_hex(KEY_BYTES)}\n".encode())
    return Terminal(tid, mid, bytes.fromhex(path.read_text("ascii").strip()))


def key_path(directory: Path, tid: str) -> Path:
    """Where a terminal's master key is."""
    return directory / f"terminal-{tid}.key"
