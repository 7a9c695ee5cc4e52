"""Checkpoints: signed notes over all groups of a chain, one line each:

    <log's name>/ledger/<chain>      the origin, which is also the signing key's name
    <size>                           how many groups
    <root>                           base64 of the log's root (RFC 6962 shape, SM3)
    at <epoch milliseconds>
    previous <size>                  of the checkpoint before, 0 for the first

Rule 1: nothing is signed that does not contain the last checkpoint: its root is made again first.
Rule 2: checkpoints are append-only and name each other, and the follower's row names the last.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.derived_tables import CHECKPOINT, FOLLOWER
from backend.ledger.limits import CHECKPOINT_GROUPS
from backend.ledger.log import LogNodes
from protocol.crypto.hashes import sm3
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError
from protocol.merkle import log_root
from protocol.signed_note import NoteKey, open_note, sign_note

_NUMBER_CHARS_MAX = len(str(2**63))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the note says."""

    origin: str
    size: int
    root: bytes
    at_ms: int
    previous_size: int

    def to_text(self) -> str:
        """The note's text."""
        root = base64.b64encode(self.root).decode()
        lines = (self.origin, self.size, root, f"at {self.at_ms}", f"previous {self.previous_size}")
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def from_text(cls, text: str) -> "Checkpoint":
        """Read ``to_text``; ``CallerError("proof_invalid")`` for anything else."""
        try:
            origin, size, root, at, previous = text.removesuffix("\n").split("\n")
            found = cls(
                origin,
                _number(size),
                base64.b64decode(root, validate=True),
                _number(at.removeprefix("at ")),
                _number(previous.removeprefix("previous ")),
            )
        except (ValueError, binascii.Error):
            raise CallerError("proof_invalid", "not a checkpoint") from None
        if found.to_text() != text:
            raise CallerError("proof_invalid", "not a checkpoint")
        return found


def open_checkpoint(note: str, key: NoteKey) -> Checkpoint:
    """The checkpoint, once this key's signature holds. ``signature_invalid``, ``proof_invalid``."""
    found = Checkpoint.from_text(open_note(note, key))
    if found.origin != key.name:
        raise CallerError("signature_invalid", "the key is another log's")
    return found


@dataclass(frozen=True, slots=True)
class KeepCheckpoint:
    """Keep a signed checkpoint. False if another was kept meanwhile."""

    chain: str
    size: int
    previous_size: int
    note: str
    key: str

    def reads(self) -> list[Read]:
        return [(FOLLOWER, self.chain)]

    def decide(self, ws: WorkingSet, _now_ms: int) -> bool:
        """Append it and move the follower's mark."""
        follower = ws.get(FOLLOWER, self.chain)
        if follower is None or follower["checkpoint_size"] != self.previous_size:
            return False
        row = {"chain": self.chain, "size": self.size, "note": self.note, "key": self.key}
        ws.insert(CHECKPOINT, row)
        ws.update(FOLLOWER, self.chain, checkpoint_size=self.size)
        return True


@dataclass(frozen=True, slots=True)
class CheckpointMaker:
    """Signs with the backend's key, under its name."""

    name: str
    key: SigningKey

    def note_key(self, chain: str) -> NoteKey:
        """The key that a verifier of this chain's checkpoints needs."""
        return NoteKey(f"{self.name}/ledger/{chain}", self.key.public)

    def make(self, reader: Reader, chain: str, now_ms: int) -> KeepCheckpoint | None:
        """A checkpoint of all that was followed; None if the last one is that already.

        ``log_inconsistent`` if the log does not contain the last one any more.
        """
        with reader.snapshot() as connection:
            derived = DerivedRepository(connection)
            at = derived.followers().get(chain)
            if at is None:
                raise CallerError("checkpoint_unknown", f"nothing was posted to {chain}")
            size, previous_size = at["seq"], at["checkpoint_size"]
            if size <= previous_size:
                return None
            nodes = LogNodes(derived, chain)
            last = derived.checkpoint(chain, previous_size)
            if previous_size and (
                last is None or log_root(previous_size, nodes, sm3) != _root(last)
            ):
                raise CallerError("log_inconsistent", f"{chain} at {previous_size}")
            root = log_root(size, nodes, sm3)
        key = self.note_key(chain)
        text = Checkpoint(key.name, size, root, now_ms, previous_size).to_text()
        note = sign_note(text, key.name, self.key)
        return KeepCheckpoint(chain, size, previous_size, note, key.to_text())

    def newest(self, reader: Reader, chain: str) -> Row:
        """The newest checkpoint that is kept; ``checkpoint_unknown`` if there is none."""
        with reader.snapshot() as connection:
            row = DerivedRepository(connection).last_checkpoint(chain)
        if row is None:
            raise CallerError("checkpoint_unknown", chain)
        return row


def checkpoint_of(row: Row) -> Checkpoint:
    """What a kept checkpoint says; its signature holds under the key beside it."""
    return open_checkpoint(row["note"], NoteKey.from_text(row["key"]))


def is_due(
    derived: DerivedRepository, business_date: Callable[[int], str], now_ms: int
) -> list[str]:
    """Chains with new groups whose last checkpoint is of another day, or many groups old."""
    due = []
    for chain, at in derived.followers().items():
        new = at["seq"] - at["checkpoint_size"]
        last = derived.checkpoint(chain, at["checkpoint_size"]) if new else None
        is_of_today = last is not None and business_date(now_ms) == business_date(
            checkpoint_of(last).at_ms
        )
        if new >= CHECKPOINT_GROUPS or (new and not is_of_today):
            due.append(chain)
    return due


def _root(row: Row) -> bytes:
    return checkpoint_of(row).root


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < _NUMBER_CHARS_MAX):
        raise ValueError(text)
    return int(text)
