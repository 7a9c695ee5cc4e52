"""Proofs as files: JSON with these fields and no others, checked with a public key only."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.ledger.limits import PROOF_BYTES_MAX
from backend.ledger.model import Kind, Transfer
from protocol.errors import CallerError

_NODES_MAX = 64
_HASH_CHARS = 64
_NOTE_CHARS_MAX = 4096
_Hash = Annotated[str, Field(pattern=rf"^[0-9a-f]{{{_HASH_CHARS}}}$")]
_Path = Annotated[list[_Hash], Field(max_length=_NODES_MAX)]
_Count = Annotated[int, Field(ge=0, lt=2**63)]
_Note = Annotated[str, Field(max_length=_NOTE_CHARS_MAX)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SealedTransfer(_Part):
    """A transfer as its leaf says it."""

    id: str
    link: int
    debit: str
    credit: str
    amount_minor: int
    currency: str
    rule: str
    kind: Kind
    refers_to: str | None
    expires_at_ms: int | None
    business_date: str
    at_ms: int

    def to_row(self) -> tuple[object, ...]:
        """The columns that are hashed, in order."""
        return tuple(getattr(self, name) for name in (*Transfer._fields, "at_ms"))


class SealedGroup(_Part):
    """What a group's hash covers beside its root."""

    chain: str
    seq: _Count
    count: _Count
    at_ms: _Count
    previous_hash: _Hash


class InclusionProof(_Part):
    """That a transfer is in the ledger that a checkpoint was signed over.

    ``transfers`` are all of its linked chain, which is one leaf of its group.
    """

    format: Literal["tillway-ledger-inclusion-1"] = "tillway-ledger-inclusion-1"
    transfer_id: str
    transfers: list[SealedTransfer]
    leaf_index: _Count
    leaf_count: _Count
    leaf_path: _Path
    group: SealedGroup
    log_path: _Path
    checkpoint: _Note


class ConsistencyProof(_Part):
    """That the groups of one checkpoint are the first groups of a later one."""

    format: Literal["tillway-ledger-consistency-1"] = "tillway-ledger-consistency-1"
    old: _Note
    new: _Note
    path: _Path


Proof = InclusionProof | ConsistencyProof


def read_proof(data: bytes) -> Proof:
    """The proof in a file, unchecked; ``CallerError("proof_invalid")`` if it is none."""
    if len(data) > PROOF_BYTES_MAX:
        raise CallerError("proof_invalid", "the file is too large")
    for kind in (InclusionProof, ConsistencyProof):
        try:
            return kind.model_validate_json(data)
        except ValidationError as error:
            if f"-{'inclusion' if kind is InclusionProof else 'consistency'}-".encode() in data:
                where = ".".join(str(part) for part in error.errors()[0]["loc"])
                raise CallerError("proof_invalid", f"field {where}") from None
    raise CallerError("proof_invalid", "not a proof")
