"""Where a machine's signing key is made and kept: here, sealed in a file (`element_keys`: in a
secure element).

Rule: what ``make`` gives is written to the disk before the key is used; ``open`` finds the key
again from it, so a retry after a power cut uses the same one.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from protocol.crypto.keys import Signs, generate
from protocol.crypto.sealing import seal, unseal
from protocol.errors import CallerError
from protocol.identity import ElementKey


class KeyHome(Protocol):
    """Makes keys and finds them again. ``content`` is what stands in ``signing.key``."""

    def make(self, taken: Collection[int]) -> bytes:
        """A new key; ``taken`` are slots that must stay as they are."""
        ...

    def open(self, content: bytes) -> Signs:
        """The key that a content stands for; ``CallerError`` if it is not here."""
        ...


@dataclass(frozen=True, slots=True)
class FileKeys:
    """Keys sealed with a passphrase."""

    suite: str
    passphrase: bytes = field(repr=False)

    def make(self, taken: Collection[int]) -> bytes:
        """As ``KeyHome.make``."""
        del taken
        return seal(generate(self.suite), self.passphrase)

    def open(self, content: bytes) -> Signs:
        """As ``KeyHome.open``."""
        if ElementKey.from_bytes(content) is not None:
            raise CallerError("config_invalid", "a secure element holds the key: name its port")
        return unseal(content, self.passphrase)
