"""What an institution keeps on the disk for itself and for others: its key, and where it listens.

Each has a directory of its own below the sandbox's, by its name, with its ``address.json``.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.channels.address import ADDRESS, Address, address_text, read_address
from backend.channels.signed_http import by_kid
from protocol.crypto.keys import SigningKey, VerifyKey, generate

KEY = "institution.key"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The institutions that share a state directory."""

    state_dir: Path

    def names(self) -> list[str]:
        """The institutions that have ever been set up here."""
        return sorted(path.parent.name for path in self.state_dir.glob(f"*/{ADDRESS}"))

    def find(self, name: str) -> Address:
        """An institution's address as it is now; ``OperatingError`` where it was never set up."""
        return read_address(self.state_dir / name / ADDRESS)


class KnownKeys(Mapping[str, VerifyKey]):
    """Whose signatures an institution knows: those it was told, and its neighbours'."""

    def __init__(self, told: Mapping[str, VerifyKey], neighbours: Neighbours) -> None:
        self._told = told
        self._neighbours = neighbours

    def __getitem__(self, kid: str) -> VerifyKey:
        found = self._told.get(kid)
        return self._all()[kid] if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, VerifyKey]:
        near = [self._neighbours.find(name).key for name in self._neighbours.names()]
        return {**by_kid(*near), **self._told}


def own_key(directory: Path) -> SigningKey:
    """An institution's key, made when first asked for; ``address.json`` tells its public half.

    A toy institution keeps it unsealed, readable by its owner only.
    """
    path = directory / KEY
    if path.exists():
        return SigningKey.from_private("ES256", path.read_bytes())
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = generate("ES256")
    write_private(path, key.private_bytes())
    write_address(directory, Address(directory.name, key.public))
    return key


def write_address(directory: Path, address: Address) -> None:
    """Say where an institution listens. A reader finds the old file or the new one."""
    write_private(directory / ADDRESS, address_text(address))


def write_private(path: Path, content: bytes) -> None:
    """Write a file that its owner only reads; a reader finds the old file whole or the new one."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.replace(path)
