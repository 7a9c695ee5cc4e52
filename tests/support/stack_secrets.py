"""The secrets that a stack's own folder tells whoever may read it: what its log and its databases
must not."""

import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from protocol.crypto.sealing import unseal
from protocol.errors import CallerError
from tests.support.leaks import Leak, Sought

HOMES = frozenset(
    {"passphrase", "password", "control.token", "operator.token", "backend.json",
     "charger-1-machine.yaml"}
)  # fmt: skip
"""Files that exist to keep a passphrase, a token or a password."""
_TOLD = frozenset({"passphrase", "password", "control.token", "operator.token"})
_PAY_CODE = re.compile(rb"(?=(1[0-5][0-9]{16}))")


def leaks_of(root: Path, state: Path) -> list[Leak]:
    """The secrets of the stack in ``state`` that are in any file below ``root``."""
    return Sought(_secrets(state)).below(root, homes=HOMES) + list(_pay_codes(root, state))


def _secrets(state: Path) -> dict[str, str | bytes]:
    files = [path for path in state.rglob("*") if path.is_file()]
    told: dict[str, str | bytes] = {
        str(path.relative_to(state)): path.read_bytes().strip()
        for path in files
        if path.name in _TOLD
    }
    for path in files:
        if path.suffix == ".key" and (found := _opened(path)) is not None:
            told[str(path.relative_to(state))] = found
    assert any(name.endswith("signing.key") for name in told)
    return told


def _opened(path: Path) -> bytes | None:
    """The private key in a file, by the passphrase nearest to it; None for another form."""
    near = (parent / "passphrase" for parent in path.parents)
    passphrase = next((one for one in near if one.exists()), None)
    try:
        sealed = path.read_bytes()
        return (
            unseal(sealed, passphrase.read_bytes().strip()).private_bytes() if passphrase else None
        )
    except CallerError:
        return None


def _pay_codes(root: Path, state: Path) -> Iterable[Leak]:
    """Full codes of our own wallets: their eight digits behind the prefix are a payer's route."""
    with sqlite3.connect(f"file:{state / 'backend' / 'backend.db'}?mode=ro", uri=True) as database:
        routes = {
            b"%08d" % route for (route,) in database.execute("SELECT route FROM pay_code_route")
        }
    assert routes
    for path in root.rglob("*"):
        if path.is_file():
            for found in _PAY_CODE.finditer(path.read_bytes()):
                if found[1][2:10] in routes:
                    yield Leak("a pay code", str(path.relative_to(root)), "plain")
