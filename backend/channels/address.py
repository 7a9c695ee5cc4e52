"""Where an institution listens and whose signature it bears: a file that it keeps up to date.

``{"host": …, "ports": {line: port}, "key": …}``. Without ports it is not running. Read it whenever
a connection is made: an institution may come back on other ports. A reader trusts the file's key
only as far as it trusts whoever can write the file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backend.channels.limits import ADDRESS_FILE_BYTES_MAX
from backend.channels.signed_http import key_text, read_key
from protocol.crypto.keys import VerifyKey
from protocol.errors import CallerError, OperatingError

ADDRESS = "address.json"
HTTP = "http"


@dataclass(frozen=True, slots=True)
class Address:
    """An institution's lines and its key."""

    name: str
    key: VerifyKey
    host: str = "127.0.0.1"
    ports: Mapping[str, int] = field(default_factory=dict)

    def url(self) -> str:
        """Its HTTP face; ``OperatingError`` while it is not running."""
        return f"http://{self.host}:{self.port(HTTP)}"

    def port(self, line: str) -> int:
        """The port of one of its lines; ``OperatingError`` while it is not running."""
        if line not in self.ports:
            raise OperatingError("timeout", f"{self.name} is not running")
        return self.ports[line]


def read_address(path: Path) -> Address:
    """An institution's address as it is now; ``OperatingError`` where it was never set up."""
    name = path.parent.name
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(ADDRESS_FILE_BYTES_MAX))
        ports = {str(line): int(port) for line, port in said["ports"].items()}
        return Address(name, read_key(said["key"]), str(said["host"]), ports)
    except OSError:
        raise OperatingError("timeout", f"{name} was never set up") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CallerError("config_invalid", f"{name}/{ADDRESS}") from None


def address_text(address: Address) -> bytes:
    """The file's content."""
    said = {"host": address.host, "ports": dict(address.ports), "key": key_text(address.key)}
    return json.dumps(said).encode()
