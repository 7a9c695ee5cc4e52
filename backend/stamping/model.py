"""What is stamped. Pure."""

from dataclasses import dataclass

from protocol.crypto.hashes import sha256


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that we have signed, under a name that is its own for ever."""

    name: str
    content: bytes

    @property
    def digest(self) -> bytes:
        """What a stamp is over."""
        return sha256(self.content)


def checkpoint_subject(chain: str, size: int, note: str) -> Subject:
    """A ledger's checkpoint, as its signed note."""
    return Subject(f"ledger/{chain}/{size}", note.encode())
