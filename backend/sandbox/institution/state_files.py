"""What an institution keeps on the disk for itself and for others: its key, and where it listens.

Each has a directory of its own below the sandbox's, by its name. ``address.json`` there says the
ports and the public key; without ports it is not running. It is read whenever it is needed, so an
institution may come back on other ports.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backend.channels.signed_http import by_kid, key_text, read_key
from backend.sandbox.institution.limits import ADDRESS_FILE_BYTES_MAX
from protocol.crypto.keys import SigningKey, VerifyKey, generate
from protocol.errors import CallerError, OperatingError

ADDRESS, KEY = "address.json", "institution.key"


@dataclass(frozen=True, slots=True)
class Address:
    """Where an institution listens, and whose signature its answers bear."""

    name: str
    key: VerifyKey
    host: str = "127.0.0.1"
    ports: Mapping[str, int] = field(default_factory=dict)

    def url(self) -> str:
        """Its HTTP face; ``OperatingError`` while it is not running."""
        return f"http://{self.host}:{self.port('http')}"

    def port(self, line: str) -> int:
        """The port of one of its lines; ``OperatingError`` while it is not running."""
        if line not in self.ports:
            raise OperatingError("timeout", f"{self.name} is not running")
        return self.ports[line]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The institutions that share a state directory."""

    state_dir: Path

    def names(self) -> list[str]:
        """Who has ever been set up here."""
        return sorted(path.parent.name for path in self.state_dir.glob(f"*/{ADDRESS}"))

    def find(self, name: str) -> Address:
        """An institution's address as it is now; ``OperatingError`` where it was never set up."""
        try:
            with (self.state_dir / name / ADDRESS).open("rb") as file:
                said = json.loads(file.read(ADDRESS_FILE_BYTES_MAX))
            ports = {str(line): int(port) for line, port in said["ports"].items()}
            return Address(name, read_key(said["key"]), str(said["host"]), ports)
        except OSError:
            raise OperatingError("timeout", f"{name} was never set up") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise CallerError("config_invalid", f"{name}/{ADDRESS}") from None


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
    _write(path, key.private_bytes())
    write_address(directory, Address(directory.name, key.public))
    return key


def write_address(directory: Path, address: Address) -> None:
    """Say where an institution listens. A reader finds the old file or the new one."""
    said = {"host": address.host, "ports": dict(address.ports), "key": key_text(address.key)}
    _write(directory / ADDRESS, json.dumps(said).encode())


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.replace(path)
